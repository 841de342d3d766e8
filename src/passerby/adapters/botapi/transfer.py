"""Moves files from one bot to another: down from the sender's, up to the recipient's, never whole in memory.

    getFile on the source bot ─► download, chunk by chunk ─► multipart body of the sending method

The body pulls: it reads a chunk from Telegram after the previous chunk has been written to Telegram. So only a few
chunks are in memory, whatever the size. The number of transfers at one time is limited. If several transfers want the
same file on the same bot, one moves it, and the others wait to use its id: Telegram throttles repeated uploads of equal
size.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct
from pyreqwest.multipart import FormBuilder, PartBuilder

from passerby.adapters.botapi.client import CHUNK_BYTES, Answer, Client, T, encode
from passerby.adapters.botapi.errors import Meaning, Rejected
from passerby.kernel.content import File
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId
from passerby.ports.telegram import Refused, TelegramError, TokenRefused, Unavailable

DOWNLOAD_LIMIT = 20 * 2**20
"""The most bytes that a bot may download (source: Bot API server)."""


class Move(Struct, frozen=True):
    """A file to upload as the part `part`, under a harmless name."""

    part: str
    file: File
    source: BotId
    name: str
    mime: str


class _Located(Struct, gc=False):
    file_path: str | None = None
    file_size: int = 0


_LOCATED: msgspec.json.Decoder[Answer[_Located]] = msgspec.json.Decoder(Answer[_Located])


class Mover:
    """Uploads files for `ContentSender`."""

    def __init__(self, client: Client, *, unlimited_files: bool, at_once: int) -> None:
        self._client = client
        self._unlimited = unlimited_files
        self._slots = asyncio.Semaphore(at_once)
        self._locks: WeakValueDictionary[tuple[BotId, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def alone(self, bot: BotId, keys: Sequence[str]) -> AsyncIterator[None]:
        """Hold the right to upload these files to this bot. All callers take keys in one order, so no deadlock."""
        async with AsyncExitStack() as held:
            for key in sorted(set(keys)):
                lock = self._locks.setdefault((bot, key), asyncio.Lock())
                await held.enter_async_context(lock)
            yield

    async def upload(
        self,
        bot: BotId,
        method: str,
        members: dict[str, Any],
        moves: Sequence[Move],
        decoder: "msgspec.json.Decoder[Answer[T]]",
    ) -> T:
        """Call the method with the files as parts. Raises: TelegramError; Refused(TOO_LARGE) before anything moves."""
        for move in moves:
            self._check_size(move.file.size)
        async with self._slots:
            flows = [_Flow(self._client, move, await self._locate(move.source, move.file)) for move in moves]
            form = FormBuilder()
            for name, value in members.items():
                form = form.text(name, value if isinstance(value, str) else encode(value).decode())
            for flow in flows:
                form = form.part(flow.move.part, flow.part())
            try:
                return await self._client.upload(bot, method, form, sum(flow.size for flow in flows), decoder)
            except _FlowBroke:
                pass
            except TelegramError:
                # Our side ended the body early, so Telegram cannot have accepted it as a message.
                if not any(flow.error for flow in flows):
                    raise
            finally:
                for flow in flows:
                    await flow.aclose()
            raise next((flow.error for flow in flows if flow.error), Unavailable("download broke", uncertain=False))

    async def admit(self, source: BotId, file: File) -> None:
        """Return if the file could be moved, even if it will not be. Raises: TelegramError; Refused(TOO_LARGE)."""
        self._check_size(file.size)
        if not file.size and not self._unlimited:
            await self._locate(source, file)

    async def read(self, bot: BotId, file: File, most_bytes: int) -> bytes:
        """Fetch a file into memory. Raises: TelegramError; Refused(TOO_LARGE) as soon as it has more than this."""
        if file.size > most_bytes:
            raise Refused(Refusal.TOO_LARGE, "more than is looked at")
        located = await self._locate(bot, file)
        flow = _Flow(self._client, Move("", file, bot, "", ""), located)
        try:
            return await flow.read(most_bytes)
        finally:
            await flow.aclose()

    def _check_size(self, size: int) -> None:
        if size > DOWNLOAD_LIMIT and not self._unlimited:
            raise Refused(Refusal.TOO_LARGE, "more than a bot may download")

    async def _locate(self, source: BotId, file: File) -> _Located:
        try:
            located = await self._client.call(source, "getFile", encode({"file_id": file.file_id}), _LOCATED)
        except Rejected as rejected:
            # This is the source bot's own id; there is no other id to try.
            if rejected.meaning is not Meaning.FILE_UNKNOWN:
                raise
            located = _Located()
        except TokenRefused as refused:
            # The refused token may belong to the source bot instead of the sending bot.
            raise refused.of(source) from None
        if not located.file_path:
            raise Refused(Refusal.CANNOT_COPY, "the file is gone")
        self._check_size(located.file_size)
        return located


class _FlowBroke(Exception):
    """A download ended early. Its flow says why."""


class _Flow:
    """One file in transfer. `error` is why it broke, if it did."""

    def __init__(self, client: Client, move: Move, located: _Located) -> None:
        assert located.file_path is not None
        self.move = move
        self.size = located.file_size or move.file.size
        self.error: TelegramError | None = None
        self._client = client
        self._path = located.file_path

        self._chunks = self._counted()

    def part(self) -> PartBuilder:
        chunks = self._chunks
        body = PartBuilder.from_stream_with_length(chunks, self.size) if self.size else PartBuilder.from_stream(chunks)
        return body.file_name(self.move.name).mime(self.move.mime)

    async def read(self, most_bytes: int) -> bytes:
        """The whole file. Raises: TelegramError; Refused(TOO_LARGE)."""
        whole = bytearray()
        try:
            async for chunk in self._chunks:
                whole += chunk
                if len(whole) > most_bytes:
                    raise Refused(Refusal.TOO_LARGE, "more than is looked at")
        except _FlowBroke:
            assert self.error is not None
            raise self.error from None
        return bytes(whole)

    async def aclose(self) -> None:
        """Close the download, wherever it stands."""
        # RuntimeError: it is still being read. Then it is cancelled with its upload and closes by itself.
        with suppress(RuntimeError):
            await self._chunks.aclose()

    async def _counted(self) -> AsyncGenerator[bytes, None]:
        moved = 0
        try:
            async with aclosing(self._local() if self._path.startswith("/") else self._remote()) as chunks:
                async for chunk in chunks:
                    moved += len(chunk)
                    # Extra bytes would be cut off silently, and a broken file would arrive.
                    if self.size and moved > self.size:
                        raise Unavailable("the file is longer than announced", uncertain=False)
                    yield chunk
            if self.size and moved < self.size:
                raise Unavailable("the file is shorter than announced", uncertain=False)
        except TelegramError as error:
            self.error = error.of(self.move.source) if isinstance(error, TokenRefused) else error
        if self.error:
            raise _FlowBroke

    async def _remote(self) -> AsyncGenerator[bytes, None]:
        async with self._client.download(self.move.source, self._path, self.size) as read:
            while chunk := await read():
                yield chunk

    async def _local(self) -> AsyncGenerator[bytes, None]:
        """Read a file from the disk that we share with our own server, started with `--local`."""
        try:
            source = await asyncio.to_thread(Path(self._path).open, "rb")
        except OSError:
            raise Refused(Refusal.CANNOT_COPY, "the server's file cannot be read from here") from None
        with source:
            while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
                yield chunk
