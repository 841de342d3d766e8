"""Rich messages: what arrives (`RichMessage`) made into what may be sent (`InputRichMessage`), naming nobody.

An allow-list, not a filter: formatting passes; of a link, a mention, an address or anything unknown only the words do.
Blocks that hold files are not written anew, since file ids belong to one bot and file names to a person: a message with
such blocks may only be copied, and only if nothing in it had to be left out.
Source: Bot API 10.3, RichBlock and InputRichBlock, RichText.
"""

from collections.abc import Iterable, Mapping
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
# Blocks with files, and whether the file object could hold a name, a title or a performer.
_MEDIA = {"photo": False, "voice_note": False, "video": True, "animation": True, "audio": True, "document": True}
_NAMES = ("file_name", "title", "performer")


def read(message: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the words alone, as they are read, and what becomes of the message.

    That is `anew`, an InputRichMessage or None, and `copyable`: a copy would say no more than what passes here.
    """
    reader = _Reader()
    try:
        blocks = reader.blocks(message["blocks"])
    except (KeyError, TypeError, AttributeError, RecursionError):
        return "", {"anew": None, "copyable": False}
    anew: dict[str, Any] | None = None
    if not reader.holds_files and not reader.unknown:
        # Detection would make links of bare words again; the sender's client has marked what was meant to be one.
        anew = {"blocks": blocks, "skip_entity_detection": True}
        if message.get("is_rtl"):
            anew["is_rtl"] = True
    words = "".join(reader.words).strip()
    return words, {"anew": anew, "copyable": not reader.reduced and not reader.unknown}


class _Reader:
    """One pass over a message, noting what could not be taken over."""

    def __init__(self) -> None:
        self.reduced = False
        self.holds_files = False
        self.unknown = False
        self.words: list[str] = []

    def blocks(self, blocks: Iterable[Any]) -> list[dict[str, Any]]:
        return [self._block(block) for block in blocks]

    def _block(self, block: Mapping[str, Any]) -> dict[str, Any]:
        kind = block["type"]
        self.words.append("\n")
        anew: dict[str, Any] = {"type": kind}
        if kind == "list":
            anew["items"] = [self._item(item) for item in block["items"]]
        elif kind == "table":
            anew |= self._table(block)
        elif kind in _BLOCKS:
            texts, nested, plain = _BLOCKS[kind]
            anew.update((name, self._text(block[name])) for name in texts if name in block)
            anew.update((name, self.blocks(block[name])) for name in nested if name in block)
            anew.update(_plain(block, plain))
        elif kind in _MEDIA:
            self._file(kind, block)
        else:
            self.unknown = True
        return anew

    def _file(self, kind: str, block: Mapping[str, Any]) -> None:
        self.holds_files = True
        if _MEDIA[kind] and any(name in block[kind] for name in _NAMES):
            self.reduced = True
        caption = block.get("caption", {})
        for name in ("text", "credit"):
            self._text(caption.get(name, ""))

    def _item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        plain = _plain(item, ("has_checkbox", "is_checked", "value", "type"))
        return {"blocks": self.blocks(item["blocks"]), **plain}

    def _table(self, table: Mapping[str, Any]) -> dict[str, Any]:
        anew: dict[str, Any] = {"cells": [[self._cell(cell) for cell in row] for row in table["cells"]]}
        anew |= _plain(table, ("is_bordered", "is_striped", "is_compact"))
        if "caption" in table:
            anew["caption"] = self._text(table["caption"])
        return anew

    def _cell(self, cell: Mapping[str, Any]) -> dict[str, Any]:
        anew = _plain(cell, ("is_header", "colspan", "rowspan", "align", "valign"))
        if "text" in cell:
            self.words.append("\n")
            anew["text"] = self._text(cell["text"])
        return anew

    def _text(self, text: Any) -> Any:
        if isinstance(text, str):
            self.words.append(text)
            return text
        if isinstance(text, list):
            return [self._text(part) for part in text]
        kind = text["type"]
        if kind in _FORMATTING:
            return {"type": kind, "text": self._text(text["text"])}
        if kind == "mathematical_expression":
            return {"type": kind, "expression": str(text["expression"])}
        self.reduced = True
        if kind == "custom_emoji":
            return str(text["alternative_text"])
        return self._text(text.get("text", ""))


def _plain(of: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: of[name] for name in names if _is_plain(of.get(name))}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and -(2**63) <= value < 2**63)
