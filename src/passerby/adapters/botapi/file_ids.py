"""Finds the file of a message that is meant, and its id for the recipient's bot.

A piece is one file of a message. Its ids are remembered under a key: `unique`, or `renamed:` + `unique` for a file that
must not be sent by its own id, because that would show the sender's name for it (see `safe_filenames`).
"""

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from passerby.adapters.botapi.client import Answer, Client, encode
from passerby.adapters.botapi.errors import Rejected
from passerby.adapters.botapi.files import FileCache
from passerby.adapters.botapi.methods import MEDIA
from passerby.adapters.botapi.safe_filenames import name_and_type, names_somebody
from passerby.adapters.botapi.wire import Media, Sticker
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.ids import BotId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import SendContent

_RENAMED = "renamed:"


class Piece(Struct, frozen=True, gc=False):
    """One file of a message. `own` is its id if the recipient's bot also received it, and may use the id."""

    part: str
    key: str
    file: File
    name: str
    mime: str
    own: str | None = None
    sticker_set: str | None = None


def pieces(content_call: SendContent, content: Content) -> tuple[Piece, ...]:
    """Return the files of a message, the main one first; a live photo has two."""
    assert content.file is not None
    _, part, _ = MEDIA[content.kind]
    detail = content.detail or {}
    name, mime = name_and_type(content)
    hidden = names_somebody(content)
    at_home = content_call.bot == content_call.source_bot
    main = Piece(
        part=part,
        key=_RENAMED + content.file.unique if hidden else content.file.unique,
        file=content.file,
        name=name,
        mime=mime,
        own=content.file.file_id if at_home and not hidden else None,
        sticker_set=detail.get("set_name") if content.kind is Kind.STICKER else None,
    )
    if content.kind is not Kind.LIVE_PHOTO or "photo" not in detail:
        return (main,)
    still = msgspec.convert(detail["photo"], File)
    own = still.file_id if at_home else None
    return main, Piece(part="photo", key=still.unique, file=still, name="photo.jpg", mime="image/jpeg", own=own)


class Received(Struct):
    """The members of a message that we sent in which we find the ids of its files."""

    message_id: int
    photo: tuple[Media, ...] = ()
    live_photo: Media | None = None
    video: Media | None = None
    animation: Media | None = None
    audio: Media | None = None
    voice: Media | None = None
    video_note: Media | None = None
    document: Media | None = None
    sticker: Sticker | None = None

    def file_id(self, part: str) -> str | None:
        """Return the id of the file that was sent as `part`; None if Telegram converted it to another kind."""
        if part == "photo":
            sizes = self.live_photo.photo if self.live_photo and self.live_photo.photo else self.photo
            return max(sizes, key=lambda size: size.width * size.height).file_id if sizes else None
        media: Media | Sticker | None = getattr(self, part)
        return media.file_id if media else None


class _StickerSet(Struct):
    stickers: tuple[Sticker, ...] = ()


_STICKER_SET: msgspec.json.Decoder[Answer[_StickerSet]] = msgspec.json.Decoder(Answer[_StickerSet])


class FileIds:
    """The file cache. If the store is lost, every look-up is a miss."""

    def __init__(self, client: Client, files: FileCache) -> None:
        self._client = client
        self._files = files

    async def find(self, piece: Piece, bot: BotId, *, trust_own: bool) -> str | None:
        """Return the id that the bot has for the file, if we know one."""
        if piece.own is not None and trust_own:
            return piece.own
        try:
            return await self._files.file_id(piece.key, bot)
        except LiveStoreLost:
            return None

    async def note(self, key: str, bot: BotId, file_id: str | None) -> None:
        """Remember an id, or forget it (None)."""
        try:
            await self._files.remember_file(key, bot, file_id)
        except LiveStoreLost:
            return

    async def look_up(self, piece: Piece, bot: BotId) -> str | None:
        """Find a sticker through its set, which every bot may read. No bytes move. Raises: TelegramError."""
        if piece.sticker_set is None:
            return None
        try:
            found = await self._client.call(bot, "getStickerSet", encode({"name": piece.sticker_set}), _STICKER_SET)
        except Rejected:
            return None
        # Note the whole set: people who send one of its stickers often send another.
        await self._note_all(found.stickers, bot)
        return next((s.file_id for s in found.stickers if s.file_unique_id == piece.key), None)

    async def _note_all(self, stickers: Sequence[Sticker], bot: BotId) -> None:
        await asyncio.gather(*(self.note(sticker.file_unique_id, bot, sticker.file_id) for sticker in stickers))
