"""Protocols for everything that the runtime needs from outside. One role a module.

A docstring here is the contract; `tests/contract` tests every adapter against it.
"""
