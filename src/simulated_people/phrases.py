"""Sorts what a phone shows: a person's message, which has a mark, or a notice of the product.

Notices are recognised by their English words, as a person would. The words come from the catalogue.
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
    """The meaning of a notice for its reader's chat or search."""

    FOUND = "found"
    LEFT = "left"
    """The chat is over, and they are not in the search."""
    MOVED_ON = "moved on"
    """The chat is over, and they are in the search."""
    SEARCHING = "searching"
    ENDED = "ended"
    """The search is over."""
    CUT_OFF = "cut off"
    """The stores lost data: chat and search are over. The last messages may have arrived or not."""
    STILL_SEARCHING = "still searching"
    STILL_CHATTING = "still chatting"
    OTHER = "other"


class Asks(StrEnum):
    """The request of a person with a command or a key."""

    SEARCH = "search"
    NEXT = "next"
    STOP = "stop"


_ASKS = {
    "/search": Asks.SEARCH,
    "/next": Asks.NEXT,
    "/stop": Asks.STOP,
    "keys.find": Asks.SEARCH,
    "keys.next": Asks.NEXT,
    "keys.stop": Asks.STOP,
    "keys.cancel": Asks.STOP,
}

FOUND = tuple(
    f"search.found{more}{wording}"
    for more in ("", "_asking", "_alike", "_alike_asking")
    for wording in ("", "_2", "_3")
)
"""The product words it differently from chat to chat."""

MEANS = {
    **dict.fromkeys(FOUND, Said.FOUND),
    "after_chat.together_again": Said.FOUND,
    "friends.together": Said.FOUND,
    "chat.partner_left": Said.LEFT,
    "chat.you_left": Said.LEFT,
    "idle.ended": Said.LEFT,
    "safety.chat_over": Said.LEFT,
    "safety.done_here": Said.LEFT,
    "start.bot_was_lost": Said.LEFT,
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
"""The first questions, and the notice that they are answered."""

BY_ITSELF = frozenset(
    {
        *(key for key, means in MEANS.items() if means is Said.FOUND),
        *("chat.partner_left", "idle.ended", "chat.connection_lost", "idle.your_turn", "idle.nobody_spoke"),
        *("chat.moved_here", "closing.in_chat", "closing.search_moved"),
        *("after_chat.ask", "chat.edit_failed", "search.delayed", "search.widened"),
    }
)
"""Notices that do not answer a message of their reader."""

_COUNTED = frozenset({"pace.over", "chat.failed_many"})
"""Notices that say how many messages they answer."""


@cache
def _english() -> Notices:
    return Catalogue.load(Path(passerby.__file__).parent, ["en"]).notices("en")


def mark(person: int, number: int) -> str:
    """The mark of a person's n-th message. It is short, because the product asks before it sends a long number."""
    return f"[{person}.{number}]"


def mark_in(words: str) -> str | None:
    found = _MARK.search(words)
    return found[1] if found else None


def words_of(message: dict[str, Any]) -> str:
    return str(message.get("text") or message.get("caption") or "")


def notice(words: str) -> str | None:
    """The name of the product's text that a phone shows. None if it is not one."""
    return _english().key(words)


def said(words: str) -> Said:
    key = notice(words)
    return MEANS.get(key, Said.OTHER) if key is not None else Said.OTHER


def asks(words: str) -> Asks | None:
    """Return the request in somebody's own message. None if it is no command and no key, or another one."""
    return _ASKS.get(words.partition("@")[0]) or _ASKS.get(notice(words) or "")


def answers(words: str) -> int:
    """How many of its reader's messages a notice answers."""
    found = _english().find(words)
    if found is None:
        return 1
    key, args = found
    return int(args["n"]) if key in _COUNTED else int(key not in BY_ITSELF)
