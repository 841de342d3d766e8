"""Moving files from one bot to another: down from the sender's, up to the recipient's, never whole in memory.

    getFile on the source bot ─► download, chunk by chunk ─► multipart body of the sending method

The body pulls: a chunk is read from Telegram when the one before it has been written to Telegram, so that what is held
is a few chunks, whatever the size. Transfers under way at once are bounded, and of several that want the same file on
the same bot one moves it while the others wait to use its id: Telegram throttles repeated uploads of equal size.
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
"""Bytes that getFile gives out (source: Bot API server)."""


class Move(Struct, frozen=True):
    """A file to be uploaded as the part `part`, under a neutral name."""

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
    """Uploads on behalf of the carrier."""

    def __init__(self, client: Client, *, unlimited_files: bool, at_once: int) -> None:
        self._client = client
        self._unlimited = unlimited_files
        self._slots = asyncio.Semaphore(at_once)
        self._turns: WeakValueDictionary[tuple[BotId, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, bot: BotId, keys: Sequence[str]) -> AsyncIterator[None]:
        """Hold the right to upload these files to this bot. Taken in one order by everybody, so never in a circle."""
        async with AsyncExitStack() as held:
            for key in sorted(set(keys)):
                lock = self._turns.setdefault((bot, key), asyncio.Lock())
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
            self._weigh(move.file.size)
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
                # Where our own side cut the body short, Telegram cannot have taken it for a message.
                if not any(flow.error for flow in flows):
                    raise
            finally:
                for flow in flows:
                    await flow.aclose()
            raise next((flow.error for flow in flows if flow.error), Unavailable("download broke", uncertain=False))

    async def admit(self, source: BotId, file: File) -> None:
        """Return if the file could be moved, whether or not it will be. Raises: TelegramError; Refused(TOO_LARGE)."""
        self._weigh(file.size)
        if not file.size and not self._unlimited:
            await self._locate(source, file)

    def _weigh(self, size: int) -> None:
        if size > DOWNLOAD_LIMIT and not self._unlimited:
            raise Refused(Refusal.TOO_LARGE, "more than a bot may download")

    async def _locate(self, source: BotId, file: File) -> _Located:
        try:
            located = await self._client.call(source, "getFile", encode({"file_id": file.file_id}), _LOCATED)
        except Rejected as rejected:
            # The source bot's own id: there is no other to try.
            if rejected.meaning is not Meaning.FILE_UNKNOWN:
                raise
            located = _Located()
        except TokenRefused as refused:
            # The refused token may be another bot's than the sending bot's.
            raise refused.of(source) from None
        if not located.file_path:
            raise Refused(Refusal.CANNOT_COPY, "the file is gone")
        self._weigh(located.file_size)
        return located


class _FlowBroke(Exception):
    """A download ended early; its flow says why."""


class _Flow:
    """One file on its way. `error` is why it broke, if it did."""

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

    async def aclose(self) -> None:
        """Let go of the download, wherever it stands."""
        # Still being pulled: it is cancelled with its upload and closes by itself.
        with suppress(RuntimeError):
            await self._chunks.aclose()

    async def _counted(self) -> AsyncGenerator[bytes, None]:
        moved = 0
        try:
            async with aclosing(self._local() if self._path.startswith("/") else self._remote()) as chunks:
                async for chunk in chunks:
                    moved += len(chunk)
                    # More than announced would be cut off in silence and arrive as a broken file.
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
        """An own server started with `--local` names a file on the disk that it shares with us."""
        try:
            source = await asyncio.to_thread(Path(self._path).open, "rb")
        except OSError:
            raise Refused(Refusal.CANNOT_COPY, "the server's file cannot be read from here") from None
        with source:
            while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
                yield chunk
