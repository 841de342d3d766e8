"""The kinds of trace that words may leave."""

from enum import StrEnum


class Trace(StrEnum):
    """What was found. The value ends the text keys that speak of it."""

    NAME = "name"
    LINK = "link"
    EMAIL = "email"
    PHONE = "phone"
    UNREAD = "unread"
    """More than is looked at: nobody knows what is in it."""
