"""The exception that ends a process on purpose, with the reason."""


class ToldToStop(Exception):
    """The process was told to stop before its start was over."""
