"""What a phone shows, sorted: a stranger's words, which carry a mark, or one of the product's own sentences.

The judge reads these as a person would, by their English words; the catalogue says which words those are.
"""

import re
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import passerby
from passerby.catalogue import Catalogue
from passerby.catalogue.notices import Notices

_MARK = re.compile(r"\[(\d+\.\d+)\]")


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


MEANS = {
    "search.found": Said.FOUND,
    "search.found_asking": Said.FOUND,
    "search.found_alike": Said.FOUND,
    "search.found_alike_asking": Said.FOUND,
    "after_chat.together_again": Said.FOUND,
    "friends.together": Said.FOUND,
    "chat.partner_left": Said.LEFT,
    "chat.you_left": Said.LEFT,
    "idle.ended": Said.LEFT,
    "safety.chat_over": Said.LEFT,
    "safety.done_here": Said.LEFT,
    "chat.you_moved_on": Said.MOVED_ON,
    "search.begun": Said.SEARCHING,
    "search.cancelled": Said.ENDED,
    "chat.search_stopped": Said.ENDED,
    "search.already": Said.STILL_SEARCHING,
    "chat.next_while_searching": Said.STILL_SEARCHING,
    "search.in_chat": Said.STILL_CHATTING,
    "search.found_meanwhile": Said.STILL_CHATTING,
    "chat.connection_lost": Said.CUT_OFF,
}

CONSENT, AGE, GENDER, READY = "start.consent", "start.ask_age", "start.ask_gender", "start.ready"
"""The first questions, and that they are answered."""

BY_ITSELF = frozenset(
    {
        *(key for key, means in MEANS.items() if means is Said.FOUND),
        *("chat.partner_left", "idle.ended", "chat.connection_lost", "idle.your_turn", "idle.nobody_spoke"),
        *("after_chat.ask", "chat.edit_failed", "search.delayed", "search.widened"),
    }
)
"""Notices that answer no message of their reader's."""

_COUNTED = frozenset({"pace.over", "chat.failed_many"})
"""Notices that answer as many messages as they say."""


@cache
def _english() -> Notices:
    return Catalogue.load(Path(passerby.__file__).parent, ["en"]).notices("en")


def mark(person: int, number: int) -> str:
    """A mark for somebody's n-th message. Short: long numbers are asked about before they are passed on."""
    return f"[{person}.{number}]"


def mark_in(words: str) -> str | None:
    found = _MARK.search(words)
    return found[1] if found else None


def words_of(message: dict[str, Any]) -> str:
    return str(message.get("text") or message.get("caption") or "")


def notice(words: str) -> str | None:
    """The name of the product's text that a phone shows; None if it is none."""
    return _english().key(words)


def said(words: str) -> Said:
    key = notice(words)
    return MEANS.get(key, Said.OTHER) if key is not None else Said.OTHER


def answers(words: str) -> int:
    """How many things that its reader sent a notice answers."""
    found = _english().find(words)
    if found is None:
        return 1
    key, args = found
    return int(args["n"]) if key in _COUNTED else int(key not in BY_ITSELF)
