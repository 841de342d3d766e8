"""Removes everything that may not be passed on from one stranger to another.

Every relay goes through `sanitise`. Decoding has already left out everything beside the content that names the sender
(forward origin, via-bot, external reply, the target of a `text_mention`). This module removes things inside the content
that point to a person: mentions without a visible name, and links that open a profile.

Tables list the kinds that are never passed on, and the kinds that would tell who or where their sender is.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
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
"""Entities that are passed on, and the members that each may have besides its position."""

FOUND_ANEW = frozenset({"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"})
"""Types that everybody can read in the text. They are not passed on, because Telegram finds them again by itself, and
they are harmless in a copy. Types that are neither here nor in KEPT (a `text_mention`, or a future type) could reveal
somebody in a copy."""

# Looking a member up in its class costs as much as a call of a function, and every relay asks.
_POLL: Final = Kind.POLL
_RICH: Final = Kind.RICH

REFUSED = {
    Kind.GAME: "chat.refused_game",
    Kind.STORY: "chat.refused_story",
    Kind.PAID_MEDIA: "chat.refused_paid",
    Kind.INVOICE: "chat.refused_paid",
    Kind.GIVEAWAY: "chat.refused_service",
    Kind.SERVICE: "chat.refused_service",
    Kind.UNKNOWN: "chat.refused_unknown",
}
"""Kinds that are never passed on, and the text that their sender gets. Telegram refuses to copy most of them; a story
names its author."""

REVEALS_SENDER = frozenset({Kind.CONTACT, Kind.LOCATION, Kind.VENUE})
"""Kinds that tell who or where somebody is. They are passed on only after their sender has confirmed it."""

INSIDE = (
    ("chat.inside_picture", ("image/", "video/")),
    ("chat.inside_sound", ("audio/",)),
    ("chat.inside_paper", ("application/pdf", "application/msword", "application/rtf", "application/vnd.")),
)
"""File types that contain more than they show, and the text that says so."""


def refusal(content: Content) -> str | None:
    """The text key for why this is never passed on. None if it may be passed on."""
    if content.kind is _POLL and (content.detail or {}).get("has_media"):
        return "chat.refused_poll_media"
    return REFUSED.get(content.kind)


def warning(content: Content) -> str | None:
    """The text key for a warning to the sender of a file that is passed on unchanged. None if there is nothing to say.

    Telegram removes place and camera from photos and videos, but not if they are sent as files. It does not touch the
    tags of a song or the author's name in a document.
    """
    kind = content.kind
    if kind is Kind.AUDIO:
        return "chat.inside_sound"
    if kind is not Kind.DOCUMENT or content.file is None:
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
"""Links that open a profile: all of Telegram's own, in any spelling (`name.t.me` is one, without a path). Behind other
words they are a hidden mention. Written out, they are the sender's choice."""

_NO_PART = re.compile(r"[\s\x00-\x20\x7f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufe00-\ufe0f\ufeff]")
"""Characters that a browser ignores in an address, or that nobody sees in it."""

_UNQUOTINGS = 3
"""How many times an address is unquoted: `%2574` becomes `%74`, which becomes `t`."""

_LONGEST_LINK = 2_048
"""In characters. Browsers and servers accept no more (source: sitemaps.org), so a longer link is dropped."""


_LINKS_READ = 131_072
"""How much of a message's links is read: a hundred links of 1,300 characters each, or of 160 that are not ASCII. If
there is more, nobody needs to know where the links lead."""
_RICH_READ = 262_144
"""The same for the strings of a rich message: 32,768 characters in any script (source: Bot API 10.3, RichMessage)."""
_HEAVY = 8
"""A character that is not ASCII counts as this many: each is normalised alone, and may expand to eighteen others."""


def opens_profile(url: str) -> bool:
    """Whether a link leads to somebody's account when read as a browser would read it. If in doubt, it does."""
    if len(url) > _LONGEST_LINK:
        return True
    for _ in range(_UNQUOTINGS):
        # Character by character, because normalising the whole would sort runs of combining marks, in quadratic time.
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
"""The allowed values of members that clients fill in, because a sender could put anything into them (source: Bot API
10.3, MessageEntity). There is no list of languages, so those are also searched for traces."""

_EFFECT = re.compile(r"[0-9]{1,20}")
_SAYING = tuple(name for name in Entity.__struct_fields__ if name not in ("type", "offset", "length"))


class Clean(msgspec.Struct, frozen=True):
    """Content that may be passed on. `intact`: nothing was removed, so the original contains nothing else either."""

    content: Content
    intact: bool


def _bare_all(entities: Iterable[Entity]) -> list[Entity | None]:
    """Each entity after `_bare`. If the links are too long to read, all of them are left out."""
    entities = tuple(entities)
    readable = _are_readable(entity.url for entity in entities if entity.type == "text_link" and entity.url)
    return [_bare(entity) if readable or entity.type != "text_link" else None for entity in entities]


def _bare(entity: Entity) -> Entity | None:
    """The entity with only the members of its type. None if it may not be passed on."""
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


def bare_entities(entities: Collection[Entity]) -> tuple[Entity, ...]:
    """The entities that may be passed on, each with only the members of its type."""
    return tuple([kept for kept in _bare_all(entities) if kept is not None]) if entities else ()


def sanitise(content: Content) -> Clean:
    """Remove everything that would reveal the sender or a third person."""
    entities, intact = content.entities, True
    if entities:
        cleaned = _bare_all(entities)
        kept = tuple(entity for entity in cleaned if entity is not None)
        intact = all(
            clean is entity or (clean is None and entity.type in FOUND_ANEW)
            for entity, clean in zip(entities, cleaned, strict=True)
        )
        if kept != entities:
            content = msgspec.structs.replace(content, entities=kept)
    if content.kind is _RICH and not _innocent(content.detail):
        intact = False
    if content.effect is not None and not _EFFECT.fullmatch(content.effect):
        content, intact = msgspec.structs.replace(content, effect=None), False
    return Clean(content, intact)


def without_words(content: Content) -> Content:
    """The same content without its caption."""
    return msgspec.structs.replace(content, text="", entities=())


def _innocent(value: Any) -> bool:
    """Whether a tree of rich text contains no user and no profile link, at any depth. A tree that is too long to read
    may contain one."""
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
