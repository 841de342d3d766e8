"""Files: their data, their ids, their download paths, and the limits on their size.

A `file_id` belongs to one bot. It is signed for that bot, so the id of another bot is refused without a table. A
`file_unique_id` is the same for every bot, but it can neither download nor send the file.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import random
import struct
from typing import Literal

from botapi_sandbox.world.answers import Json, Upload, bad_request
from botapi_sandbox.world.state import Bot, FileRecord, State

FileKind = Literal[
    "photo", "video", "animation", "audio", "voice", "video_note", "document", "sticker", "live_photo", "thumbnail"
]
MOST_DOWNLOAD = 20 * 2**20
MOST_UPLOAD = 50 * 2**20
MOST_PHOTO = 10 * 2**20
MOST_PHOTO_SIDES = 10_000
MOST_PHOTO_RATIO = 20
PHOTO_SIDES = (90, 320, 800, 1280)
"""The longer sides of the smaller versions that Telegram makes of a photo."""

_PREFIXES = {
    "photo": "AgACAgIAAx", "video": "BAACAgIAAx", "animation": "CgACAgIAAx", "audio": "CQACAgIAAx",
    "voice": "AwACAgIAAx",
    "video_note": "DQACAgIAAx", "document": "BQACAgIAAx", "sticker": "CAACAgIAAx", "live_photo": "BBACAgIAAx",
    "thumbnail": "AAMCAgADGQ",
}  # fmt: skip
_FOLDERS = {
    "photo": "photos", "video": "videos", "animation": "animations", "audio": "music", "voice": "voice",
    "video_note": "video_notes", "document": "documents", "sticker": "stickers", "live_photo": "videos",
    "thumbnail": "thumbnails",
}  # fmt: skip
_MIMES = {
    "photo": "image/jpeg", "video": "video/mp4", "animation": "video/mp4", "audio": "audio/mpeg", "voice": "audio/ogg",
    "video_note": "video/mp4", "document": "application/octet-stream", "sticker": "image/webp",
    "live_photo": "video/mp4",
}  # fmt: skip
_TD_NAMES = {
    "photo": "Photo", "video": "Video", "animation": "Animation", "audio": "Audio", "voice": "VoiceNote",
    "video_note": "VideoNote", "document": "Document", "sticker": "Sticker", "live_photo": "Video",
    "thumbnail": "Thumbnail",
}  # fmt: skip
_INTERCHANGEABLE = (
    {"document", "video", "animation", "audio", "live_photo"},
)  # fmt: skip
_UNIQUE_BYTES = 12


class Files:
    """The files of a world: records are in its state, bytes are here. Above a limit, the oldest bytes are dropped."""

    def __init__(self, state: State, rng: random.Random) -> None:
        self._state = state
        self._rng = rng
        self._key = hashlib.blake2b(f"files:{state.seed}".encode()).digest()[:32]
        self.blobs: dict[str, bytes] = {}
        self.bytes_held = 0

    def add(self, kind: str, upload: Upload, details: Json, most_bytes: int, *, size: int | None = None) -> FileRecord:
        """Store a file. `size` says another size than the bytes have, for tests of limits."""
        blob = hashlib.sha256(upload.data).hexdigest()
        if blob not in self.blobs:
            self.blobs[blob] = upload.data
            self.bytes_held += len(upload.data)
            self._forget_beyond(most_bytes)
        size = len(upload.data) if size is None else size
        record = self._record(kind, size, blob, upload, details)
        if kind in ("photo", "live_photo"):
            width, height = record.details["width"], record.details["height"]
            for side in PHOTO_SIDES:
                if side < max(width, height):
                    scale = side / max(width, height)
                    small = {"width": max(1, round(width * scale)), "height": max(1, round(height * scale))}
                    record.sizes.append(self._record("photo", size, blob, upload, small))
            if kind == "live_photo":
                record.sizes.append(self._record("photo", size, blob, upload, {"width": width, "height": height}))
        return record

    def restore(self, blob: str, data: bytes) -> None:
        """Restore the bytes of a file after a restart."""
        self.blobs[blob] = data
        self.bytes_held += len(data)

    def _record(self, kind: str, size: int, blob: str, upload: Upload, details: Json) -> FileRecord:
        unique = self._rng.randbytes(_UNIQUE_BYTES)
        record = FileRecord(
            unique=base64.urlsafe_b64encode(unique).decode(),
            kind=kind,
            size=size,
            blob=blob,
            number=self._state.next_file_number,
            name=None
            if kind in ("photo", "sticker", "voice", "video_note", "live_photo", "thumbnail")
            else upload.name,
            mime=upload.mime or mimetypes.guess_type(upload.name)[0] or _MIMES.get(kind),
            details=details,
        )
        self._state.next_file_number += 1
        self._state.files[record.unique] = record
        return record

    def _forget_beyond(self, most_bytes: int) -> None:
        while self.bytes_held > most_bytes and len(self.blobs) > 1:
            oldest = next(iter(self.blobs))
            self.bytes_held -= len(self.blobs.pop(oldest))

    def file_id(self, bot: Bot, record: FileRecord) -> str:
        """The id with which only this bot may use the file."""
        unique = base64.urlsafe_b64decode(record.unique)
        seal = self._seal(bot.id, unique)
        hidden = bytes(a ^ b for a, b in zip(unique, seal, strict=False))
        return _PREFIXES[record.kind] + base64.urlsafe_b64encode(seal + hidden).decode().rstrip("=")

    def find(self, bot: Bot, file_id: str) -> FileRecord | None:
        """The file with this bot's `file_id`. None if the id belongs to another bot or is invalid."""
        try:
            raw = base64.urlsafe_b64decode(file_id[10:] + "=" * (-len(file_id[10:]) % 4))
        except ValueError:
            return None
        seal, hidden = raw[:24], raw[24:]
        if len(hidden) != _UNIQUE_BYTES:
            return None
        unique = bytes(a ^ b for a, b in zip(hidden, seal, strict=False))
        record = self._state.files.get(base64.urlsafe_b64encode(unique).decode())
        if record is None or self._seal(bot.id, unique) != seal or not file_id.startswith(_PREFIXES[record.kind]):
            return None
        return record

    def _seal(self, bot_id: int, unique: bytes) -> bytes:
        return hashlib.blake2b(b"%d:%b" % (bot_id, unique), key=self._key, digest_size=24).digest()

    def unique_id(self, record: FileRecord) -> str:
        """The id that is the same for all bots."""
        return f"AgAD{record.unique}"

    def path(self, record: FileRecord) -> str:
        """The download path under /file/bot<token>/."""
        ending = mimetypes.guess_extension(record.mime or "") or ""
        if record.name and "." in record.name:
            ending = "." + record.name.rsplit(".", 1)[1]
        return f"{_FOLDERS[record.kind]}/file_{record.number}{ending}"

    def describe(self, bot: Bot, record: FileRecord) -> Json | list[Json]:
        """The Bot API object for this file: PhotoSize list, Video, Voice, Sticker ..."""
        if record.kind == "photo":
            return [self._named(bot, size, "width", "height") for size in [*record.sizes, record]]
        if record.kind == "live_photo":
            described = self._named(bot, record, "width", "height", "duration", "mime_type")
            described["photo"] = [self._named(bot, size, "width", "height") for size in record.sizes]
            return described
        described = self._named(bot, record, *_DETAILS[record.kind])
        if record.kind == "sticker":
            described["type"] = record.details.get("type", "regular")
            described["is_animated"] = record.mime == "application/x-tgsticker"
            described["is_video"] = record.mime == "video/webm"
        return described

    def _named(self, bot: Bot, record: FileRecord, *details: str) -> Json:
        named: Json = {"file_id": self.file_id(bot, record), "file_unique_id": self.unique_id(record)}
        known = {**record.details, "file_name": record.name, "mime_type": record.mime}
        for detail in details:
            value = known.get(detail)
            if value is not None:
                named[detail] = value
        named["file_size"] = record.size
        return named


_DETAILS = {
    "video": ("width", "height", "duration", "file_name", "mime_type"),
    "animation": ("width", "height", "duration", "file_name", "mime_type"),
    "audio": ("duration", "performer", "title", "file_name", "mime_type"),
    "voice": ("duration", "mime_type"),
    "video_note": ("length", "duration"),
    "document": ("file_name", "mime_type"),
    "sticker": ("width", "height", "emoji", "set_name", "custom_emoji_id"),
    "thumbnail": ("width", "height"),
}


def check_usable_as(record: FileRecord, kind: str) -> None:
    """Check that the file may be sent as `kind`: only related kinds can replace each other. Raises: Refusal."""
    if record.kind == kind or any(record.kind in family and kind in family for family in _INTERCHANGEABLE):
        return
    raise bad_request(f"can't use file of type {_TD_NAMES[record.kind]} as {_TD_NAMES[kind]}")


def default_details(kind: str, upload: Upload, given: Json) -> Json:
    """The details of a new upload: the given ones, else those in the file's header, else plausible ones.

    Raises: Refusal, for a photo that Telegram does not accept.
    """
    details = {key: value for key, value in given.items() if value is not None}
    if kind in ("photo", "live_photo", "video", "animation", "sticker", "thumbnail"):
        fallback = {"photo": (800, 600), "sticker": (512, 512)}.get(kind, (640, 360))
        width, height = image_size(upload.data) or fallback
        details.setdefault("width", width)
        details.setdefault("height", height)
    if kind in ("video", "animation", "audio", "voice", "video_note", "live_photo"):
        details.setdefault("duration", 1)
    if kind == "video_note":
        details.setdefault("length", 240)
    if kind == "photo":
        check_photo(upload, details["width"], details["height"])
    return details


def check_photo(upload: Upload, width: int, height: int) -> None:
    """Raises: Refusal, if the photo is too large or too narrow."""
    size = len(upload.data)
    if size > MOST_PHOTO:
        raise bad_request(f"file of size {size} bytes is too big for a photo; the maximum size is {MOST_PHOTO} bytes")
    if width + height > MOST_PHOTO_SIDES or max(width, height) > MOST_PHOTO_RATIO * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the header of a PNG, GIF, WebP or JPEG, or None."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp_size(data)
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 < len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None
