"""How one person's deliveries leave through one bot: decided here, purely, and performed by the courier.

`events` says what can happen, `commands` what is to be done about it, `table` what may follow what, `order` who goes
first; `queue` decides. Nothing here waits, reads a clock or knows Telegram.
"""
