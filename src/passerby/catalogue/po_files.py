"""Reads our catalogues, which are gettext `.po` files of the simple kind: keys, plurals, comments.

Babel reads every kind, but takes twice as long, which every start would pay. A test reads all of our files with both.
"""

import re
from typing import Final, NamedTuple

_LINE: Final = re.compile(r'\A(?:(msgid|msgid_plural|msgstr|msgstr\[(\d)\]) )?"((?:[^"\\]|\\.)*+)"')
_USUAL_ENTRY: Final = re.compile(
    r'\A(?:#(?!,).*\n)*msgid "([^"\\]*)"\nmsgstr ("(?:[^"\\]|\\.)*+"(?:\n"(?:[^"\\]|\\.)*+")*+)\n?'
)
"""Nearly all entries: comments, a key, and one text on one or several lines."""
_ESCAPED: Final = re.compile(r"\\(.)")
_MEANT: Final = {"n": "\n", "t": "\t", "r": "\r"}
_PLURALS: Final = re.compile(r'^"Plural-Forms: nplurals=(\d+); plural=(.*?);?\\n"$', re.MULTILINE)


class Message(NamedTuple):
    """`forms`: the text, or its plural forms in order. A form without a translation is empty."""

    key: str
    forms: tuple[str, ...]
    is_plural: bool


class PoFile(NamedTuple):
    """`plural`: which form a number has, as an expression in C."""

    plural: str
    messages: list[Message]


def read(text: str, language: str) -> PoFile:
    """Messages that are marked as fuzzy are left out. Raises: ValueError, with the number of the line."""
    messages: list[Message] = []
    head = _PLURALS.search(text)
    count, plural = (int(head[1]), head[2]) if head else _usual(language)
    is_fuzzy = False
    fields: dict[str, str] = {}
    field = ""

    def end() -> None:
        if fields.get("msgid") and not is_fuzzy:
            is_plural = "msgid_plural" in fields
            names = [f"msgstr[{number}]" for number in range(count)] if is_plural else ["msgstr"]
            messages.append(Message(fields["msgid"], tuple(fields.get(name, "") for name in names), is_plural))
        fields.clear()

    begins = 1
    for entry in text.split("\n\n"):
        if not fields and not is_fuzzy and (found := _USUAL_ENTRY.fullmatch(entry)):
            if found[1]:  # without a key, it is the head
                messages.append(Message(found[1], (_unescaped(found[2][1:-1].replace('"\n"', "")),), False))
            begins += entry.count("\n") + 2
            continue
        lines = (*entry.split("\n"), "")
        for number, line in enumerate(lines, begins):
            line = line.strip()
            if not line or line[0] == "#" or line.startswith("msgid "):
                if "msgstr" in fields or "msgstr[0]" in fields:
                    end()
                    is_fuzzy = False
                if not line or line[0] == "#":
                    is_fuzzy = is_fuzzy or (line.startswith("#,") and "fuzzy" in line)
                    continue
            found = _LINE.fullmatch(line)
            name = found[1] or field if found else ""
            if found is None or not name or (found[1] and found[1] in fields) or (name != "msgid" and not fields):
                raise ValueError(f"line {number} of a catalogue cannot be read")
            fields[name] = fields.get(name, "") + _unescaped(found[3])
            field = name
        begins += len(lines)
    end()
    return PoFile(plural, messages)


def _unescaped(said: str) -> str:
    return _ESCAPED.sub(lambda escape: _MEANT.get(escape[1], escape[1]), said) if "\\" in said else said


def _usual(language: str) -> tuple[int, str]:
    """How many forms a language has, and which one a number has, for a file that does not say."""
    from babel.messages.plurals import get_plural

    count, plural, *_ = get_plural(language)
    return count, plural
