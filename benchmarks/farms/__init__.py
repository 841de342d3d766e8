"""How well farms are contained, and whom it costs something. See `__main__`."""
