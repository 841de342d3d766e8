"""Why a process ends on purpose."""


class ToldToStop(Exception):
    """The process was told to stop before its start was over."""
