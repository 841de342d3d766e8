"""Searches every string of a message that its reader could see for traces, whatever the member is called.

Only two kinds of strings are skipped: values from a short list that a client fills in (`LISTED`), and the phone number
on a contact card, which needs its sender's confirmation anyway.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from passerby.domain.contacts.search import LOOKED_AT, find
from passerby.domain.contacts.trace import Trace
from passerby.kernel.content import Content, Kind

_MARKED = {
    "text_link": Trace.LINK,
    "url": Trace.LINK,
    "mention": Trace.NAME,
    "text_mention": Trace.NAME,
    "email": Trace.EMAIL,
    "phone_number": Trace.PHONE,
}
"""Entity types with which Telegram itself marks a trace."""

LISTED: Mapping[str, re.Pattern[str]] = {
    "custom_emoji_id": re.compile(r"[0-9]{1,20}"),
    "date_time_format": re.compile(r"r|w?[dD]?[tT]?"),
    "language": re.compile(r"[a-z]{1,20}|[cCfF][#+]{1,2}|(?:asp|vb)\.net|objective-c"),
    "align": re.compile(r"left|center|right"),
    "valign": re.compile(r"top|middle|bottom"),
    "type": re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){0,3}|[1aAiI]"),
    "phone_number": re.compile(r"\+?[0-9][0-9 ()-]{0,24}"),
    "file_id": re.compile(r"[\w-]{1,300}"),
    "unique": re.compile(r"[\w-]{1,100}"),
}
"""For each member, the values that cannot be an address (source: Bot API 10.3, the types of these names)."""

_WORDLESS = frozenset({Kind.STICKER})
"""Kinds whose detail is not passed on as words. For a sticker, it is the name of its set."""

_MOST_STRINGS = 20_000
"""A limit for strings in one message. Telegram allows 500 blocks, with a few thousand texts in them."""


def traces(content: Content) -> Trace | None:
    """The first trace in a message's words, or in the links behind them. Call it before sanitising, which removes
    links.

    `UNREAD` if the message is longer than the limit.
    """
    if content.text and (found := find(content.text)) is not None:
        return found
    if content.entities and (found := _in_entities(content)) is not None:
        return found
    return _in_detail(content.detail) if content.detail and content.kind not in _WORDLESS else None


def _in_entities(content: Content) -> Trace | None:
    """Traces that entities mark in the words, or that are behind the words. All of these together are searched only as
    far as one text is."""
    seen = 0
    for entity in content.entities:
        if (marked := _MARKED.get(entity.type)) is not None:
            return marked
        if entity.language and not _is_listed("language", entity.language):
            seen += len(entity.language)
            if seen > LOOKED_AT:
                return Trace.UNREAD
            if (found := find(entity.language)) is not None:
                return found
    return None


def _in_detail(detail: dict[str, Any]) -> Trace | None:
    seen = 0
    for number, (name, words) in enumerate(_strings(detail)):
        seen += len(words)
        if seen > LOOKED_AT or number > _MOST_STRINGS:
            return Trace.UNREAD
        if words and not _is_listed(name, words) and (found := find(words)) is not None:
            return found
    return None


def _is_listed(name: str, words: str) -> bool:
    listed = LISTED.get(name)
    return listed is not None and listed.fullmatch(words) is not None


def _strings(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every string of a tree, in order, with the name of the member that holds it."""
    pending: list[tuple[str, Any]] = [("", tree)]
    while pending:
        name, node = pending.pop()
        match node:
            case str():
                yield name, node
            case dict():
                pending.extend(reversed(node.items()))
            case list() | tuple():
                pending.extend((name, each) for each in reversed(node))
