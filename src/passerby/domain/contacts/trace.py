"""The kinds of trace that words may hold."""

from enum import StrEnum


class Trace(StrEnum):
    """What was found. The texts about it have keys that end in the value."""

    NAME = "name"
    LINK = "link"
    EMAIL = "email"
    PHONE = "phone"
    UNREAD = "unread"
    """The text is longer than the limit: nobody knows what is in it."""
