"""Numbers in a broadcast that are true when each copy is sent.

`{waiting}` becomes how many people search for a chat in the recipient's pool, rounded down. Below ten, nothing is sent.
"""

from typing import Final

import msgspec

from passerby.kernel.content import Content, Entity

WAITING: Final = "{waiting}"
FEW: Final = 10
"""A smaller group is never shown."""


def has_number(content: Content) -> bool:
    return WAITING in content.text


def rounded(people: int) -> int | None:
    """Two digits of the number at most, rounded down: 37 is 30, 1,278 is 1,200. None: too few to be shown."""
    if people < FEW:
        return None
    step: int = max(FEW, 10 ** (len(str(people)) - 2))
    return people // step * step


def filled(content: Content, number: int) -> Content:
    """The message with this number in it. Its formatting stays where it was."""
    shown = str(number)
    text, entities = content.text, content.entities
    while (at := text.find(WAITING)) >= 0:
        begin = len(text[:at].encode("utf-16-le")) // 2
        entities = tuple(_moved(each, begin, len(shown)) for each in entities)
        text = text[:at] + shown + text[at + len(WAITING) :]
    kept = tuple(each for each in entities if each.length)
    return msgspec.structs.replace(content, text=text, entities=kept)


def _moved(entity: Entity, begin: int, length: int) -> Entity:
    """The entity after the placeholder at `begin` became `length` units long. All in UTF-16 units."""

    def moved(old: int) -> int:
        if old >= begin + len(WAITING):
            return old - len(WAITING) + length
        return min(old, begin + length)

    start = moved(entity.offset)
    end = moved(entity.offset + entity.length)
    return msgspec.structs.replace(entity, offset=start, length=end - start)
