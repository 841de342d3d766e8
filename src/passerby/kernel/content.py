"""The content of a message, without its writer.

`Content` is everything that a relay may pass on. The parts of a Telegram message that name a person (sender, forward
origin, via-bot, external reply) are never stored in it, so no later code can leak them. Contacts and places are content
that a person may choose to show; the chat feature decides about them.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec


class Kind(StrEnum):
    """Everything that a person can send. The values are the Bot API's own field names (source: Bot API 10.3,
    Message)."""

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
"""A number from Telegram. All real ones fit. A larger number could be neither stored nor sent."""


class Entity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A range of formatted text. Offset and length are in UTF-16 units (source: Bot API, MessageEntity).

    There is no `user` field on purpose: a `text_mention` arrives as a type without its target.
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
    """A file, as the bot that received it knows it.

    `file_id` works only for that bot. `unique` is the same for every bot, but files cannot be fetched by it. `size` is
    in bytes, 0 if Telegram does not say. `name` is the sender's own file name: it may show who they are, and is never
    passed on.
    """

    file_id: str
    unique: str
    size: int = 0
    name: str | None = None
    mime: str | None = None


class Content(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The content of one message.

    `text` is the text or the caption; for rich text, its words. `entities` belong to it. `group` is Telegram's album
    id, unique among one sender's albums. `detail` holds the fields of kinds without a file (dice, poll, venue,
    location, contact, rich text, sticker set name, durations, sizes), under the Bot API's names.
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
