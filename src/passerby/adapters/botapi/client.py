"""HTTP for the whole fleet: sends a call as JSON, and returns its typed answer or raises one of our errors.

Calls go through our own transport; files are streamed through pyreqwest. A call's URL contains the bot's token, and
pyreqwest's errors quote URLs. So these errors are converted here, and ours are raised outside of the `except` block, so
that no chain of causes carries a token. This module does not know what a method does, and it retries nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct
from pyreqwest.exceptions import DetailedPyreqwestError
from pyreqwest.multipart import FormBuilder, PartBuilder
from pyreqwest.response import ResponseBodyReader

from passerby.adapters.botapi import errors
from passerby.adapters.botapi.connection import Connection, Lost, Reply
from passerby.adapters.botapi.proxied import ProxiedTransport, is_proxied
from passerby.adapters.botapi.streaming_clients import StreamingClients
from passerby.adapters.botapi.transport import Transport
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, MessageId
from passerby.ports.soon import Outstanding
from passerby.ports.telegram import Refused, TelegramError, TokenRefused, Unavailable

TELEGRAM = "https://api.telegram.org"

T = TypeVar("T")


class Answer(Struct, Generic[T]):
    """A successful answer's result. A refusal has no result, so it fails to decode as this."""

    ok: bool
    result: T


class Sent(Struct, gc=False):
    """The id of a message that we sent."""

    message_id: MessageId


SENT: msgspec.json.Decoder[Answer[Sent]] = msgspec.json.Decoder(Answer[Sent])
DONE: msgspec.json.Decoder[Answer[Any]] = msgspec.json.Decoder(Answer[Any])

encode = msgspec.json.Encoder().encode

_QUICK_S = 30.0
QUICK = timedelta(seconds=_QUICK_S)
# A slower transfer is given up. At this rate 20 MB take a little over five minutes.
_SLOWEST_BYTES_PER_S = 65_536
_CLOSING_S = 30.0
CHUNK_BYTES = 65_536


def transfer_time(size: int) -> timedelta:
    """Return how long moving `size` bytes may take."""
    return QUICK + timedelta(seconds=size / _SLOWEST_BYTES_PER_S)


class Sending(Outstanding[T]):
    """A call that sends something, and whose answer comes by a callback (see `Client.begin`)."""

    __slots__ = ("_client", "_method", "connection")

    decoder: "msgspec.json.Decoder[Answer[Any]]"

    def __init__(self, client: "Client", method: str) -> None:
        super().__init__()
        self._client = client
        self._method = method
        self.connection: Connection | None = None
        """The connection that brings the answer, until it is here."""

    def replied(self, reply: Reply) -> None:
        self.connection = None
        self._client.is_answered()
        answer = reply[1]
        if reply[0] == 200:
            try:
                result = self.decoder.decode(answer).result
            except (ValueError, RecursionError):
                pass
            else:
                self.arrived(result)
                return
        status, _, retry_after = reply
        self.went_wrong(errors.failure(status, answer, retry_after, method=self._method, sends=True))

    def lost(self, lost: Lost) -> None:
        self.connection = None
        self._client.is_answered()
        self.went_wrong(Unavailable(lost.reason, uncertain=lost.sent))

    def give_up(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            self._client.is_answered()
            connection.give_up()

    def arrived(self, result: Any) -> None:
        """The call has succeeded."""
        raise NotImplementedError

    def went_wrong(self, error: TelegramError) -> None:
        self.fail(error)


class Client:
    """Calls methods for any bot of the fleet. Its repr, like its errors, shows no token."""

    def __init__(
        self,
        tokens: Mapping[BotId, str],
        base_url: str = TELEGRAM,
        *,
        max_connections: int = 4096,
        on_connected: Callable[[], None] = lambda: None,
    ) -> None:
        """`max_connections` limits the requests under way, long polls included. `on_connected` is called for each new
        one.

        Raises: ValueError if `base_url` is not an http(s) URL.
        """
        self._base = _checked(base_url)
        self._tokens = dict(tokens)
        self._heads: dict[tuple[BotId, str], bytes] = {}
        transport = ProxiedTransport if is_proxied(self._base) else Transport
        self._http: Transport | ProxiedTransport = transport(
            self._base, max_connections=max_connections, on_connected=on_connected
        )
        # Files are streamed by a client of their own, so they do not hold up calls.
        dialler = self._http.dialler if isinstance(self._http, Transport) else None
        self._transfers = StreamingClients(self._base, max_connections, dialler)
        self._sending = 0
        self._idle: asyncio.Event | None = None

    def __repr__(self) -> str:
        return f"<Client for {len(self._tokens)} bots>"

    def take(self, tokens: Mapping[BotId, str]) -> None:
        """Use these tokens from now on. Tokens of other bots stay: their last calls are still made."""
        self._tokens |= tokens
        self._heads.clear()

    async def call(
        self,
        bot: BotId,
        method: str,
        body: bytes,
        decoder: "msgspec.json.Decoder[Answer[T]]",
        *,
        sends: bool = False,
    ) -> T:
        """Call a method and return its result.

        `sends` means that the recipient may see an effect, so after a lost answer the outcome is unknown.
        Raises: TelegramError.
        """
        # `post` and `_result` in one: each relay passes here, and each coroutine costs.
        head = self._heads.get((bot, method)) or self._head(bot, method)
        self._sending += sends
        try:
            status, answer, retry_after = await self._http.post(head, body, _QUICK_S)
        except Lost as lost:
            failure: TelegramError = Unavailable(lost.reason, uncertain=sends and lost.sent)
        else:
            if status == 200:
                try:
                    return decoder.decode(answer).result
                except (ValueError, RecursionError):
                    pass
            failure = errors.failure(status, answer, retry_after, method=method, sends=sends)
        finally:
            self._sending -= sends
            if self._idle is not None:
                self._settle(sends=False)
        raise failure

    def begin(self, bot: BotId, method: str, body: bytes, sending: "Sending[Any]") -> bool:
        """Make a call that sends something, in this turn. Returns whether that was possible; if not, nothing has
        happened."""
        head = self._heads.get((bot, method)) or self._head(bot, method)
        connection = sending.connection = self._http.begin(head, body, _QUICK_S, sending)
        if connection is None:
            return False
        self._sending += 1
        return True

    def is_answered(self) -> None:
        """A call made by `begin` is over."""
        self._sending -= 1
        if self._idle is not None:
            self._settle(sends=False)

    async def post(self, bot: BotId, method: str, body: bytes, *, timeout_s: float = _QUICK_S) -> bytes:
        """Call a method that sends nothing, and return an answer with status 200. Raises: TelegramError."""
        head = self._heads.get((bot, method)) or self._head(bot, method)
        try:
            status, answer, retry_after = await self._http.post(head, body, timeout_s)
        except Lost as lost:
            failure = Unavailable(lost.reason, uncertain=False)
        else:
            if status == 200:
                return answer
            raise errors.failure(status, answer, retry_after, method=method, sends=False)
        raise failure

    async def upload(
        self,
        bot: BotId,
        method: str,
        form: FormBuilder,
        size: int,
        decoder: "msgspec.json.Decoder[Answer[T]]",
    ) -> T:
        """Call a method that sends a file of `size` bytes and return its result.

        Raises: TelegramError, and whatever a stream in the form raises.
        """
        url = f"{self._base}/bot{self._tokens[bot]}/{method}"
        client = await self._transfers.get()
        request = client.post(url).multipart(form).timeout(transfer_time(size)).build()
        self._sending += 1
        try:
            response = await request.send()
            answer = (await response.bytes()).to_bytes()
        except DetailedPyreqwestError as error:
            failure = errors.lost(error, sends=True)
        else:
            if response.status == 200:
                return _result(answer, decoder, method, sends=True)
            retry_after = response.get_header("Retry-After")
            raise errors.failure(response.status, answer, retry_after, method=method, sends=True)
        finally:
            self._settle(sends=True)
        raise failure

    async def send_document(self, bot: BotId, members: Mapping[str, str], name: str, data: bytes) -> MessageId:
        """Send a file of our own. Returns the message's id. Raises: TelegramError."""
        form = FormBuilder()
        for member, value in members.items():
            form = form.text(member, value)
        part = PartBuilder.from_bytes(data).file_name(name).mime("application/octet-stream")
        sent = await self.upload(bot, "sendDocument", form.part("document", part), len(data), SENT)
        return sent.message_id

    @asynccontextmanager
    async def download(self, bot: BotId, path: str, size: int) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
        """Open a file that getFile has located. Yields a function that reads the next chunk; it is empty at the end.

        Raises: TelegramError, also while reading.
        """
        url = f"{self._base}/file/bot{self._tokens[bot]}/{quote(path)}"
        client = await self._transfers.get()
        request = client.get(url).timeout(transfer_time(size)).build_streamed()
        failure: TelegramError | None = None
        try:
            async with request as response:
                if response.status != 200:
                    raise _undownloadable(response.status)
                yield partial(_chunk, response.body_reader)
        except DetailedPyreqwestError as error:
            failure = errors.lost(error, sends=False)
        if failure:
            raise failure

    async def aclose(self) -> None:
        """Close. Waits a bounded time for sends under way; long polls are cut off."""
        if self._sending:
            self._idle = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), _CLOSING_S)
        await self._http.aclose()
        await self._transfers.aclose()

    def _settle(self, *, sends: bool) -> None:
        self._sending -= sends
        if self._idle is not None and not self._sending:
            self._idle.set()

    def _head(self, bot: BotId, method: str) -> bytes:
        head = self._http.head(f"/bot{self._tokens[bot]}/{method}")
        self._heads[bot, method] = head
        return head


def _result(answer: Any, decoder: "msgspec.json.Decoder[Answer[T]]", method: str, *, sends: bool) -> T:
    try:
        return decoder.decode(answer).result
    except (ValueError, RecursionError):
        pass
    raise errors.failure(200, bytes(answer), None, method=method, sends=sends)


async def _chunk(reader: ResponseBodyReader) -> bytes:
    chunk = await reader.read(CHUNK_BYTES)
    return chunk.to_bytes() if chunk else b""


def _undownloadable(status: int) -> TelegramError:
    if status == 401:  # Unauthorized
        return TokenRefused("401 on a download")
    if status in (400, 403, 404, 410):
        return Refused(Refusal.CANNOT_COPY, f"download {status}")
    return Unavailable(f"download {status}", uncertain=False)


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the Bot API server's address is not an http:// or https:// URL")
    return base_url.rstrip("/")
