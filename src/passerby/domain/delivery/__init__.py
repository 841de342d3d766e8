"""Decides, purely, how one person's deliveries leave through one bot. The courier performs it.

`events` lists what can happen. `commands` lists what the courier can be asked to do. `table` says which phase may
follow which, and `line` says which delivery goes first. `queue` decides. Nothing here waits, reads a clock or knows
Telegram.
"""
