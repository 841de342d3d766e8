"""Wordings that staff write: what is checked before one counts, and how a wording is shown to them.

A wording must have the placeholders of the one that it replaces, because deciders give exactly those. It may use the
tags that Telegram knows. Labels of reply keys must also differ from each other in all languages at once. The page that
staff write on checks that (`panel/pages/texts`), because only it has all labels at hand.
"""

import re
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Final

from passerby.catalogue.template import Template, Wording, compile_template

MOST: Final = 3500
"""Telegram allows 4,096 characters. The rest is for what is put into placeholders."""
LABELS: Final = "keys."
_SHORTER: Final = {"intro.description": 512, "intro.short": 120, "intro.name": 64}
"""Source: Bot API, setMyDescription, setMyShortDescription, setMyName."""
_SHORT: Final = ((LABELS, 64), ("commands.", 256))
_WITHOUT_TAGS: Final = (LABELS, "commands.", *_SHORTER)
_TAGS: Final = frozenset({"b", "i", "u", "s", "code", "pre", "blockquote", "tg-spoiler", "a"})
_TAG: Final = re.compile(r"<(/?)([a-z-]+)((?:\s[^<>]*)?)>")
_LINK: Final = re.compile(r'\shref="https?://[^"<>\s]+"')
_PLAIN_SIGN: Final = re.compile(r"[<>]|&(?!(?:amp|lt|gt|quot);)")


_HREF: Final = re.compile(r'\shref="([^"]*)"')
_WITH_ADDRESS: Final = frozenset({"address", "bot", "bots", "link", "name", "sister", "url"})
"""The placeholders that may be a link or a user name. Letters beside one would make another place of it."""


def words_and_links(wording: Wording) -> list[str]:
    """All that a wording shows and leads to: the words of each form without tags, then the links."""
    found = []
    for template in wording.templates:
        values = ("@placeholder" if name in _WITH_ADDRESS else "placeholder" for name in template.names)
        found.append(template.plain % tuple(values))
        html = template.html % (("placeholder",) * len(template.names))
        found += map(unescape, _HREF.findall(html))
    return found


def as_written(template: Template) -> str:
    """The template as somebody writes it, with `{names}`."""
    names = iter(template.names)
    parts = template.html.replace("{", "{{").replace("}", "}}").replace("%%", "\0").split("%s")
    written = parts[0] + "".join(f"{{{next(names)}}}{part}" for part in parts[1:])
    return written.replace("\0", "%")


def compiled(sources: Sequence[str], replaced: Wording) -> Wording:
    """The wording that takes the place of another one. Raises: ValueError, if a placeholder is no bare name."""
    return Wording(tuple(map(compile_template, sources)), replaced.form)


def most_characters(key: str) -> int:
    """How long the text may be, as it is written: with its tags and the names of its placeholders."""
    return _SHORTER.get(key) or next((most for start, most in _SHORT if key.startswith(start)), MOST)


def tags_of(key: str) -> tuple[str, ...]:
    """The tags that the text may have. None where Telegram shows plain words only."""
    return () if key.startswith(_WITHOUT_TAGS) else tuple(sorted(_TAGS))


def problems(key: str, sources: Sequence[str], replaced: Wording) -> list[str]:
    """Why these wordings (one for each plural form) cannot take the place of `replaced`. Empty: they can."""
    if len(sources) != len(replaced.templates):
        return [f"It needs {len(replaced.templates)} forms."]
    return [
        (f"Form {number}: " if len(sources) > 1 else "") + problem
        for number, (written, before) in enumerate(zip(sources, replaced.templates, strict=True), 1)
        for problem in _problems(key, written, before)
    ]


def _problems(key: str, written: str, before: Template) -> Iterable[str]:
    most = most_characters(key)
    if not written.strip():
        yield "It is empty."
    if len(written) > most:
        yield f"It has {len(written):,} characters, and may have {most:,}."
    try:
        names = set(compile_template(written).names)
    except ValueError:
        yield "A placeholder is a bare name in braces, such as {name}. Write {{ and }} for braces."
        return
    wanted = set(before.names)
    # A plural form may say the number in words.
    if missing := sorted(wanted - names - {"n"}):
        yield f"These placeholders are missing: {', '.join(f'{{{name}}}' for name in missing)}."
    if unknown := sorted(names - wanted):
        yield f"These placeholders are unknown: {', '.join(f'{{{name}}}' for name in unknown)}."
    yield from _wrong_tags(key, written)


def _wrong_tags(key: str, written: str) -> Iterable[str]:
    if not tags_of(key) and _TAG.search(written):
        yield "No tags can be shown here."
        return
    opened: list[str] = []
    for closes, name, rest in _TAG.findall(written):
        is_known = name in _TAGS and (not rest or (name == "a" and not closes and _LINK.fullmatch(rest)))
        if not is_known or (name == "a" and not closes and not rest):
            yield f"Telegram does not know <{closes}{name}{rest}>, or it is not allowed here."
        elif not closes:
            opened.append(name)
        elif not opened or opened.pop() != name:
            yield f"</{name}> closes nothing, or the wrong tag."
    if opened:
        yield f"<{opened[-1]}> is not closed."
    if found := _PLAIN_SIGN.search(_TAG.sub("", written)):
        yield f"Write {_WRITTEN[found[0]]} for {found[0]}."


_WRITTEN: Final = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
