"""What the runtime needs of the world, as protocols.

A docstring here is the contract; `tests/contract` holds every adapter to it.
"""
