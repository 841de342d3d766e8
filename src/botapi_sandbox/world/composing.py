"""Builds a person's message: adds the fields that a client may leave out, and refuses what no client can send."""

from __future__ import annotations

from typing import Any

from botapi_sandbox.world import polls
from botapi_sandbox.world.answers import Json, Refusal, Upload
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.files import default_details
from botapi_sandbox.world.media import media_fields
from botapi_sandbox.world.sending import DICE_FACES
from botapi_sandbox.world.state import Bot, FileRecord
from botapi_sandbox.world.text import MOST_CAPTION, MOST_PREMIUM_CAPTION, MOST_TEXT, formatted
from botapi_sandbox.world.values import Mismatch

FILE_KINDS = (
    "photo", "video", "animation", "audio", "voice", "video_note", "document", "sticker", "live_photo",
)  # fmt: skip
_DETAILS = (
    "width",
    "height",
    "duration",
    "length",
    "performer",
    "title",
    "emoji",
    "set_name",
    "custom_emoji_id",
    "type",
)
_TINY = {
    "photo": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x03 \x00\x00\x02X\x08\x06\x00\x00\x00",
}
"""The default bytes of a file: the header of an 800x600 picture."""


class CannotDo(Exception):
    """A phone does not offer this. The text says why."""


class Composer:
    """Completes and checks what people send. Each world has one, in `Phones`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def check(self, content: Json) -> None:
        """Raises: CannotDo, if no message can have this content."""
        probe = {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}, **content}
        try:
            self._backend.schema.emissions.verify(probe, "Message")
        except Mismatch as mismatch:
            raise CannotDo(f"no client can send that: {mismatch}") from None

    def add(self, kind: str, upload: Upload, details: Json, size: int | None = None) -> FileRecord:
        """Store a person's file. Raises: CannotDo."""
        try:
            known = default_details(kind, upload, details)
        except Refusal as refusal:
            raise CannotDo(refusal.description) from None
        return self._backend.files.add(kind, upload, known, self._backend.switches.file_bytes_kept, size=size)

    def completed(self, bot: Bot, content: Json, *, premium: bool = False) -> Json:
        """The content with everything that the sandbox decides: entities, files, dice, polls."""
        content = dict(content)
        if "text" in content:
            self.put_text(content, "text", "entities", content["text"], content.get("entities"))
            if not content["text"]:
                raise CannotDo("an empty text cannot be sent")
        if content.get("caption"):
            given = content.get("caption_entities")
            self.put_text(content, "caption", "caption_entities", content["caption"], given, premium=premium)
        for kind in reversed(FILE_KINDS):
            if kind in content and not _has_file_id(content[kind]):
                content |= self._made_up(bot, kind, content[kind])
        if "dice" in content:
            emoji = content["dice"].get("emoji", "🎲").rstrip("\ufe0f")
            faces = DICE_FACES.get(emoji)
            if faces is None:
                raise CannotDo(f"{emoji} is not a dice emoji")
            content["dice"] = {
                "emoji": emoji,
                "value": content["dice"].get("value") or self._backend.rng.randint(1, faces),
            }
        if "poll" in content and "id" not in content["poll"]:
            given = content["poll"]
            texts: list[tuple[str, list[Json]]] = [
                (option if isinstance(option, str) else option["text"], []) for option in given["options"]
            ]
            made = polls.fresh(self._backend.rng.getrandbits(62), given["question"], texts)
            content["poll"] = {**made, **{k: v for k, v in given.items() if k not in ("options", "question")}}
        if "venue" in content:
            content.setdefault("location", content["venue"].get("location"))
        return content

    def _made_up(self, bot: Bot, kind: str, described: Any) -> Json:
        """The fields of a file that is only described."""
        wish: Json = described if isinstance(described, dict) else {}
        known = wish.get("file_unique_id")
        record = next(
            (each for each in self._backend.state.files.values() if self._backend.files.unique_id(each) == known), None
        )  # fmt: skip
        if record is None:
            details = {name: wish[name] for name in _DETAILS if name in wish}
            name = wish.get("file_name") or kind
            data = _TINY.get(kind, b"sandbox %s %d" % (kind.encode(), self._backend.state.next_file_number))
            size = wish.get("file_size")
            record = self.add(kind, Upload(data, name, wish.get("mime_type", "")), details, size)
        return media_fields(kind, self._backend.files.describe(bot, record))

    def put_text(
        self,
        content: Json,
        name: str,
        entities_name: str,
        text: str,
        entities: list[Json] | None,
        *,
        premium: bool = False,
    ) -> None:
        """Put a text and its entities into `content`, as Telegram stores them. Raises: CannotDo."""

        def anybody(user_id: int) -> Json | None:
            person = self._backend.state.people.get(user_id)
            return person.user() if person is not None else None

        most, what = MOST_TEXT, "message"
        if name == "caption":
            most, what = MOST_PREMIUM_CAPTION if premium else MOST_CAPTION, "message caption"
        try:
            settled, found = formatted(text, None, entities, anybody, most, what)
        except Refusal as refusal:
            raise CannotDo(refusal.description) from None
        content[name] = settled
        content.pop(entities_name, None)
        if found:
            content[entities_name] = found


def _has_file_id(described: Any) -> bool:
    if isinstance(described, list):
        return bool(described) and "file_id" in described[0]
    return isinstance(described, dict) and "file_id" in described
