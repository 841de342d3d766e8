"""What the runtime needs from outside, as protocols. One role a module.

A docstring here is the contract; `tests/contract` tests every adapter against it.
"""
