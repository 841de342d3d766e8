"""What a message carries, free of who wrote it.

`Content` is all that a relay may pass on. Whatever of Telegram's message names a person (sender, forward origin,
via-bot, external reply) never gets in here, so nothing downstream can let it out. Contacts and places are content that
a person may choose to show; the chat feature decides on them.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec


class Kind(StrEnum):
    """All that a person can send. Values are the Bot API's own field names (source: Bot API 10.3, Message)."""

    TEXT = "text"
    RICH = "rich_message"
    PHOTO = "photo"
    LIVE_PHOTO = "live_photo"
    VIDEO = "video"
    VIDEO_NOTE = "video_note"
    ANIMATION = "animation"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"
    DICE = "dice"
    POLL = "poll"
    VENUE = "venue"
    LOCATION = "location"
    CONTACT = "contact"
    GAME = "game"
    STORY = "story"
    CHECKLIST = "checklist"
    PAID_MEDIA = "paid_media"
    INVOICE = "invoice"
    GIVEAWAY = "giveaway"
    SERVICE = "service"
    UNKNOWN = "unknown"


Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A number of Telegram's. They all fit; one that does not could be neither stored nor sent."""


class Entity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A stretch of formatted text. Offsets and lengths in UTF-16 units (source: Bot API, MessageEntity).

    There is no `user` here on purpose: a `text_mention` arrives as a type without its target.
    """

    type: str
    offset: Whole
    length: Whole
    url: str | None = None
    language: str | None = None
    custom_emoji_id: str | None = None
    unix_time: Whole | None = None
    date_time_format: str | None = None


class File(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A file as the bot that received it knows it.

    `file_id` works for that bot alone; `unique` is the same for every bot but cannot fetch. `size` in bytes, 0 when
    Telegram does not tell. `name` is the sender's own name for it: it may tell who they are and is never passed on.
    """

    file_id: str
    unique: str
    size: int = 0
    name: str | None = None
    mime: str | None = None


class Content(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The content of one message.

    `text` is the text or the caption (of rich text, its words), `entities` belong to it. `group` is Telegram's album
    id, unique enough within one sender. `detail` holds the fields of the kinds that have no file (dice, poll, venue,
    location, contact, rich text, sticker set name, durations, sizes), by the Bot API's names.
    """

    kind: Kind
    text: str = ""
    entities: tuple[Entity, ...] = ()
    file: File | None = None
    spoiler: bool = False
    caption_above: bool = False
    protected: bool = False
    effect: str | None = None
    group: str | None = None
    detail: dict[str, Any] | None = None
