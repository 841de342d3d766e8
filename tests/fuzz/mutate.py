"""Turns a valid update into an almost valid one.

The mutation knows the structure: a field is dropped, gets another type, size or place; objects are nested deeper; texts
break in the middle of a character; unknown names and kinds appear. The update's own id stays, because Telegram always
writes one.
"""

from collections.abc import Callable
from random import Random
from typing import Any

Json = Any
Path = list[Any]

NUMBERS = (
    0, -1, 1, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 10**30, 1.5, -0.0,
    1e300, 1e-300,
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "\u202e", "\u200b" * 8, "\ufeff", "e\u0301" * 40, "👩‍👩‍👧‍👦", "\U0010ffff", "x" * 5_000, "/",
    "/start", "/next@", "/delete x", "Ⓣ.me/a", "@аnn_name", "+1 (555) 123-45-67", "a\nb\r\n\tc", "%s{0}<b>&amp;",
    "\\u0000", "null", "я" + "\u00a0" * 4_000 + " dot", "a." * 2_000 + "@", "\u0323\u0301" * 2_000, "1 " * 2_000 + "x",
    "insta: " * 600, "(at)" * 1_000, "t . m e / a n n", "\u202eema.t", "ann arroba gmail punto com", "ﷺ" * 900,
)  # fmt: skip
UNKNOWN = ("telepathy", "scent", "message", "text", "id", "type", "photo", "story", "entities", "date")
BROKEN = b'"\\ud83d"', b'"\\udc4d\\ud83d"', b'"x\\ud800"', b'"\\ud83d\\u0041"', b'"\xed\xa0\xbd"', b'"\xff\xfe"'
"""Texts that end in half a character, and bytes that are not text."""
ADDRESS = frozenset({"chat", "from", "user", "message_id", "date", "old_chat_member"})
HALF = "\ue000"
"""Stands for a broken text until the update has been encoded."""


def places(value: Json, path: Path, found: list[Path]) -> list[Path]:
    """Return the paths to everything in a value, including objects and lists."""
    found.append(path)
    if isinstance(value, dict):
        for name, inner in value.items():
            places(inner, [*path, name], found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            places(inner, [*path, index], found)
    return found


def _at(value: Json, path: Path) -> Json:
    for step in path:
        value = value[step]
    return value


def mutated(update: Json, rng: Random) -> Json:
    """Return a copy with one to four mutations. `update_id` is left alone."""
    update = _copied(update)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        every = [path for path in places(update, [], []) if path and path != ["update_id"]]
        if not every:
            break
        # Without these fields there is little to decide, and they are half of an update.
        content = [path for path in every if len(path) > 1 and not ADDRESS.intersection(path)]
        path = rng.choice(content if content and rng.random() < 0.85 else every)
        rng.choice(DEEDS)(update, path, rng)
    return update


def _copied(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _put(update: Json, path: Path, value: Json) -> None:
    _at(update, path[:-1])[path[-1]] = value


def drop(update: Json, path: Path, rng: Random) -> None:
    del _at(update, path[:-1])[path[-1]]


def retype(update: Json, path: Path, rng: Random) -> None:
    _put(
        update,
        path,
        rng.choice((None, True, False, 7, -1.5, "7", "", [], {}, [[]], [{}], {"id": 7}, [None], "private")),
    )


def resize(update: Json, path: Path, rng: Random) -> None:
    _put(update, path, rng.choice(NUMBERS))


def reword(update: Json, path: Path, rng: Random) -> None:
    before = _at(update, path)
    text = rng.choice(TEXTS)
    if isinstance(before, str) and rng.random() < 0.5:
        at = rng.randrange(len(before) + 1)
        text = before[:at] + text + before[at:]
    _put(update, path, text)


def halve(update: Json, path: Path, rng: Random) -> None:
    _put(update, path, HALF)


def duplicate(update: Json, path: Path, rng: Random) -> None:
    value = _at(update, path)
    if isinstance(value, list):
        value.extend(_copied(value) * rng.choice((1, 3, 30)))
    else:
        _put(update, path, [value, _copied(value)])


def deepen(update: Json, path: Path, rng: Random) -> None:
    value = _at(update, path)
    for _ in range(rng.choice((1, 3, 30, 400))):
        value = [value] if rng.random() < 0.5 else {"text": value, "type": "bold"}
    _put(update, path, value)


def add(update: Json, path: Path, rng: Random) -> None:
    value = _at(update, path)
    inside = value if isinstance(value, dict) else _at(update, path[:-1])
    if isinstance(inside, dict):
        inside[rng.choice(UNKNOWN)] = rng.choice(({}, {"text": "boo"}, "boo", 7, True, [{"type": "boo"}]))


def rename(update: Json, path: Path, rng: Random) -> None:
    inside = _at(update, path[:-1])
    if isinstance(inside, dict):
        inside[rng.choice(UNKNOWN)] = inside.pop(path[-1])


def move(update: Json, path: Path, rng: Random) -> None:
    """Put the value at this path somewhere else too."""
    others = [other for other in places(update, [], []) if other and other != ["update_id"]]
    there = rng.choice(others)
    if there[: len(path)] != path and path[: len(there)] != there:
        _put(update, there, _copied(_at(update, path)))


DEEDS: tuple[Callable[[Json, Path, Random], None], ...] = (
    drop, drop, retype, retype, resize, resize, reword, reword, halve, duplicate, deepen, add, rename, move,
)  # fmt: skip


def broken(encoded: bytes, rng: Random) -> bytes:
    """Return the encoded update with broken texts in their places."""
    marker = HALF.encode()
    while (at := encoded.find(marker)) >= 0:
        begin, end = encoded.rfind(b'"', 0, at), encoded.find(b'"', at)
        encoded = encoded[:begin] + rng.choice(BROKEN) + encoded[end + 1 :]
    return encoded
