"""What a phone shows, sorted: a stranger's words, which carry a mark, or one of the product's own sentences.

The judge reads these as a person would, by their words; nothing here looks inside the product.
"""

import re
from enum import StrEnum
from typing import Any

_MARK = re.compile(r"\[(\d+\.\d+)\]")

_COUNTED = re.compile(r"You can go on\D*(\d+)|(\d+) messages from here on were not delivered")


class Said(StrEnum):
    """What a notice tells its reader about where they stand."""

    FOUND = "found"
    LEFT = "left"
    """The chat is over, and they look for nobody."""
    MOVED_ON = "moved on"
    """The chat is over, and they are in the search."""
    SEARCHING = "searching"
    ENDED = "ended"
    """The search is over."""
    CUT_OFF = "cut off"
    """The stores had lost something: chat and search are over, and what was written last may have arrived or not."""
    STILL_SEARCHING = "still searching"
    STILL_CHATTING = "still chatting"
    OTHER = "other"


_PHRASES = (
    ("Partner found", Said.FOUND),
    ("partner left the chat", Said.LEFT),
    ("You left the chat. 🔎", Said.MOVED_ON),
    ("You left the chat", Said.LEFT),
    ("Looking for somebody…", Said.SEARCHING),
    ("The search has ended", Said.ENDED),
    ("We are still looking. You keep your place", Said.STILL_SEARCHING),
    ("You are in a chat already", Said.STILL_CHATTING),
    ("Somebody has been found meanwhile", Said.STILL_CHATTING),
    ("the connection was lost", Said.CUT_OFF),
    ("the chat has ended", Said.LEFT),
    ("The chat is over", Said.LEFT),
)

CONSENT, AGE, GENDER, READY = "one to one", "How old are you", "What is your gender?", "You are all set"
"""The first questions, and that they are answered."""

BY_ITSELF = frozenset(
    {
        *("Partner found", "Your partner left", "How was this chat?", "the chat has ended", "Still looking."),
        *("Your partner is waiting for a word", "Nobody has said anything yet", "Your change could not be passed on"),
        *("We are looking further afield", "the connection was lost"),
    }
)
"""Notices that answer no message of their reader's."""


def mark(person: int, number: int) -> str:
    """A mark for somebody's n-th message. Short: long numbers are asked about before they are passed on."""
    return f"[{person}.{number}]"


def mark_in(words: str) -> str | None:
    found = _MARK.search(words)
    return found[1] if found else None


def words_of(message: dict[str, Any]) -> str:
    return str(message.get("text") or message.get("caption") or "")


def said(words: str) -> Said:
    return next((what for phrase, what in _PHRASES if phrase in words), Said.OTHER)


def answers(words: str) -> int:
    """How many things that its reader sent a notice answers."""
    counted = _COUNTED.search(words)
    if counted:
        return int(counted[1] or counted[2])
    return int(not any(phrase in words for phrase in BY_ITSELF))
