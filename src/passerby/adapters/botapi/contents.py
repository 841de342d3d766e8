"""Turns the content of Telegram's messages into the kernel's `Content`.

Whatever names a person stays behind: a contact's user id, and formatting in polls other than custom emoji.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from passerby.adapters.botapi import rich, wire
from passerby.kernel.content import Content, Entity, File, Kind

_TEXT: Final = Kind.TEXT  # to look it up in its class costs as much as a call
_EMOJI_ID = re.compile(r"[0-9]{1,20}")
_Parts = tuple[Kind, File | None, dict[str, Any] | None]


def content(message: wire.UsualMessage) -> Content:
    """Return what the message contains.

    Order matters where Telegram sets two fields for one content: a live photo also has `photo`, an animation also
    `document`, a venue also `location` (source: Bot API 10.3, Message).
    """
    if message.text is not None and message.rich_message is None:
        return Content(
            kind=_TEXT,
            text=message.text,
            entities=message.entities,
            protected=message.has_protected_content,
            effect=message.effect_id,
        )
    if message.checklist is not None:
        return Content(
            kind=Kind.CHECKLIST,
            text=_written_out(message.checklist),
            protected=message.has_protected_content,
            effect=message.effect_id,
        )
    if message.rich_message is not None:
        words, rich_detail = rich.read(message.rich_message)
        return Content(
            kind=Kind.RICH,
            text=words,
            protected=message.has_protected_content,
            effect=message.effect_id,
            detail=rich_detail,
        )
    kind, file, detail = _kind(message)
    return Content(
        kind=kind,
        text=message.caption or "",
        entities=message.caption_entities,
        file=file,
        spoiler=message.has_media_spoiler,
        caption_above=message.show_caption_above_media,
        protected=message.has_protected_content,
        effect=message.effect_id,
        group=message.media_group_id,
        detail=detail,
    )


def _kind(m: wire.UsualMessage) -> _Parts:
    for kind, media, fields in (
        (Kind.LIVE_PHOTO, m.live_photo, ("width", "height", "duration")),
        (Kind.ANIMATION, m.animation, ("width", "height", "duration")),
        (Kind.VIDEO, m.video, ("width", "height", "duration")),
        (Kind.VOICE, m.voice, ("duration",)),
        (Kind.VIDEO_NOTE, m.video_note, ("duration", "length")),
        (Kind.AUDIO, m.audio, ("duration",)),
        (Kind.DOCUMENT, m.document, ()),
    ):
        if media is not None:
            detail: dict[str, Any] = {name: value for name in fields if (value := getattr(media, name))}
            if kind is Kind.LIVE_PHOTO and (still := media.photo or m.photo):
                detail["photo"] = msgspec.to_builtins(_file(_largest(still)))
            return kind, _file(media), detail or None
    if m.photo:
        return Kind.PHOTO, _file(_largest(m.photo)), None
    if m.sticker is not None:
        return Kind.STICKER, _sticker_file(m.sticker), _sticker_detail(m.sticker)
    return _fileless(m)


def _fileless(m: wire.UsualMessage) -> _Parts:
    if m.dice is not None:
        return Kind.DICE, None, {"emoji": m.dice.emoji, "value": m.dice.value}
    if m.poll is not None:
        return Kind.POLL, None, _poll_detail(m.poll)
    if m.venue is not None:
        return Kind.VENUE, None, _sent_members(m.venue) | {"location": _sent_members(m.venue.location)}
    if m.location is not None:
        return Kind.LOCATION, None, _sent_members(m.location)
    if m.contact is not None:
        return Kind.CONTACT, None, _sent_members(m.contact)
    for kind, present in (
        (Kind.GAME, m.game),
        (Kind.STORY, m.story),
        (Kind.PAID_MEDIA, m.paid_media),
        (Kind.INVOICE, m.invoice),
        (Kind.GIVEAWAY, m.giveaway or m.giveaway_winners),
    ):
        if present is not None:
            return kind, None, None
    if isinstance(m, wire.Message) and any(getattr(m, name) for name in wire.SERVICE_FIELDS):
        return Kind.SERVICE, None, None
    return Kind.UNKNOWN, None, None


def _largest(sizes: Sequence[wire.Media]) -> wire.Media:
    return max(sizes, key=lambda size: size.width * size.height)


def _file(media: wire.Media) -> File:
    return File(media.file_id, media.file_unique_id, media.file_size, media.file_name, media.mime_type)


def _sticker_file(sticker: wire.Sticker) -> File:
    return File(sticker.file_id, sticker.file_unique_id, sticker.file_size)


def _sticker_detail(sticker: wire.Sticker) -> dict[str, Any]:
    form = "animated" if sticker.is_animated else "video" if sticker.is_video else "static"
    detail = {"format": form, "set_name": sticker.set_name, "emoji": sticker.emoji}
    return {name: value for name, value in detail.items() if value is not None}


def _poll_detail(poll: wire.Poll) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "question": poll.question,
        "question_entities": _emoji_only(poll.question_entities),
        "options": [
            {"text": option.text, "text_entities": _emoji_only(option.text_entities)} for option in poll.options
        ],
        "type": poll.type,
        "allows_multiple_answers": poll.allows_multiple_answers,
        "correct_option_ids": list(poll.correct_option_ids),
        "explanation": poll.explanation,
        "open_period": poll.open_period,
        "description": poll.description,
        "has_media": any((poll.media, poll.explanation_media, *(option.media for option in poll.options))),
    }
    return {name: value for name, value in detail.items() if value not in (None, [], False)}


def _written_out(checklist: wire.Checklist) -> str:
    """Return a checklist as text, because bots cannot send one. Ticks stay; the names of who ticked do not."""
    lines = (
        f"{'☑' if task.completed_by_user or task.completed_by_chat or task.completion_date else '☐'} {task.text}"
        for task in checklist.tasks
    )
    return "\n".join((checklist.title, *lines))


def _emoji_only(entities: Sequence[Entity]) -> list[dict[str, Any]]:
    """Keep only custom emoji: Telegram allows nothing else here, and other entities could name somebody."""
    return [
        {name: getattr(entity, name) for name in ("type", "offset", "length", "custom_emoji_id")}
        for entity in entities
        if entity.type == "custom_emoji" and _EMOJI_ID.fullmatch(entity.custom_emoji_id or "")
    ]


def _sent_members(struct: msgspec.Struct) -> dict[str, Any]:
    """Return the members that Telegram sent, by name."""
    return {name: value for name, value in msgspec.structs.asdict(struct).items() if value is not None}
