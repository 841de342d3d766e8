"""Splits one message of a person into several messages of a bot.

People with Premium may write longer captions than a bot, and an album may combine kinds that a bot cannot combine. This
module decides what fits into one message, and where to cut words: at the end of a paragraph if possible, otherwise of a
line, a sentence or a word. It never cuts inside a character as the reader sees it. Lengths are in UTF-16 units without
markup (source: Bot API 10.3, sendMessage, sendPhoto, sendMediaGroup).
"""

import unicodedata
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from passerby.kernel.content import Content, Entity, Kind

TEXT_MOST = 4096
CAPTION_MOST = 1024
LEAST = 256
"""The shortest piece to cut words into, even if Telegram says that it is too long."""

WRITTEN = frozenset({Kind.TEXT, Kind.CHECKLIST})
"""Kinds whose words are the message itself."""

CAPTIONED = frozenset({Kind.PHOTO, Kind.LIVE_PHOTO, Kind.VIDEO, Kind.ANIMATION, Kind.AUDIO, Kind.VOICE, Kind.DOCUMENT})

TOGETHER = {
    Kind.PHOTO: "seen",
    Kind.LIVE_PHOTO: "seen",
    Kind.VIDEO: "seen",
    Kind.AUDIO: "heard",
    Kind.DOCUMENT: "read",
}
"""Kinds with the same value may be in one album."""

ALBUM_MOST = 10

ENTITIES_MOST = 100
"""Telegram keeps the formatting of a message up to this many entities and ignores the rest."""

_ENDS = ("\n\n", "\n"), (". ", "! ", "? ", "… ", "。", "؟ ", "। "), (" ",)
_JOINER = "\u200d"
_FURTHEST_BACK = 32


class Limits(msgspec.Struct, frozen=True):
    """How long words may be. A caption limit of 0 means no caption: all words come after their file."""

    text: int = TEXT_MOST
    caption: int = CAPTION_MOST

    def of(self, content: Content) -> int | None:
        """The limit for the words of this content; None if they have no limit of their own."""
        if content.kind in WRITTEN:
            return self.text
        return self.caption if content.kind in CAPTIONED else None


USUAL = Limits()
SURE: Final = USUAL.text // 2
"""A text of up to this many characters always fits into one message: each takes two UTF-16 units at most."""


def fits(content: Content, limits: Limits = USUAL) -> bool:
    """Whether it fits into one message of a bot."""
    most = limits.of(content)
    return most is None or len(content.text) <= most // 2 or _units(content.text) <= most


def pieces(content: Content, limits: Limits = USUAL) -> tuple[Content, ...]:
    """The messages that it becomes. The one with the file comes first, and words that do not fit into its caption
    follow."""
    if fits(content, limits):
        return (content,)
    cut = cut_words(content.text, content.entities, limits.text)
    if content.kind in CAPTIONED:
        head, rest = msgspec.structs.replace(content, text="", entities=()), cut
    else:
        head, rest = msgspec.structs.replace(content, text=cut[0][0], entities=cut[0][1]), cut[1:]
    return head, *(Content(Kind.TEXT, words, kept, protected=content.protected) for words, kept in rest)


def groups(contents: Sequence[Content]) -> tuple[tuple[int, ...], ...]:
    """The positions of the contents, in order, in groups that can each be one album. A content that fits into no album
    is a group of one."""
    found: list[tuple[int, ...]] = []
    for place, content in enumerate(contents):
        kin = TOGETHER.get(content.kind)
        last = found[-1] if found else ()
        if kin is not None and last and len(last) < ALBUM_MOST and TOGETHER.get(contents[last[-1]].kind) == kin:
            found[-1] = (*last, place)
        else:
            found.append((place,))
    return tuple(found)


def cut_words(text: str, entities: Sequence[Entity], most: int) -> list[tuple[str, tuple[Entity, ...]]]:
    """Cut into pieces of at most `most` UTF-16 units, each with its share of the entities. There is at least one piece.

    The time grows with the text and with the number of entities, not with their product: there is one walk over the
    entities, sorted by offset. At most `ENTITIES_MOST` entities that a piece shares with the next one are looked at
    twice.
    """
    units = _offsets(text)
    ahead = deque(sorted(entities, key=lambda each: each.offset))
    found = []
    for begin, end in _spans(text, units, most):
        first, last = units[begin], units[end]
        inside: list[Entity] = []
        onward: list[Entity] = []
        while ahead and ahead[0].offset < last and len(inside) < ENTITIES_MOST:
            each = ahead.popleft()
            stop = each.offset + each.length
            start = max(each.offset, first)
            if start < stop:
                inside.append(msgspec.structs.replace(each, offset=start - first, length=min(stop, last) - start))
            if stop > last:
                onward.append(each)
        ahead.extendleft(reversed(onward))
        found.append((text[begin:end], tuple(inside)))
    return found or [(text, tuple(entities))]


def _spans(text: str, units: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Where the pieces begin and end, in characters. White space at a cut is dropped."""
    begin = 0
    while begin < len(text):
        if text[begin].isspace():
            begin += 1
            continue
        end = bisect_right(units, units[begin] + most) - 1
        if end < len(text):
            end = _end(text, begin, end)
        stop = end
        while text[stop - 1].isspace():
            stop -= 1
        yield begin, stop
        begin = end


def _end(text: str, begin: int, furthest: int) -> int:
    """The best place to cut, in the second half of the longest piece that fits."""
    half = begin + (furthest - begin) // 2
    for ends in _ENDS:
        at = max(text.rfind(end, half, furthest) + len(end) for end in ends)
        if at > half:
            return at
    cut = furthest
    while cut > max(half, furthest - _FURTHEST_BACK) and _is_inside(text, cut):
        cut -= 1
    return cut if cut > half else furthest


def _is_inside(text: str, at: int) -> bool:
    """Whether a cut there would split a character as the reader sees it."""
    here = text[at]
    return (
        _JOINER in (text[at - 1], here)
        or bool(unicodedata.combining(here))
        or unicodedata.category(here) in ("Mn", "Me", "Cf")
        or "\U0001f3fb" <= here <= "\U0001f3ff"  # a skin tone
        or ("\U0001f1e6" <= here <= "\U0001f1ff" and _flags_before(text, at) % 2 == 1)
    )


def _flags_before(text: str, at: int) -> int:
    """How many regional indicator letters come right before `at`. Two of them make a flag."""
    count = 0
    while count < _FURTHEST_BACK and at > count and "\U0001f1e6" <= text[at - count - 1] <= "\U0001f1ff":
        count += 1
    return count


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _offsets(text: str) -> list[int]:
    """Where each character begins, in UTF-16 units, and where the last one ends."""
    found = [0]
    for character in text:
        found.append(found[-1] + 1 + (character > "\uffff"))
    return found
