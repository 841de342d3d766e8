"""Sends a message without the part that Telegram refuses. The words matter more than their decoration.

A refused attempt delivered nothing, so another attempt cannot duplicate the message. The table in `answers` says which
part is meant. If no row matches, there is one *plain* attempt without any decoration. If the message has a keyboard,
there is one more attempt without it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from html import unescape
from typing import Any, TypeVar

import msgspec

from passerby.adapters.botapi.answers import Meaning, Part
from passerby.adapters.botapi.errors import Rejected

T = TypeVar("T")
Members = dict[str, Any]

_ENTITIES = frozenset(f"{of}entities" for of in ("", "caption_", "question_", "text_", "explanation_", "description_"))
_LOOKS = frozenset({"icon_custom_emoji_id", "style"})
_TAG = re.compile(r"<[^<>]*+>")
_EMOJI_TAG = re.compile(r"</?tg-emoji\b[^<>]*+>")

DECORATION = (Part.EFFECT, Part.ENTITIES, Part.REPLY, Part.THREAD, Part.LOOK)
"""The parts that a plain attempt leaves out. A keyboard is not among them, because it is more than decoration."""


async def with_less(attempt: Callable[[Any], Awaitable[T]], members: Any, *, file: bool = False) -> T:
    """Call `attempt`; if Telegram refuses a part, call it again without that part.

    `members` is the request, as a dict or a struct. `file`: a fresh upload may help, so the caller handles refusals of
    the file. Raises: the error of the last attempt, or of the first one if a plain attempt failed as well.
    """
    try:
        return await attempt(members)
    except Rejected as rejected:
        refused = rejected
    return await with_less_than(refused, attempt, members, file=file)


async def with_less_than(
    refused: Rejected, attempt: Callable[[Any], Awaitable[T]], members: Any, *, file: bool = False
) -> T:
    """The same after the first attempt, which was `refused`."""
    first = refused
    left: Members = msgspec.to_builtins(members)
    plain = [DECORATION, (*DECORATION, Part.KEYBOARD)]
    while True:
        less = next((found for part in refused.parts if (found := without(left, part)) is not None), None)
        if less is None:
            if refused.meaning not in (Meaning.UNKNOWN, Meaning.FILE_UNKNOWN):
                raise refused
            if file and refused.meaning is Meaning.FILE_UNKNOWN:
                raise refused
            while plain and less is None:
                less = without(left, *plain.pop(0))
            if less is None:
                raise first
        left = less
        try:
            return await attempt(left)
        except Rejected as rejected:
            refused = rejected


def without(members: Mapping[str, Any], *parts: Part) -> Members | None:
    """Return the request without these parts; None if it has none of them."""
    left = dict(members)
    for part in parts:
        left = _LESS[part](left)
    return left if left != members else None


def _only_top(*names: str) -> Callable[[Members], Members]:
    return lambda members: {name: value for name, value in members.items() if name not in names}


def _deep(value: Any, of: Callable[[str, Any], Any]) -> Any:
    """Return a copy without the members for which `of` returns None, at any depth."""
    match value:
        case dict():
            kept = ((name, of(name, each)) for name, each in value.items())
            return {name: _deep(each, of) for name, each in kept if each is not None}
        case list() | tuple():
            return type(value)(_deep(each, of) for each in value)
        case _:
            return value


def _no_entities(members: Members) -> Members:
    reply = members.get("reply_parameters")
    left: Members = _deep(members, lambda name, each: None if name in _ENTITIES else each)
    if reply is not None:
        left["reply_parameters"] = reply
    if left.pop("parse_mode", None) is not None:
        left |= {name: unescape(_TAG.sub("", left[name])) for name in ("text", "caption") if name in left}
    return left


def _no_custom_emoji(members: Members) -> Members:
    def plain(name: str, each: Any) -> Any:
        if name not in _ENTITIES or not isinstance(each, list | tuple):
            return each
        return [entity for entity in each if entity.get("type") != "custom_emoji"] or None

    left: Members = _deep(members, plain)
    if "parse_mode" in left:
        left |= {name: _EMOJI_TAG.sub("", left[name]) for name in ("text", "caption") if name in left}
    return left


def _no_quote(members: Members) -> Members:
    reply = members.get("reply_parameters")
    return members | {"reply_parameters": {"message_id": reply["message_id"]}} if reply is not None else members


def _no_look(members: Members) -> Members:
    markup = members.get("reply_markup")
    if markup is None:
        return members
    return members | {"reply_markup": _deep(markup, lambda name, each: None if name in _LOOKS else each)}


_LESS: Mapping[Part, Callable[[Members], Members]] = {
    Part.EFFECT: _only_top("message_effect_id"),
    Part.CUSTOM_EMOJI: _no_custom_emoji,
    Part.ENTITIES: _no_entities,
    Part.QUOTE: _no_quote,
    Part.REPLY: _only_top("reply_parameters"),
    Part.PREVIEW: _only_top("link_preview_options"),
    Part.LOOK: _no_look,
    Part.KEYBOARD: _only_top("reply_markup"),
    Part.THREAD: _only_top("message_thread_id"),
}
