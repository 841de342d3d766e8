"""Rich messages: what arrives (`RichMessage`) made into what may be sent (`InputRichMessage`), naming nobody.

An allow-list, not a filter: formatting passes, a link, a mention, an address or anything unknown leaves only its text.
Blocks that hold files are not rebuilt, since file ids belong to one bot and file names to a person: such a message
travels by `copyMessage` or not at all. Source: Bot API 10.3, RichBlock and InputRichBlock, RichText.
"""

from collections.abc import Mapping
from typing import Any

_FORMATTING = frozenset(
    {"bold", "italic", "underline", "strikethrough", "spoiler", "subscript", "superscript", "marked", "code"}
)

# type of a block: members that are rich text, members that are blocks, members taken as they are
_BLOCKS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "paragraph": (("text",), (), ()),
    "heading": (("text",), (), ("size",)),
    "section_heading": (("text",), (), ("size",)),
    "preformatted": (("text",), (), ("language",)),
    "pre": (("text",), (), ("language",)),
    "footer": (("text",), (), ()),
    "divider": ((), (), ()),
    "mathematical_expression": ((), (), ("expression",)),
    "block_quotation": (("credit",), ("blocks",), ()),
    "blockquote": (("credit",), ("blocks",), ()),
    "expandable_block_quotation": (("text", "credit"), (), ()),
    "pull_quotation": (("text", "credit"), (), ()),
    "pullquote": (("text", "credit"), (), ()),
    "details": (("summary",), ("blocks",), ("is_open",)),
}


class _NotRebuildable(Exception):
    pass


def rebuilt(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an `InputRichMessage`, or None where the message holds blocks that cannot be written anew."""
    try:
        blocks = _blocks(message.get("blocks"))
    except _NotRebuildable:
        return None
    # Detection would make links and mentions of bare text again; the sender's client has marked what it wanted.
    again: dict[str, Any] = {"blocks": blocks, "skip_entity_detection": True}
    if message.get("is_rtl"):
        again["is_rtl"] = True
    return again


def _blocks(blocks: object) -> list[dict[str, Any]]:
    if not isinstance(blocks, list) or not blocks:
        raise _NotRebuildable
    return [_block(block) for block in blocks]


def _block(block: object) -> dict[str, Any]:
    if not isinstance(block, dict):
        raise _NotRebuildable
    kind = block.get("type")
    again: dict[str, Any] = {"type": kind}
    if kind == "list":
        again["items"] = [_item(item) for item in block.get("items", ())]
        return again
    if kind == "table":
        return again | _table(block)
    if not isinstance(kind, str) or kind not in _BLOCKS:
        raise _NotRebuildable
    texts, nested, plain = _BLOCKS[kind]
    again.update((name, _text(block[name])) for name in texts if name in block)
    again.update((name, _blocks(block[name])) for name in nested if name in block)
    again.update((name, block[name]) for name in plain if isinstance(block.get(name), str | int))
    return again


def _item(item: Any) -> dict[str, Any]:
    again: dict[str, Any] = {"blocks": _blocks(item.get("blocks"))}
    again.update(
        (name, item[name])
        for name in ("has_checkbox", "is_checked", "value", "type")
        if isinstance(item.get(name), str | int)
    )
    return again


def _table(table: Mapping[str, Any]) -> dict[str, Any]:
    again: dict[str, Any] = {"cells": [[_cell(cell) for cell in row] for row in table.get("cells", ())]}
    again.update((name, True) for name in ("is_bordered", "is_striped", "is_compact") if table.get(name))
    if "caption" in table:
        again["caption"] = _text(table["caption"])
    return again


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    again = {
        name: cell[name]
        for name in ("is_header", "colspan", "rowspan", "align", "valign")
        if isinstance(cell.get(name), str | int)
    }
    if "text" in cell:
        again["text"] = _text(cell["text"])
    return again


def _text(text: object) -> Any:
    """Return rich text with its formatting; of everything else only the words."""
    if isinstance(text, str):
        return text
    if isinstance(text, list):
        return [_text(part) for part in text]
    if not isinstance(text, dict):
        return ""
    kind = text.get("type")
    if kind in _FORMATTING:
        return {"type": kind, "text": _text(text.get("text", ""))}
    if kind == "mathematical_expression":
        return {"type": kind, "expression": str(text.get("expression", ""))}
    if kind == "custom_emoji":
        return str(text.get("alternative_text", ""))
    return _text(text.get("text", ""))
