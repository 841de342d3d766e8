"""Parses HTML, MarkdownV2 and (roughly) the legacy Markdown into text and entities, with Telegram's error texts.

Byte offsets in the errors are offsets in UTF-8, as in tdlib/td `MessageEntity.cpp` (`parse_html`,
`parse_markdown_v2`). The entities are unsorted and unchecked; `text.settle` corrects them.
"""

from __future__ import annotations

import html
import re

from botapi_sandbox.world.answers import Json, Refusal, bad_request
from botapi_sandbox.world.values import utf16_len

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[^<>]*?)?)\s*(/?)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));")
_HTML_TYPES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler", "code": "code",
    "pre": "pre", "a": "text_link", "span": "spoiler", "blockquote": "blockquote", "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}  # fmt: skip
_USER_LINK = re.compile(r"tg://user\?id=(\d+)\Z")


def _parse_error(what: str) -> Refusal:
    return bad_request(f"can't parse entities: {what}")


def _byte_offset(source: str, index: int) -> int:
    return len(source[:index].encode())


def link(url: str, begin: int, length: int) -> Json | None:
    """A text_link, or a text_mention for tg://user?id=. None if the URL is invalid."""
    user = _USER_LINK.match(url)
    if user:
        return {"type": "text_mention", "offset": begin, "length": length, "user": {"id": int(user[1])}}
    if not re.match(r"[a-z][a-z0-9+.-]*:|[^\s/]+\.[^\s/]+", url, re.IGNORECASE):
        return None
    if "://" not in url and not url.startswith(("mailto:", "tel:")):
        url = f"http://{url}"
    if re.fullmatch(r"https?://[^/]+", url):
        url += "/"
    return {"type": "text_link", "offset": begin, "length": length, "url": url}


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Raises: Refusal "can't parse entities: ..."."""
    parts: list[str] = []
    entities: list[Json] = []
    opened: list[tuple[str, Json, int]] = []
    size = position = 0

    def write(chunk: str) -> None:
        nonlocal size
        parts.append(chunk)
        size += utf16_len(chunk)

    while position < len(source):
        character = source[position]
        if character == "&":
            match = _ENTITY.match(source, position)
            write(html.unescape(match[0]) if match else "&")
            position = match.end() if match else position + 1
        elif character != "<":
            end = min(
                (i for i in (source.find("<", position), source.find("&", position)) if i >= 0), default=len(source)
            )
            write(source[position:end])
            position = end
        else:
            tag = _TAG.match(source, position)
            offset = _byte_offset(source, position)
            if tag is None:
                raise _parse_error(_why_no_tag(source, position, offset))
            name = tag[2].lower()
            if not tag[1]:
                if name not in _HTML_TYPES:
                    raise _parse_error(f'Unsupported start tag "{name}" at byte offset {offset}')
                opened.append((name, _start(name, tag[3], offset), size))
            else:
                _close(name, offset, opened, entities, "".join(parts), size)
            position = tag.end()
    if opened:
        raise _parse_error(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return "".join(parts), entities


def _why_no_tag(source: str, position: int, offset: int) -> str:
    if source.startswith("</", position):
        name = re.match(r"</([^\s>]*)", source[position:])
        return (
            f"Unexpected end tag at byte offset {offset}"
            if name is None
            else f"Unclosed end tag at byte offset {offset}"
        )
    name = re.match(r"<([^\s>/]*)", source[position:])
    if ">" not in source[position:]:
        return f"Unclosed start tag at byte offset {offset}"
    return f'Unsupported start tag "{name[1].lower() if name else ""}" at byte offset {offset}'


def _start(name: str, attributes: str, offset: int) -> Json:
    values = {m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(attributes)}
    if name == "span" and values.get("class") != "tg-spoiler":
        raise _parse_error(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    if name == "tg-emoji" and not values.get("emoji-id", "").isdigit():
        raise _parse_error("Invalid custom emoji identifier specified")
    if name == "tg-time" and not values.get("unix", "").lstrip("-").isdigit():
        raise _parse_error("Invalid date-time specified")
    return values


def _close(
    name: str, offset: int, opened: list[tuple[str, Json, int]], entities: list[Json], text: str, size: int
) -> None:
    if not opened:
        raise _parse_error(f"Unexpected end tag at byte offset {offset}")
    expected, values, begin = opened.pop()
    if expected != name:
        raise _parse_error(f'Unmatched end tag at byte offset {offset}, expected "</{expected}>", found "</{name}>"')
    length = size - begin
    if length <= 0:
        return
    entity: Json | None = {"type": _HTML_TYPES[name], "offset": begin, "length": length}
    if name == "a":
        raw = text.encode("utf-16-le")[2 * begin : 2 * size]
        entity = link(values.get("href") or raw.decode("utf-16-le"), begin, length)
    elif name == "tg-emoji":
        entity = {**(entity or {}), "custom_emoji_id": values["emoji-id"]}
    elif name == "tg-time":
        entity = {**(entity or {}), "unix_time": int(values["unix"])}
        if values.get("format"):
            entity["date_time_format"] = values["format"]
    elif name == "blockquote" and "expandable" in values:
        entity = {**(entity or {}), "type": "expandable_blockquote"}
    elif name == "code" and opened and opened[-1][0] == "pre" and values.get("class", "").startswith("language-"):
        opened[-1][1]["language"] = values["class"].removeprefix("language-")
        return
    elif name == "pre" and "language" in values:
        entity = {**(entity or {}), "language": values["language"]}
    if entity is not None:
        entities.append(entity)


_V2_RESERVED = "_*[]()~`>#+-=|{}.!"
_V2_NAMES = {
    "*": ("bold", "Bold"), "_": ("italic", "Italic"), "__": ("underline", "Underline"),
    "~": ("strikethrough", "Strikethrough"), "||": ("spoiler", "Spoiler"), "`": ("code", "Code"), "```": ("pre", "Pre"),
    "[": ("text_link", "TextUrl"), "![": ("custom_emoji", "CustomEmoji"),
}  # fmt: skip


def parse_markdown_v2(source: str) -> tuple[str, list[Json]]:
    """Raises: Refusal "can't parse entities: ..."."""
    parts: list[str] = []
    entities: list[Json] = []
    opened: list[tuple[str, int, int, int]] = []
    size = position = 0
    quote_begin = -1
    language: str | None = None
    line_begins = True

    def write(chunk: str) -> None:
        nonlocal size
        parts.append(chunk)
        size += utf16_len(chunk)

    while position < len(source):
        character = source[position]
        verbatim = bool(opened) and opened[-1][0] in ("`", "```")
        if line_begins and character == ">" and not verbatim:
            quote_begin = size if quote_begin < 0 else quote_begin
            position += 1
            line_begins = False
            continue
        if line_begins and quote_begin >= 0 and not verbatim:
            entities.append({"type": "blockquote", "offset": quote_begin, "length": size - quote_begin})
            quote_begin = -1
        line_begins = False
        if character == "\\" and position + 1 < len(source) and 0 < ord(source[position + 1]) <= 126:
            write(source[position + 1])
            position += 2
            continue
        mark = _v2_mark(source, position, opened[-1][0] if opened else "")
        if verbatim and (mark != opened[-1][0]):
            write(character)
            position += 1
            continue
        if mark == "]":
            position, entity = _v2_link_end(source, position, opened.pop(), size)
            if entity is not None:
                entities.append(entity)
        elif mark and opened and opened[-1][0] == mark:
            _, begin, _, _ = opened.pop()
            position += len(mark)
            if size > begin:
                entity = {"type": _V2_NAMES[mark][0], "offset": begin, "length": size - begin}
                if mark == "```" and language:
                    entity["language"] = language
                entities.append(entity)
        elif mark and mark != "]":
            opened.append((mark, size, position, 0))
            position += len(mark)
            if mark == "```":
                fence = re.match(r"([^\s`]*)\n", source[position:])
                language = fence[1] if fence else None
                position += fence.end() if fence else 0
        elif character in _V2_RESERVED:
            raise _parse_error(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")
        else:
            write(character)
            position += 1
            line_begins = character == "\n"
    if opened:
        mark, _, at, _ = opened[-1]
        raise _parse_error(f"Can't find end of {_V2_NAMES[mark][1]} entity at byte offset {_byte_offset(source, at)}")
    if quote_begin >= 0:
        entities.append({"type": "blockquote", "offset": quote_begin, "length": size - quote_begin})
    return "".join(parts), entities


def _v2_mark(source: str, position: int, innermost: str) -> str:
    for mark in ("```", "||", "__", "![", "*", "_", "~", "`", "["):
        if source.startswith(mark, position):
            # If italic is the innermost style, "___" ends italic first and then underline.
            return "_" if mark == "__" and innermost == "_" else mark
    return "]" if source[position] == "]" and innermost in ("[", "![") else ""


def _v2_link_end(source: str, position: int, start: tuple[str, int, int, int], size: int) -> tuple[int, Json | None]:
    mark, begin, at, _ = start
    position += 1
    target = re.match(r"\(((?:\\.|[^)\\])*)\)", source[position:])
    if target is None:
        if mark == "![":
            raise _parse_error("Custom emoji entity must contain a tg://emoji URL")
        if source.startswith("(", position):
            raise _parse_error(f"Can't find end of a URL at byte offset {_byte_offset(source, position)}")
        return position, link(source[at + 1 : position - 1], begin, size - begin)
    url = re.sub(r"\\(.)", r"\1", target[1])
    position += target.end()
    if mark == "![":
        emoji = re.match(r"tg://emoji\?id=(\d+)\Z", url)
        if emoji is None:
            raise _parse_error("Custom emoji URL must have an emoji identifier")
        entity: Json = {"type": "custom_emoji", "offset": begin, "length": size - begin, "custom_emoji_id": emoji[1]}
        return position, entity
    return position, link(url, begin, size - begin)


_OLD_MARK = re.compile(r"```(?:(\w+)\n)?(.*?)```|([*_`])(.*?)\3|\[([^\]]*)\]\(([^)]*)\)|\\([_*`\[])", re.DOTALL)
_OLD_TYPES = {"*": "bold", "_": "italic", "`": "code"}


def parse_markdown(source: str) -> tuple[str, list[Json]]:
    """The legacy mode, without nesting. Raises: Refusal, if a mark never ends."""
    text = ""
    entities: list[Json] = []
    position = 0
    for match in _OLD_MARK.finditer(source):
        text += _old_plain(source, position, match.start())
        begin = utf16_len(text)
        language, pre, mark, inner, label, url, escaped = match.groups()
        chunk = next(part for part in (pre, inner, label, escaped) if part is not None)
        text += chunk
        entity: Json | None = {"offset": begin, "length": utf16_len(chunk)}
        if pre is not None:
            entity = {"type": "pre", **(entity or {}), **({"language": language} if language else {})}
        elif mark is not None:
            entity = {"type": _OLD_TYPES[mark], **(entity or {})}
        elif label is not None:
            entity = link(url, begin, utf16_len(chunk))
        else:
            entity = None
        if entity is not None:
            entities.append(entity)
        position = match.end()
    return text + _old_plain(source, position, len(source)), entities


def _old_plain(source: str, begin: int, end: int) -> str:
    chunk = source[begin:end]
    lost = re.search(r"[*_`]|\[(?=[^\]]*\]\()", chunk)
    if lost:
        offset = _byte_offset(source, begin + lost.start())
        raise _parse_error(f"Can't find end of the entity starting at byte offset {offset}")
    return chunk
