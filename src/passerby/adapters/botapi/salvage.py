"""Reads what it can of an update that does not follow the Bot API.

The text is not Unicode, a field has another type, an object is nested too deeply: a wrong value is corrected if its
meaning is clear (a number written as text), and left out otherwise. The rest of the message is passed on. This is slow,
and only for updates that `wire` could not read.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from passerby.adapters.botapi.wire import TOKENS, Message, Update

_MOST_CORRECTIONS = 64
"""At most this many fields of one update may be wrong. With more, it is not an update."""

_MAX_DEPTH = 100
"""Values that are nested deeper are left out. Real formatting is far less deep."""

_PLACE = re.compile(r" - at `\$((?:\.[^.\[\]`]+|\[\d+\])+)`\Z")
_STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]")
_EXPECTED = re.compile(r"Expected `(\w+)(?: \| null)?`, got `(\w+)`")
_HALF = re.compile("[\ud800-\udfff]")
_TRUE_IF_UNREADABLE = frozenset({"has_protected_content", "has_media_spoiler"})
"""Members that count as true if they cannot be read: the safe assumption is that the sender asked for them."""

_MEND: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("str", "int"): str,
    ("str", "float"): str,
    ("array", "object"): lambda value: [value],
    ("object", "array"): lambda value: value[0] if value else None,
}
"""Conversions, by the expected type and the type found."""


def parsed(piece: bytes) -> Any:
    """Return an update as plain values, with U+FFFD for each lone surrogate. Raises: ValueError."""
    text = _shallow(piece).decode("utf-8", "replace")
    try:
        return _whole(json.loads(text, strict=False, parse_constant=lambda _: None))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def salvaged(value: Any) -> Update[Message] | None:
    """Return the update without the members that cannot be read. Changes `value`. None if nothing is left."""
    for _ in range(_MOST_CORRECTIONS):
        try:
            return msgspec.convert(value, Update[Message], strict=False)
        except msgspec.ValidationError as error:
            problem = str(error)
        place = _PLACE.search(problem)
        if place is None or not _corrected(value, [*_steps(place[1])], problem):
            return None
    return None


def _steps(place: str) -> Iterator[str | int]:
    for step in _STEP.finditer(place):
        yield step[1] if step[1] is not None else int(step[2])


def _corrected(value: Any, steps: list[str | int], problem: str) -> bool:
    """Correct the value at this place, or remove it. Returns False if there is no such place."""
    *way, last = steps
    try:
        for step in way:
            value = value[step]
        there = value[last]
    except (LookupError, TypeError):
        return False
    if last in _TRUE_IF_UNREADABLE:
        value[last] = True
        return True
    found = _EXPECTED.search(problem)
    mend = _MEND.get((found[1], found[2])) if found is not None else None
    mended = mend(there) if mend is not None else None
    if mended is not None:
        value[last] = mended
    else:
        del value[last]
    return True


def _whole(value: Any) -> Any:
    """Return the value without lone surrogates."""
    match value:
        case str():
            return _HALF.sub("\ufffd", value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {_whole(name): _whole(each) for name, each in value.items()}
        case _:
            return value


def _shallow(piece: bytes) -> bytes:
    """Return the JSON with null for values that are nested too deeply."""
    depth, begin, kept, at = 0, 0, bytearray(), 0
    for token in TOKENS.finditer(piece):
        match token[0]:
            case b"{" | b"[":
                depth += 1
                if depth == _MAX_DEPTH + 1:
                    begin = token.start()
            case b"}" | b"]":
                if depth == _MAX_DEPTH + 1:
                    kept += piece[at:begin] + b"null"
                    at = token.end()
                depth -= 1
    return bytes(kept + piece[at:])
