"""Text and its entities as Telegram stores them: trimmed, invalid entities dropped, overlaps split, links and commands
found.

Offsets and lengths count UTF-16 code units. `markup` parses HTML and MarkdownV2.
Sources: tdlib/td `MessageEntity.cpp` (`fix_formatted_text`), tdlib/telegram-bot-api `get_formatted_text`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from botapi_sandbox.world.answers import Json, bad_request
from botapi_sandbox.world.markup import parse_html, parse_markdown, parse_markdown_v2
from botapi_sandbox.world.values import utf16_len

MOST_TEXT = 4096
MOST_CAPTION = 1024
MOST_PREMIUM_CAPTION = 4096
MOST_ENTITIES = 100

FOUND_BY_TELEGRAM = frozenset(
    {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"}
)
_WITHOUT_INNER = frozenset({"code", "pre"})
_STYLES = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"})
_NEEDS = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id", "date_time": "unix_time"}
_ENTITY_TYPES = _STYLES | _WITHOUT_INNER | _NEEDS.keys()

_URL_TAIL = r"[^\s<>\"]*[^\s<>\".,;:!?)\]}']"
_URL = re.compile(
    rf"(?:https?://|tg://){_URL_TAIL}"
    rf"|(?<![@\w.])(?:[a-z0-9-]+\.)+(?:com|org|net|me|io|dev|app|info)\b(?:/(?:{_URL_TAIL})?)?",
    re.IGNORECASE,
)
"""Links with a scheme, and host names in a few well-known domains. Telegram knows all domains."""
_FINDERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("url", _URL),
    ("email", re.compile(r"(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)),
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z]\w{2,31})?(?![\w/])")),
    ("mention", re.compile(r"(?<![\w@])@[A-Za-z]\w{2,31}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#&])#(?=\w*[^\W\d])\w{1,256}")),
    ("cashtag", re.compile(r"(?<![\w$])\$[A-Z]{3,8}(?!\w)")),
    ("phone_number", re.compile(r"(?<![\w+])\+\d[\d ()-]{6,18}\d(?!\w)")),
)  # fmt: skip
_WORTH_SEARCHING = re.compile(r"[@/#$+]|\.\w")
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\u200e\u200f\u202a-\u202e\u2028\u2029]")

KnownUser = Callable[[int], Json | None]


def formatted(
    text: str, parse_mode: str | None, entities: list[Json] | None, known_user: KnownUser, most: int, what: str
) -> tuple[str, list[Json]]:
    """The text and entities that the message will have.

    `what` is "message" or "message caption", for the error. Raises: Refusal, with Telegram's texts.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    if parse_mode:
        text, given = _parse(text, parse_mode)
    else:
        given = [_readable(entity) for entity in entities or () if entity["type"] not in FOUND_BY_TELEGRAM]
    text, kept = settle(text, given, known_user)
    if len(text) > most // 2 and utf16_len(text) > most:
        raise bad_request("message is too long" if what == "message" else f"{what} is too long")
    return text, kept


def settle(text: str, entities: list[Json], known_user: KnownUser) -> tuple[str, list[Json]]:
    """Clean and trim the text, fit the entities to it, and add the entities that Telegram finds by itself."""
    if not entities and text.isascii() and text.isprintable() and text[:1] != " " and text[-1:] != " ":
        return text, found(text, []) if _WORTH_SEARCHING.search(text) else []
    text = _HIDDEN.sub(lambda match: " " if match[0] != "\r" else "", text)
    shift = utf16_len(text[: len(text) - len(text.lstrip())])
    text = text.strip()
    size = utf16_len(text)
    fitted = []
    for entity in entities:
        begin, end = max(0, entity["offset"] - shift), min(size, entity["offset"] + entity["length"] - shift)
        if begin < end and entity["length"] > 0 and entity["offset"] >= 0:
            whole = _completed(entity, known_user)
            if whole is not None:
                fitted.append({**whole, "offset": begin, "length": end - begin})
    fitted = _without_overlaps(fitted)[:MOST_ENTITIES]
    if _WORTH_SEARCHING.search(text):
        links = found(text, fitted)
        fitted = sorted([*_cut_at(fitted, links), *links], key=_place)
    return text, fitted


def found(text: str, among: list[Json]) -> list[Json]:
    """The links, commands, mentions ... in `text` that do not overlap code or links in `among`."""
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in among
        if entity["type"] not in _STYLES
    ]  # fmt: skip
    results = []
    for kind, finder in _FINDERS:
        for match in finder.finditer(text):
            begin = utf16_len(text[: match.start()])
            length = utf16_len(match[0])
            if all(end <= begin or begin + length <= start for start, end in taken):
                taken.append((begin, begin + length))
                results.append({"type": kind, "offset": begin, "length": length})
    return sorted(results, key=_place)


def _cut_at(entities: list[Json], links: list[Json]) -> list[Json]:
    """Split styles at the borders of links, so that all entities are nested."""
    pieces = []
    for entity in entities:
        begin, end = entity["offset"], entity["offset"] + entity["length"]
        cuts = {begin, end}
        for link in links if entity["type"] in _STYLES else ():
            first, last = link["offset"], link["offset"] + link["length"]
            if first < begin < last < end:
                cuts.add(last)
            elif begin < first < end < last:
                cuts.add(first)
        borders = sorted(cuts)
        pieces += [{**entity, "offset": a, "length": b - a} for a, b in itertools.pairwise(borders)]
    return pieces


def slice_utf16(text: str, offset: int, length: int) -> str:
    """The part of `text` that an entity covers."""
    if text.isascii():
        return text[offset : offset + length]
    raw = text.encode("utf-16-le")
    return raw[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")


def _parse(text: str, parse_mode: str) -> tuple[str, list[Json]]:
    match parse_mode.lower():
        case "html":
            return parse_html(text)
        case "markdownv2":
            return parse_markdown_v2(text)
        case "markdown":
            return parse_markdown(text)
        case "none" | "":
            return text, []
    raise bad_request("unsupported parse_mode")


def _readable(entity: Json) -> Json:
    kind = entity["type"]
    if kind not in _ENTITY_TYPES:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    needed = _NEEDS.get(kind)
    if needed is not None and needed not in entity:
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{needed}\"")
    return entity


def _completed(entity: Json, known_user: KnownUser) -> Json | None:
    """The entity with its missing fields. None for a mention of somebody the bot cannot see; the text stays."""
    if entity["type"] != "text_mention":
        return entity
    user = known_user(int(entity["user"]["id"]))
    return None if user is None else {**entity, "user": user}


def _place(entity: Json) -> tuple[int, int]:
    return entity["offset"], -entity["length"]


def _without_overlaps(entities: list[Json]) -> list[Json]:
    """Split entities that cross another one's border, and drop entities inside code. The result is sorted."""
    pending = sorted(entities, key=_place, reverse=True)
    done: list[Json] = []
    while pending:
        entity = pending.pop()
        begin, end = entity["offset"], entity["offset"] + entity["length"]
        outer = next((o for o in reversed(done) if o["offset"] <= begin < o["offset"] + o["length"]), None)
        if outer is None:
            done.append(entity)
            continue
        border = outer["offset"] + outer["length"]
        if end > border:
            rest = {**entity, "offset": border, "length": end - border}
            pending = sorted([*pending, rest], key=_place, reverse=True)
            entity = {**entity, "length": border - begin}
        if outer["type"] not in _WITHOUT_INNER and (outer["type"], _place(outer)) != (entity["type"], _place(entity)):
            done.append(entity)
    return sorted(done, key=_place)
