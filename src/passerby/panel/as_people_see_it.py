"""A message of a broadcast as people get it: its formatting, its file's kind, its buttons, and the addresses behind its
links. Nothing here can be clicked: whoever approves a message reads where its links lead.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from passerby.kernel.broadcast import Broadcast, Category, LinkButton, Variant
from passerby.kernel.content import Content, Entity, Kind

_TAGS: Final = {
    "bold": (Markup("<b>"), Markup("</b>")),
    "italic": (Markup("<i>"), Markup("</i>")),
    "underline": (Markup("<u>"), Markup("</u>")),
    "strikethrough": (Markup("<s>"), Markup("</s>")),
    "code": (Markup("<code>"), Markup("</code>")),
    "pre": (Markup("<code>"), Markup("</code>")),
    "blockquote": (Markup("<q>"), Markup("</q>")),
    "expandable_blockquote": (Markup("<q>"), Markup("</q>")),
    "text_link": (Markup("<u>"), Markup("</u>")),
    "spoiler": (
        Markup('<span class="hint">[hidden until tapped:</span> '),
        Markup(' <span class="hint">]</span>'),
    ),
}
"""Entities of other types look like plain text here: addresses, names, hashtags."""


class Shown(NamedTuple):
    """`who` gets it; `notes` say what is not text: its file, for example."""

    who: str
    notes: tuple[str, ...]
    text: Markup
    buttons: tuple[LinkButton, ...]


def messages(broadcast: Broadcast) -> list[Shown]:
    """Each language and version."""
    several = len(broadcast.variants) > 1
    versions = len({each.arm for each in broadcast.variants}) > 1
    everybody = "everybody else" if several else "everybody"
    return [
        Shown(
            (f"readers of {each.language}" if each.language else everybody) + (f", version {each.arm}" * versions),
            tuple(_notes(broadcast, each)),
            formatted(each.content),
            each.buttons,
        )
        for each in broadcast.variants
    ]


def _notes(broadcast: Broadcast, variant: Variant) -> Iterator[str]:
    content = variant.content
    if content.kind is not Kind.TEXT:
        name = content.file.name if content.file is not None else None
        yield content.kind.value.replace("_", " ") + (f": {name}" if name else "")
        if content.spoiler:
            yield "hidden until tapped"
        if content.text and content.caption_above:
            yield "with the text above it"
        if not content.text:
            yield "without a text"
    if broadcast.category is not Category.SYSTEM:
        yield "below it, a button to turn such messages off"


def formatted(content: Content) -> Markup:
    """The whole text. Behind the words of a link stands its address."""
    units = content.text.encode("utf-16-le")
    inside = sorted(
        (each for each in content.entities if each.length > 0 and 0 <= each.offset < len(units) // 2),
        key=lambda each: (each.offset, -each.length),
    )
    return _between(units, 0, len(units) // 2, inside)


def _between(units: bytes, begin: int, end: int, entities: Sequence[Entity]) -> Markup:
    """The part from `begin` to `end`, in UTF-16 units. An entity that ends outside of another one is cut there."""
    found, at = Markup(), begin
    rest = list(entities)
    while rest:
        entity = rest.pop(0)
        start, stop = max(entity.offset, at), min(entity.offset + entity.length, end)
        if start >= stop:
            continue
        within = [each for each in rest if each.offset < stop]
        opening, closing = _TAGS.get(entity.type, (Markup(), Markup()))
        found += _plain(units, at, start) + opening + _between(units, start, stop, within) + closing
        if entity.url:
            found += Markup(' <span class="hint">({})</span>').format(entity.url)
        # The part of an overlapping entity that comes after this one is formatted, too.
        rest = [each for each in rest if each.offset + each.length > stop]
        at = stop
    return found + _plain(units, at, end)


def _plain(units: bytes, begin: int, end: int) -> Markup:
    return Markup().join([units[2 * begin : 2 * end].decode("utf-16-le", "replace")])
