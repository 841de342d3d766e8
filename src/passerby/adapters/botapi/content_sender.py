"""Passes a message on: chooses the method and the file ids, and whether to copy the message or to rebuild it.

Text is always rebuilt, so it has only the entities that the caller kept. A file is sent by its id if the recipient's
bot has one. Otherwise, or if the id would show the sender's own name for the file, it is downloaded and uploaded
(`transfer`). Messages without a file are rebuilt (`methods`), or refused.

A fleet of several bots does nothing that works only within one bot. Otherwise a sender would learn from a failure
whether their partner uses the same bot, which hints at a language, a country or a brand. So a file that could not be
moved is refused even if it need not be moved, and nothing is copied.

Albums are always rebuilt, even on one bot. `copyMessages` may deliver half of one and then answer 400, or leave items
out silently. sendMediaGroup sends all or nothing, and takes replies and effects.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from passerby.adapters.botapi import outgoing
from passerby.adapters.botapi.client import DONE, SENT, Answer, Client, T, encode
from passerby.adapters.botapi.errors import Meaning, Rejected
from passerby.adapters.botapi.file_ids import FileIds, Piece, Received, pieces
from passerby.adapters.botapi.files import FileCache
from passerby.adapters.botapi.methods import (
    CAPTIONED,
    COPIED,
    EXCHANGEABLE,
    GROUPED,
    MEDIA,
    REWORDED,
    SHOWN,
    SMALL,
    WRITTEN,
    fileless,
    media_members,
    moved,
)
from passerby.adapters.botapi.outgoing import captioned
from passerby.adapters.botapi.parts import with_less
from passerby.adapters.botapi.sets import Sets, has_set
from passerby.adapters.botapi.texts import Texts
from passerby.adapters.botapi.transfer import Move, Mover
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, MessageId
from passerby.ports.soon import own_task
from passerby.ports.telegram import EditContent, Refused, SendContent

_RECEIVED: msgspec.json.Decoder[Answer[Received]] = msgspec.json.Decoder(Answer[Received])
_ALBUM: msgspec.json.Decoder[Answer[tuple[Received, ...]]] = msgspec.json.Decoder(Answer[tuple[Received, ...]])

_ALBUM_MOST = 10
_TEXT: Final = Kind.TEXT  # to look it up in its class costs as much as a call

Send = Callable[[Mapping[Piece, str], Sequence[Piece]], Awaitable[tuple[Received, ...]]]
"""Sends a message. It gets the ids of the pieces that the bot knows, and the pieces to upload with it."""


class ContentSender:
    """Carries out `SendContent`, and `EditContent` for a relayed message. `alone`: the fleet has only this bot."""

    def __init__(
        self, client: Client, files: FileCache, sets: Sets, *, alone: bool, unlimited_files: bool, transfers: int
    ) -> None:
        self._client = client
        self.texts = Texts(client)
        self._file_ids = FileIds(client, files)
        self._sets = sets
        self._alone = alone
        self._mover = Mover(client, unlimited_files=unlimited_files, at_once=transfers)

    async def read(self, bot: BotId, file: File, most_bytes: int) -> bytes:
        """Fetch a file into memory. Raises: TelegramError; Refused(TOO_LARGE)."""
        return await self._mover.read(bot, file, most_bytes)

    def take(self, *, alone: bool) -> None:
        """The fleet has another number of bots now."""
        self._alone = alone

    def send(self, content_call: SendContent) -> Awaitable[tuple[MessageId, ...]]:
        """Send the message. Returns the new ids in order. Raises: TelegramError."""
        content = content_call.contents[0]
        if content.kind is _TEXT and not (content.entities or content_call.quote_entities):
            return self.texts.send(content_call)
        return self._send(content_call)

    async def _send(self, content_call: SendContent) -> tuple[MessageId, ...]:
        """Send something other than plain text."""
        await own_task()
        content = content_call.contents[0]
        if content_call.quote_entities or any(map(has_set, content_call.contents)):
            content_call = await self._without_unknown_sets(content_call)
            content = content_call.contents[0]
        if len(content_call.contents) > 1:
            send = self._album
        elif content.kind is Kind.TEXT:
            send = self._text
        elif self._alone and _copies(content_call, content):
            send = self._copy
        elif content.kind in MEDIA:
            send = self._media
        else:
            send = self._fileless
        return await send(content_call)

    async def edit(self, edit: EditContent) -> tuple[MessageId, ...]:
        """Edit the partner's copy like its original. Raises: TelegramError."""
        if has_set(edit.content):
            content = await self._sets.without_unknown(edit.content, edit.source_person)
            edit = msgspec.structs.replace(edit, content=content)
        content = edit.content
        target: dict[str, Any] = {"chat_id": edit.person, "message_id": edit.message}
        if edit.markup is not None:
            target["reply_markup"] = outgoing.markup(edit.markup)
        if content.kind is Kind.LOCATION and "live_period" not in (content.detail or {}):
            await self._change(edit, "stopMessageLiveLocation", target)
        elif content.kind in REWORDED:
            await self._change(edit, REWORDED[content.kind], target | _reworded(content))
        elif content.kind in CAPTIONED and edit.words_only:
            caption = captioned(content, shown=content.kind in SHOWN)
            caption.pop("has_spoiler", None)
            await self._change(edit, "editMessageCaption", target | caption)
        elif content.kind in EXCHANGEABLE:
            await self._exchange(edit, target)
        else:
            raise Refused(Refusal.CANNOT_COPY, content.kind)
        return (edit.message,)

    async def _without_unknown_sets(self, content_call: SendContent) -> SendContent:
        by = content_call.source_person
        contents = tuple([await self._sets.without_unknown(content, by) for content in content_call.contents])
        quoted = await self._sets.known_only(content_call.quote_entities, by)
        return msgspec.structs.replace(content_call, contents=contents, quote_entities=quoted)

    async def _change(self, edit: EditContent, method: str, members: dict[str, Any]) -> None:
        try:
            await self._call(edit.bot, method, members, DONE)
        except Rejected as rejected:
            if rejected.meaning is not Meaning.ALREADY_SO:
                raise

    async def _exchange(self, edit: EditContent, target: dict[str, Any]) -> None:
        """Replace the file of the partner's copy."""
        content = edit.content
        content_call = SendContent(
            edit.bot, edit.person, edit.source_bot, edit.source_person, (edit.message,), (content,)
        )
        item = pieces(content_call, content)

        async def send(known: Mapping[Piece, str], unknown: Sequence[Piece]) -> tuple[Received, ...]:
            parts = {piece: f"file{number}" for number, piece in enumerate(unknown)}
            media: dict[str, Any] = {"type": content.kind, **media_members(content)}
            for place, piece in zip(("media", "photo"), item, strict=False):
                media[place] = known[piece] if piece in known else f"attach://{parts[piece]}"
            members = target | {"media": media}
            moves = [_move(content_call, piece, part) for piece, part in parts.items()]
            return (await self._call_with_files(edit.bot, "editMessageMedia", members, moves, _RECEIVED),)

        try:
            await self._with_files(content_call, [item], send)
        except Rejected as rejected:
            if rejected.meaning is not Meaning.ALREADY_SO:
                raise

    async def _text(self, content_call: SendContent) -> tuple[MessageId, ...]:
        return await self.texts.send(content_call)

    async def _copy(self, content_call: SendContent) -> tuple[MessageId, ...]:
        content = content_call.contents[0]
        copy = outgoing.CopyMessage(
            chat_id=content_call.person,
            from_chat_id=content_call.source_person,
            message_id=content_call.sources[0],
            protect_content=content.protected,
            message_effect_id=content.effect,
            reply_parameters=outgoing.reply_of(content_call),
            message_thread_id=content_call.thread,
        )
        sent = await self._call(content_call.bot, "copyMessage", copy, SENT)
        return (sent.message_id,)

    async def _fileless(self, content_call: SendContent) -> tuple[MessageId, ...]:
        content = content_call.contents[0]
        members = fileless(content)
        if members is None:
            raise Refused(Refusal.CANNOT_COPY, content.kind)
        method = WRITTEN[content.kind]
        if method == "sendMessage":
            members["link_preview_options"] = outgoing.NO_PREVIEW
        members |= _common(content_call, content)
        sent = await self._call(content_call.bot, method, members, SENT)
        return (sent.message_id,)

    async def _media(self, content_call: SendContent) -> tuple[MessageId, ...]:
        content = content_call.contents[0]
        method, _, _ = MEDIA[content.kind]
        members = media_members(content) | _common(content_call, content)

        async def send(known: Mapping[Piece, str], unknown: Sequence[Piece]) -> tuple[Received, ...]:
            named = members | {piece.part: file_id for piece, file_id in known.items()}
            moves = [_move(content_call, piece, piece.part) for piece in unknown]
            return (await self._call_with_files(content_call.bot, method, named, moves, _RECEIVED),)

        return await self._with_files(content_call, [pieces(content_call, content)], send)

    async def _album(self, content_call: SendContent) -> tuple[MessageId, ...]:
        if len(content_call.contents) > _ALBUM_MOST or any(
            content.kind not in GROUPED for content in content_call.contents
        ):
            raise Refused(Refusal.CANNOT_COPY, "not an album")
        items = [pieces(content_call, content) for content in content_call.contents]
        members = _common(content_call, content_call.contents[0])

        async def send(known: Mapping[Piece, str], unknown: Sequence[Piece]) -> tuple[Received, ...]:
            parts = {piece: f"file{number}" for number, piece in enumerate(unknown)}
            media = []
            for content, item in zip(content_call.contents, items, strict=True):
                entry = {"type": content.kind, **media_members(content)}
                for place, piece in zip(("media", "photo"), item, strict=False):
                    entry[place] = known[piece] if piece in known else f"attach://{parts[piece]}"
                media.append(entry)
            album = members | {"media": media}
            moves = [_move(content_call, piece, part) for piece, part in parts.items()]
            return await self._call_with_files(content_call.bot, "sendMediaGroup", album, moves, _ALBUM)

        return await self._with_files(content_call, items, send)

    async def _call(self, bot: BotId, method: str, members: Any, decoder: "msgspec.json.Decoder[Answer[T]]") -> T:
        """Call a method whose effect the recipient sees, without the parts that Telegram refuses."""
        return await with_less(self._attempt(bot, method, decoder), members)

    def _attempt(
        self, bot: BotId, method: str, decoder: "msgspec.json.Decoder[Answer[T]]"
    ) -> Callable[[Any], Awaitable[T]]:
        return lambda members: self._client.call(bot, method, encode(members), decoder, sends=True)

    async def _call_with_files(
        self,
        bot: BotId,
        method: str,
        members: dict[str, Any],
        moves: Sequence[Move],
        decoder: "msgspec.json.Decoder[Answer[T]]",
    ) -> T:
        """Call a method that sends files: by their ids, and those in `moves` as uploads."""

        async def attempt(members: dict[str, Any]) -> T:
            if moves:
                return await self._mover.upload(bot, method, members, moves, decoder)
            return await self._client.call(bot, method, encode(members), decoder, sends=True)

        return await with_less(attempt, members, file=True)

    async def _with_files(
        self, content_call: SendContent, items: Sequence[tuple[Piece, ...]], send: Send
    ) -> tuple[MessageId, ...]:
        """Send by the ids that the bot knows. Files without a working id are moved."""
        every = list(dict.fromkeys(piece for item in items for piece in item))
        if not self._alone:
            for piece in every:
                if piece.part not in SMALL:
                    await self._mover.admit(content_call.source_bot, piece.file)
        known = await self._known(content_call, every, trust_own=True)
        refused: Rejected | None = None
        if len(known) == len(every):
            try:
                return _ids(await send(known, ()))
            except Rejected as rejected:
                refused = _if_an_upload_may_do(rejected)
            await self._forget(content_call, every)
            known = {}
        async with self._mover.alone(content_call.bot, [piece.key for piece in every if piece not in known]):
            # The caller before us may have uploaded the files that we miss.
            known = await self._known(content_call, every, trust_own=refused is None)
            for piece in every:
                if piece not in known and (found := await self._file_ids.look_up(piece, content_call.bot)):
                    known[piece] = found
            unknown = [piece for piece in every if piece not in known]
            try:
                received = await send(known, unknown)
            except Rejected as rejected:
                if not known:
                    raise
                refused = _if_an_upload_may_do(rejected)
                await self._forget(content_call, list(known))
                unknown = every
                received = await send({}, every)
            except Refused:
                # For example, the file is too large for an upload. That is not why Telegram refused, so we do not
                # report it.
                if refused is not None and refused.meaning is Meaning.UNKNOWN:
                    raise refused from None
                raise
            await self._learn(content_call, items, unknown, received)
        return _ids(received)

    async def _known(self, content_call: SendContent, every: Sequence[Piece], *, trust_own: bool) -> dict[Piece, str]:
        found = {piece: await self._file_ids.find(piece, content_call.bot, trust_own=trust_own) for piece in every}
        return {piece: file_id for piece, file_id in found.items() if file_id is not None}

    async def _forget(self, content_call: SendContent, every: Sequence[Piece]) -> None:
        for piece in every:
            await self._file_ids.note(piece.key, content_call.bot, None)

    async def _learn(
        self,
        content_call: SendContent,
        items: Sequence[tuple[Piece, ...]],
        moved: Sequence[Piece],
        received: Sequence[Received],
    ) -> None:
        for item, message in zip(items, received, strict=False):
            for piece in item:
                if piece in moved:
                    if file_id := message.file_id(piece.part):
                        await self._file_ids.note(piece.key, content_call.bot, file_id)
                    # Later sends use these ids. Ids that show a name are not worth remembering: none of them may be
                    # used.
                    if piece.key == piece.file.unique:
                        await self._file_ids.note(piece.key, content_call.source_bot, piece.file.file_id)


def _if_an_upload_may_do(rejected: Rejected) -> Rejected:
    """Return if an upload may help. Raises: the refusal itself, if it is not about a file."""
    if rejected.meaning not in (Meaning.FILE_UNKNOWN, Meaning.UNKNOWN):
        raise rejected
    return rejected


def _copies(content_call: SendContent, content: Content) -> bool:
    """Whether the original is copied unchanged."""
    if not content_call.copyable or content_call.bot != content_call.source_bot or content.kind not in COPIED:
        return False
    detail = content.detail or {}
    return bool(detail.get("copyable")) and detail.get("rebuilt") is None


def _reworded(content: Content) -> dict[str, Any]:
    """Return the members to edit a message without a file. Raises: Refused if it cannot be rebuilt."""
    match content.kind:
        case Kind.LOCATION:
            return moved(content)
        case Kind.RICH:
            members = fileless(content)
            if members is None:
                raise Refused(Refusal.CANNOT_COPY, content.kind)
            return members
        case _:
            words = {"text": content.text, "entities": outgoing.entities(content)}
            return words | {"link_preview_options": outgoing.NO_PREVIEW}


def _common(content_call: SendContent, content: Content) -> dict[str, Any]:
    """Return the members that every sending method takes."""
    members: dict[str, Any] = {"chat_id": content_call.person}
    if content.protected:
        members["protect_content"] = True
    if content.effect:
        members["message_effect_id"] = content.effect
    if reply := outgoing.reply_of(content_call):
        members["reply_parameters"] = reply
    if content_call.thread:
        members["message_thread_id"] = content_call.thread
    if content_call.markup is not None:
        members["reply_markup"] = outgoing.markup(content_call.markup)
    if content_call.silent:
        members["disable_notification"] = True
    if content_call.paid:
        members["allow_paid_broadcast"] = True
    return members


def _move(content_call: SendContent, piece: Piece, part: str) -> Move:
    return Move(part=part, file=piece.file, source=content_call.source_bot, name=piece.name, mime=piece.mime)


def _ids(received: Sequence[Received]) -> tuple[MessageId, ...]:
    return tuple(MessageId(message.message_id) for message in received)
