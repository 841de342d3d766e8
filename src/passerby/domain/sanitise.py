"""What may pass from one stranger to another.

Every relay goes through `sanitise`. Decoding has already left out whatever names the sender beside the content (forward
origin, via-bot, external reply, the target of a `text_mention`); here go the things inside the content that point at a
person: mentions without a visible name, and links that open somebody's profile.

The kinds that can never be passed on, and those that would tell who or where their sender is, are tables.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from passerby.kernel.content import Content, Entity, Kind

KEPT: Mapping[str, tuple[str, ...]] = {
    "bold": (),
    "italic": (),
    "underline": (),
    "strikethrough": (),
    "spoiler": (),
    "blockquote": (),
    "expandable_blockquote": (),
    "code": (),
    "pre": ("language",),
    "text_link": ("url",),
    "custom_emoji": ("custom_emoji_id",),
    "date_time": ("unix_time", "date_time_format"),
}
"""Entities passed on, and what each may say beside where it stands."""

FOUND_ANEW = frozenset({"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"})
"""What stands in the text for everybody to read: not passed on, because Telegram finds it again by itself, and harmless
in a copy. Whatever is neither here nor in KEPT (a `text_mention`, a type yet to come) could unmask somebody in one."""

REFUSED = {
    Kind.GAME: "chat.refused_game",
    Kind.STORY: "chat.refused_story",
    Kind.PAID_MEDIA: "chat.refused_paid",
    Kind.INVOICE: "chat.refused_paid",
    Kind.GIVEAWAY: "chat.refused_service",
    Kind.SERVICE: "chat.refused_service",
    Kind.UNKNOWN: "chat.refused_unknown",
}
"""What is never passed on, and the sentence that its sender gets. Telegram refuses to copy most of these; a story names
its author."""

REVEALS_SENDER = frozenset({Kind.CONTACT, Kind.LOCATION, Kind.VENUE})
"""What tells who or where somebody is: passed on only after its sender has confirmed it."""

INSIDE = (
    ("chat.inside_picture", ("image/", "video/")),
    ("chat.inside_sound", ("audio/",)),
    ("chat.inside_paper", ("application/pdf", "application/msword", "application/rtf", "application/vnd.")),
)
"""Types of files that carry more than they show, and the sentence that says so."""


def refusal(content: Content) -> str | None:
    """The text key that says why this is never passed on; None if it may be."""
    if content.kind is Kind.POLL and (content.detail or {}).get("has_media"):
        return "chat.refused_poll_media"
    return REFUSED.get(content.kind)


def warning(content: Content) -> str | None:
    """The text key for what its sender should know of a file that goes as it is; None if there is nothing to say.

    Telegram takes place and camera out of photos and videos, but not of the same sent as files; it does not touch the
    tags of a song, nor the author's name in a document.
    """
    if content.kind is Kind.AUDIO:
        return "chat.inside_sound"
    if content.kind is not Kind.DOCUMENT or content.file is None:
        return None
    mime = (content.file.mime or "").lower()
    return next((key for key, types in INSIDE if mime.startswith(types)), None)


_USER_LINK = re.compile(
    r"""
    \A (?: (tg|tonsite):
    | ((https?|ftp):)? /* ([^/?#]*@)?         # with or without a scheme, whoever logs in
      ( ([\w-]+\.)* (t\.me | tx\.me | telegram\.(me|dog) | telesco\.pe) | web[a-z]?\.telegram\.org
      | (www\.)? fragment\.com/+(username|number) )
      \.? (?![\w.-]) )
    """,
    re.VERBOSE,
)
"""Links that open a profile: any of Telegram's own, in any spelling (`name.t.me` is one, without a path). Behind other
words they are a hidden mention; written out they are the sender's choice."""

_NO_PART = re.compile(r"[\s\x00-\x20\x7f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufe00-\ufe0f\ufeff]")
"""What a browser leaves out of an address, or nobody sees in it."""

_UNQUOTINGS = 3
"""How often an address is unquoted: `%2574` is `%74` is `t`."""

_LONGEST_LINK = 2_048
"""In characters. Browsers and servers accept no more (source: sitemaps.org), so a longer link is dropped."""


_LINKS_READ = 131_072
"""How much of its links is read in one message: a hundred of 1,300 characters each, or of 160 that are not ASCII. Of
more together nobody needs to know where they lead."""
_RICH_READ = 262_144
"""The same of the strings of a rich message: 32,768 characters in any script (source: Bot API 10.3, RichMessage)."""
_HEAVY = 8
"""A character that is not ASCII counts for so many: each is composed alone, and may stand for eighteen others."""


def opens_profile(url: str) -> bool:
    """Whether a link leads to somebody's account, once it is read as a browser would read it; if in doubt, it does."""
    if len(url) > _LONGEST_LINK:
        return True
    for _ in range(_UNQUOTINGS):
        # Character by character: normalising the whole would sort runs of combining marks, in quadratic time.
        composed = url if url.isascii() else "".join(unicodedata.normalize("NFKC", sign) for sign in url)
        read = _NO_PART.sub("", composed).lower()
        if _USER_LINK.match(read.replace("\\", "/").replace("。", ".").replace("｡", ".")):
            return True
        unquoted = unquote(url)
        if unquoted == url:
            return False
        url = unquoted
    return True


def _are_readable(links: Iterable[str]) -> bool:
    """Whether the links of a message are few and short enough to find out where they lead."""
    return sum(map(_weight, links)) <= _LINKS_READ


def _weight(link: str) -> int:
    size = min(len(link), _LONGEST_LINK)
    return size if link.isascii() else size * _HEAVY


SAID: Mapping[str, re.Pattern[str]] = {
    "language": re.compile(r"[\w+#.-][\w+#. -]{0,63}"),
    "custom_emoji_id": re.compile(r"[0-9]{1,20}"),
    "date_time_format": re.compile(r"r|w?[dD]?[tT]?"),
}
"""What a member may say, where clients fill it in and a sender could put in anything (source: Bot API 10.3,
MessageEntity; for languages there is no list, so they are looked through as words are, too)."""

_EFFECT = re.compile(r"[0-9]{1,20}")
_SAYING = tuple(name for name in Entity.__struct_fields__ if name not in ("type", "offset", "length"))


class Clean(msgspec.Struct, frozen=True):
    """Content that may be passed on. `intact`: nothing was taken away, so the original holds nothing else either."""

    content: Content
    intact: bool


def _bare_all(entities: Iterable[Entity]) -> list[Entity | None]:
    """Each as `_bare` has it. Links that are too much to read are all left out."""
    entities = tuple(entities)
    readable = _are_readable(entity.url for entity in entities if entity.type == "text_link" and entity.url)
    return [_bare(entity) if readable or entity.type != "text_link" else None for entity in entities]


def _bare(entity: Entity) -> Entity | None:
    """The entity with nothing but what its type calls for; None if it may not be passed on."""
    said = KEPT.get(entity.type)
    if said is None or (entity.type == "text_link" and (entity.url is None or opens_profile(entity.url))):
        return None
    told = {name: value for name in _SAYING if (value := getattr(entity, name)) is not None}
    bare = {name: value for name, value in told.items() if name in said and _may_say(name, value)}
    if len(bare) == len(told):
        return entity
    if said and not bare and "language" not in said:
        return None  # Telegram would refuse it without this member
    return Entity(entity.type, entity.offset, entity.length, **bare)


def _may_say(name: str, value: Any) -> bool:
    return name not in SAID or SAID[name].fullmatch(value) is not None


def bare_entities(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """The entities that may be passed on, with nothing but what their types call for."""
    return tuple(kept for kept in _bare_all(entities) if kept is not None)


def sanitise(content: Content) -> Clean:
    """Take away what would unmask the sender or a third person."""
    entities = content.entities
    cleaned = _bare_all(entities) if entities else []
    kept = tuple(entity for entity in cleaned if entity is not None)
    intact = all(
        clean is entity or (clean is None and entity.type in FOUND_ANEW)
        for entity, clean in zip(entities, cleaned, strict=True)
    )
    if content.kind is Kind.RICH and not _innocent(content.detail):
        intact = False
    if kept != entities:
        content = msgspec.structs.replace(content, entities=kept)
    if content.effect is not None and not _EFFECT.fullmatch(content.effect):
        content, intact = msgspec.structs.replace(content, effect=None), False
    return Clean(content, intact)


def without_words(content: Content) -> Content:
    """The same without its caption."""
    return msgspec.structs.replace(content, text="", entities=())


def _innocent(value: Any) -> bool:
    """Whether a tree of rich text holds no user and no profile link, at any depth. Too much to read may hold one."""
    pending = [value]
    left = _RICH_READ
    while pending:
        node = pending.pop()
        match node:
            case dict():
                if "user" in node or node.get("type") == "text_mention":
                    return False
                pending.extend(node.values())
            case list() | tuple():
                pending.extend(node)
            case str():
                left -= _weight(node)
                if left < 0 or opens_profile(node[:_LONGEST_LINK]):
                    return False
    return True
