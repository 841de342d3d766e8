"""Turns a received rich message (`RichMessage`) into one that may be sent (`InputRichMessage`) and names nobody.

This is an allow-list, not a filter: formatting passes; links, mentions, addresses and unknown members are reduced to
their words. Blocks with files are not rebuilt, because file ids belong to one bot and file names to a person. A message
with such blocks may only be copied, and only if every member in it is known and nothing had to be left out. Source: Bot
API 10.3, RichBlock and InputRichBlock, RichText.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_FORMATTING = frozenset(
    {"bold", "italic", "underline", "strikethrough", "spoiler", "subscript", "superscript", "marked", "code"}
)

# type of a block: members that are rich text, members that are lists of blocks, members taken as they are
_BLOCKS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "paragraph": (("text",), (), ()),
    "heading": (("text",), (), ("size",)),
    "pre": (("text",), (), ("language",)),
    "footer": (("text",), (), ()),
    "divider": ((), (), ()),
    "mathematical_expression": ((), (), ("expression",)),
    "blockquote": (("credit",), ("blocks",), ()),
    "expandable_blockquote": (("text", "credit"), (), ()),
    "pullquote": (("text", "credit"), (), ()),
    "details": (("summary",), ("blocks",), ("is_open",)),
}
# Blocks with files.
_MEDIA = frozenset({"photo", "voice_note", "video", "animation", "audio", "document"})
_IN_FILE = frozenset(
    {"file_id", "file_unique_id", "file_size", "width", "height", "duration", "mime_type", "thumbnail"}
)
"""Members that a copied file may have. A name, a title or a performer is not among them."""


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _one_of(pattern: str) -> Callable[[Any], bool]:
    listed = re.compile(pattern)
    return lambda value: isinstance(value, str) and listed.fullmatch(value) is not None


_PLAIN: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("size", "value", "colspan", "rowspan"), _number),
    **dict.fromkeys(
        ("is_open", "has_checkbox", "is_checked", "is_bordered", "is_striped", "is_compact", "is_header"),
        lambda value: isinstance(value, bool),
    ),
    "language": _one_of(r"[\w+#.-][\w+#. -]{0,63}"),
    "expression": lambda value: isinstance(value, str),
    "type": _one_of(r"[1aAiI]"),
    "align": _one_of(r"left|center|right"),
    "valign": _one_of(r"top|middle|bottom"),
    "label": _one_of(r"[0-9a-zA-Z]{0,6}[.)]?|\W{1,2}"),
    "mime_type": _one_of(r"(?:image|audio|video)/[a-z0-9.+-]{1,40}"),
}
"""Members that are kept as they are, with their types: a string must be one of a list, or is read together with the
words."""
_NEEDED = {"size": 3, "expression": "…", "align": "left", "valign": "top"}
"""Replacements for members without which Telegram would refuse the message."""
_COMMANDS = re.compile(r"\\[a-zA-Z]{1,20}|[\\{}$^]")
"""Parts of a formula's source that are not visible when it is drawn."""
_READ = frozenset({"language", "expression"})


def read(message: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return all text that a reader sees, in order, and what may be done with the message.

    That is `rebuilt`, an InputRichMessage or None, and `copyable`: a copy would say no more than what passes here.
    """
    reader = _Reader()
    try:
        blocks = reader.blocks(message["blocks"])
        reader.knows(message, ("blocks", "is_rtl"))
    except (KeyError, TypeError, AttributeError, RecursionError):
        return "", {"rebuilt": None, "copyable": False}
    rebuilt: dict[str, Any] | None = None
    if not reader.holds_files and not reader.unknown:
        # Detection would turn bare words into links again. The sender's client has already marked the real ones.
        rebuilt = {"blocks": blocks, "skip_entity_detection": True}
        if message.get("is_rtl") is True:
            rebuilt["is_rtl"] = True
    words = "".join(reader.words).strip()
    return words, {"rebuilt": rebuilt, "copyable": not reader.reduced and not reader.unknown}


class _Reader:
    """One pass over a message. It notes what could not be taken over."""

    def __init__(self) -> None:
        self.reduced = False
        self.holds_files = False
        self.unknown = False
        self.words: list[str] = []

    def knows(self, of: Mapping[str, Any], members: Iterable[str]) -> None:
        """Note members that we do not know: a rebuilt message leaves them out, but a copy would show them."""
        if not of.keys() <= {"type", *members}:
            self.reduced = True

    def blocks(self, blocks: Iterable[Any]) -> list[dict[str, Any]]:
        return [self._block(block) for block in blocks]

    def _block(self, block: Mapping[str, Any]) -> dict[str, Any]:
        kind = block["type"]
        self.words.append("\n")
        rebuilt: dict[str, Any] = {"type": kind}
        if kind == "list":
            self.knows(block, ("items",))
            rebuilt["items"] = [self._item(item) for item in block["items"]]
        elif kind == "table":
            rebuilt |= self._table(block)
        elif kind in _BLOCKS:
            texts, nested, plain = _BLOCKS[kind]
            self.knows(block, (*texts, *nested, *plain))
            rebuilt.update((name, self._text(block[name])) for name in texts if name in block)
            rebuilt.update((name, self.blocks(block[name])) for name in nested if name in block)
            rebuilt.update(self._plain(block, plain))
        elif kind in _MEDIA:
            self._file(kind, block)
        else:
            self.unknown = True
        return rebuilt

    def _file(self, kind: str, block: Mapping[str, Any]) -> None:
        self.holds_files = True
        self.knows(block, (kind, "caption", "has_spoiler"))
        files = block[kind]
        for file in files if isinstance(files, list) else (files,):
            self._known_file(file)
            if "thumbnail" in file:
                self._known_file(file["thumbnail"])
        caption = block.get("caption", {})
        self.knows(caption, ("text", "credit"))
        for name in ("text", "credit"):
            self._text(caption.get(name, ""))

    def _known_file(self, file: Mapping[str, Any]) -> None:
        self.knows(file, _IN_FILE)
        if "type" in file or not _PLAIN["mime_type"](file.get("mime_type", "image/jpeg")):
            self.reduced = True

    def _item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        names = ("has_checkbox", "is_checked", "value", "type")
        self.knows(item, ("blocks", "label", *names))
        if not _PLAIN["label"](item.get("label", "")):
            self.reduced = True  # Telegram numbers the items of a rebuilt list by itself
        return {"blocks": self.blocks(item["blocks"]), **self._plain(item, names)}

    def _table(self, table: Mapping[str, Any]) -> dict[str, Any]:
        names = ("is_bordered", "is_striped", "is_compact")
        self.knows(table, ("cells", "caption", *names))
        rebuilt: dict[str, Any] = {"cells": [[self._cell(cell) for cell in row] for row in table["cells"]]}
        rebuilt |= self._plain(table, names)
        if "caption" in table:
            rebuilt["caption"] = self._text(table["caption"])
        return rebuilt

    def _cell(self, cell: Mapping[str, Any]) -> dict[str, Any]:
        names = ("is_header", "colspan", "rowspan", "align", "valign")
        self.knows(cell, ("text", *names))
        if "type" in cell:
            self.reduced = True
        rebuilt = self._plain(cell, names)
        if "text" in cell:
            self.words.append("\n")
            rebuilt["text"] = self._text(cell["text"])
        return rebuilt

    def _text(self, text: Any) -> Any:
        if isinstance(text, str):
            self.words.append(text)
            return text
        if isinstance(text, list):
            return [self._text(part) for part in text]
        kind = text["type"]
        if kind in _FORMATTING:
            self.knows(text, ("text",))
            return {"type": kind, "text": self._text(text["text"])}
        if kind == "mathematical_expression":
            self.knows(text, ("expression",))
            return {"type": kind, **self._plain(text, ("expression",))}
        self.reduced = True
        if kind == "custom_emoji":
            return self._text(str(text["alternative_text"]))
        return self._text(text.get("text", ""))

    def _plain(self, of: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """The members with the expected type. The others are left out, but their text is still read."""
        kept: dict[str, Any] = {}
        for name in names:
            if name not in of:
                continue
            if name in _READ:
                self.words.append(f" {of[name]}\n")
            if name == "expression":
                self.words.append(f" {_COMMANDS.sub('', str(of[name]))}\n")
            if not _PLAIN[name](of[name]):
                self.reduced = True
                if name in _NEEDED:
                    kept[name] = _NEEDED[name]
                continue
            kept[name] = of[name]
        return kept
