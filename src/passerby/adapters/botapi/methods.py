"""Makes the request for each kind of content: the method, and its own members."""

from collections.abc import Mapping
from typing import Any

from passerby.adapters.botapi.outgoing import captioned
from passerby.kernel.content import Content, Kind

# kind: method, the part for the file, the members of `detail` that are passed on
MEDIA: Mapping[Kind, tuple[str, str, tuple[str, ...]]] = {
    Kind.PHOTO: ("sendPhoto", "photo", ()),
    Kind.LIVE_PHOTO: ("sendLivePhoto", "live_photo", ()),
    Kind.VIDEO: ("sendVideo", "video", ("width", "height", "duration")),
    Kind.ANIMATION: ("sendAnimation", "animation", ("width", "height", "duration")),
    Kind.AUDIO: ("sendAudio", "audio", ("duration",)),
    Kind.VOICE: ("sendVoice", "voice", ("duration",)),
    Kind.VIDEO_NOTE: ("sendVideoNote", "video_note", ("duration", "length")),
    Kind.DOCUMENT: ("sendDocument", "document", ()),
    Kind.STICKER: ("sendSticker", "sticker", ()),
}
"""Audio is sent without title and performer: they may name a person."""

SMALL = frozenset({"photo", "sticker"})
"""Kinds whose files are never too large to move (source: telegram.org, limits of photos and stickers)."""

WRITTEN: Mapping[Kind, str] = {
    Kind.TEXT: "sendMessage",
    Kind.RICH: "sendRichMessage",
    Kind.DICE: "sendMessage",
    Kind.POLL: "sendPoll",
    Kind.VENUE: "sendVenue",
    Kind.LOCATION: "sendLocation",
    Kind.CONTACT: "sendContact",
    Kind.CHECKLIST: "sendMessage",
}
"""Kinds without a file, and the method that sends a new one."""

COPIED = frozenset({Kind.RICH})
"""The kind that a fleet of one bot copies, if it cannot be rebuilt (rich text with files) and nothing had to be
removed.

It is the only kind, because a copy also carries members that we did not read. For other kinds, sending a file by its id
costs no more.
"""

REWORDED: Mapping[Kind, str] = {
    Kind.TEXT: "editMessageText",
    Kind.CHECKLIST: "editMessageText",
    Kind.RICH: "editMessageText",
    Kind.LOCATION: "editMessageLiveLocation",
}
"""Kinds without a file whose edits are passed on, and the method."""

SHOWN = frozenset({Kind.PHOTO, Kind.LIVE_PHOTO, Kind.VIDEO, Kind.ANIMATION})
CAPTIONED = frozenset(MEDIA) - {Kind.STICKER, Kind.VIDEO_NOTE}
GROUPED = frozenset({Kind.PHOTO, Kind.LIVE_PHOTO, Kind.VIDEO, Kind.AUDIO, Kind.DOCUMENT})
"""The kinds that an album may contain (source: Bot API 10.3, sendMediaGroup)."""

EXCHANGEABLE = GROUPED | {Kind.ANIMATION}
"""The kinds that can replace other media (source: Bot API 10.3, InputMedia)."""


def moved(content: Content) -> dict[str, Any]:
    """Return where a location is now. A live one stays live. Proximity alerts stay between the sender and us."""
    return _only(content.detail or {}, "latitude", "longitude", "horizontal_accuracy", "heading", "live_period")


def media_members(content: Content) -> dict[str, Any]:
    """Return the members of a file's message, without the file and the common members."""
    _, _, passed_on = MEDIA[content.kind]
    detail = content.detail or {}
    members: dict[str, Any] = {name: detail[name] for name in passed_on if name in detail}
    if content.kind in CAPTIONED:
        members |= captioned(content, shown=content.kind in SHOWN)
    if content.kind is Kind.VIDEO:
        members["supports_streaming"] = True
    if content.kind is Kind.DOCUMENT:
        # Otherwise a GIF sent as a file arrives as an animation.
        members["disable_content_type_detection"] = True
    return members


def fileless(content: Content) -> dict[str, Any] | None:
    """Return the members for the method in WRITTEN of a kind without a file. None if it cannot be rebuilt."""
    detail = content.detail or {}
    match content.kind:
        case Kind.CHECKLIST:
            return {"text": content.text}
        case Kind.DICE:
            # A new dice would roll again, and the two people would see different numbers.
            return {"text": f"{detail['emoji']} {detail['value']}"}
        case Kind.POLL:
            return _poll(detail)
        case Kind.VENUE:
            place = detail["location"]
            members = {name: value for name, value in detail.items() if name != "location"}
            return members | {"latitude": place["latitude"], "longitude": place["longitude"]}
        case Kind.LOCATION:
            return moved(content)
        case Kind.CONTACT:
            return _only(detail, "phone_number", "first_name", "last_name")
        case Kind.RICH if detail.get("rebuilt"):
            return {"rich_message": detail["rebuilt"]}
    return None


def _poll(detail: Mapping[str, Any]) -> dict[str, Any]:
    members = _only(
        detail, "question", "question_entities", "options", "allows_multiple_answers", "open_period", "description"
    )
    members["is_anonymous"] = True
    # Telegram tells the right answer of a quiz only to its author and to voters. Without it we cannot make a quiz.
    if detail.get("type") == "quiz" and detail.get("correct_option_ids"):
        members |= {"type": "quiz"} | _only(detail, "correct_option_ids", "explanation")
    return members


def _only(detail: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: detail[name] for name in names if name in detail}
