"""The kinds of traces in words."""

from enum import StrEnum


class Trace(StrEnum):
    """The kind of trace that was found. The keys of the texts about it end in the value."""

    NAME = "name"
    LINK = "link"
    EMAIL = "email"
    PHONE = "phone"
    UNREAD = "unread"
    """The text is longer than the limit, so it was not searched."""
