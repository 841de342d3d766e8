"""A Bot API server that delivers generated updates and answers every send with one fixed line.

To a poller it behaves like Telegram: an offset confirms updates, unconfirmed updates come again, and the same offset
within half a second gets one update. It does nothing else, so it costs a fraction of the program that it serves. It
uses asyncio's protocols directly, because a web framework would be the bottleneck.
"""

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Callable
from random import Random
from time import perf_counter
from typing import cast

from benchmarks.hooks import Hook

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
# In JSON, or in a form, which other libraries send.
_OFFSET = re.compile(rb'\boffset(?:": ?|=)(-?\d+)')
_TIMEOUT = re.compile(rb'\btimeout(?:": ?|=)(\d+)')
_LIMIT = re.compile(rb'\blimit(?:": ?|=)(\d+)')
_CHAT = re.compile(rb'\bchat_id(?:": ?|=)(\d+)')
_UPDATE = (
    b'{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Ann","username":"ann",'
    b'"language_code":"en"},"chat":{"id":%d,"first_name":"Ann","username":"ann","type":"private"},'
    b'"date":%d,"text":"%b"}}'
)
_CHECKOUT = (
    b'{"update_id":%d,"pre_checkout_query":{"id":"%d","from":{"id":%d,"is_bot":false,"first_name":"Ann",'
    b'"language_code":"en"},"currency":"XTR","total_amount":%d,"invoice_payload":"%b"}}'
)
_QUERY = re.compile(rb'\bpre_checkout_query_id(?:": ?"|=)(\d+)')
_IS_APPROVED = re.compile(rb'\bok(?:": ?|=)true')
_SAME_OFFSET_S = 0.5
_NOTHING = b'{"ok":true,"result":[]}'

_HOOK_INFO = b'{"ok":true,"result":{"url":"","has_custom_certificate":false,"pending_update_count":0}}'

Delivered = Callable[[int, bytes], None]
"""The person and the request body of each sent message."""


class Bot:
    """A bot's queue of encoded updates, and the poll that waits for one."""

    def __init__(self, id_: int) -> None:
        self.id = id_
        self._queue: deque[tuple[int, bytes]] = deque()
        self._next = 1000
        self._message = 10_000
        self._offset, self._asked_at = -1, 0.0
        self.polled_at: float | None = None
        """When it was polled first, by `perf_counter`, which all processes of a machine share."""
        self._waiting: tuple[Connection, int] | None = None
        self.hook: Hook | None = None
        """Where updates are sent, if they are not polled."""

    def say(self, person: int, words: str, date: int) -> None:
        """A person writes to this bot."""
        self._next += 1
        self._message += 1
        update = _UPDATE % (self._next, self._message, person, person, date, words.encode())
        self._put(person, update)

    def ask(self, person: int, query: int, stars: int, payload: str) -> None:
        """A person presses Pay: this bot is asked whether they may."""
        self._next += 1
        self._put(person, _CHECKOUT % (self._next, query, person, stars, payload.encode()))

    def _put(self, person: int, update: bytes) -> None:
        if self.hook is not None:
            self.hook.put(person, update)
            return
        self._queue.append((self._next, update))
        if self._waiting is not None:
            connection, limit = self._waiting
            self._waiting = None
            connection.answer(self._take(limit))

    def poll(self, connection: "Connection", offset: int, limit: int, timeout_s: int) -> None:
        while self._queue and self._queue[0][0] < offset:
            self._queue.popleft()
        now = perf_counter()
        if self.polled_at is None:
            self.polled_at = now
        if offset == self._offset and now - self._asked_at < _SAME_OFFSET_S:
            limit = 1
        self._offset, self._asked_at = offset, now
        if self._queue:
            connection.answer(self._take(limit))
        elif not timeout_s:
            connection.answer(_NOTHING)
        else:
            self._waiting = (connection, limit)
            asyncio.get_running_loop().call_later(timeout_s, self._give_up, connection)

    def sent(self) -> int:
        self._message += 1
        return self._message

    def _take(self, limit: int) -> bytes:
        taken = [update for _, (_, update) in zip(range(limit), self._queue, strict=False)]
        return b'{"ok":true,"result":[' + b",".join(taken) + b"]}"

    def _give_up(self, connection: "Connection") -> None:
        if self._waiting is not None and self._waiting[0] is connection:
            self._waiting = None
            connection.answer(_NOTHING)

    def forget(self, connection: "Connection") -> None:
        if self._waiting is not None and self._waiting[0] is connection:
            self._waiting = None


class Canned:
    """`delay_s`: every answer to a send is delayed by a uniform time between these bounds."""

    def __init__(self, bots: list[int], delivered: Delivered, delay_s: tuple[float, float] = (0, 0)) -> None:
        self.bots = {bot: Bot(bot) for bot in bots}
        self.delivered = delivered
        self.answered: Callable[[int, bool], None] | None = None
        """Gets the number of each checkout that is answered, and whether it was approved."""
        self.delay_s = delay_s
        self.rng = Random(1)
        self.open = set[Connection]()
        self._server: asyncio.Server | None = None

    async def listen(self, secured: ssl.SSLContext | None = None) -> int:
        """Listen on a free port of the loopback, with TLS or without; the port."""
        server = self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), "127.0.0.1", 0, backlog=512, ssl=secured
        )
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.open):
            connection.hang_up()
        while self.open:
            await asyncio.sleep(0)


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive: one request at a time, and only bodies with a length."""

    def __init__(self, server: Canned) -> None:
        self._server = server
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is not a subclass
        self._server.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.open.discard(self)
        for bot in self._server.bots.values():
            bot.forget(self)
        self._transport = None

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end]
        length = _LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) < whole:
            return
        body, self._received = self._received[end + 4 : whole], self._received[whole:]
        self._serve(head.split(b" ", 2)[1], body)

    def _serve(self, path: bytes, body: bytes) -> None:
        token, _, method = path.removeprefix(b"/bot").partition(b"/")
        number = token.partition(b":")[0]
        if not number.isdigit():  # no method: somebody looks whether there is a server
            self.answer(b'{"ok":false,"error_code":404,"description":"Not Found"}')
            return
        bot = self._server.bots[int(number)]
        if method == b"getUpdates":
            offset, limit, timeout_s = (pattern.search(body) for pattern in (_OFFSET, _LIMIT, _TIMEOUT))
            bot.poll(
                self,
                int(offset[1]) if offset else 0,
                int(limit[1]) if limit else 100,
                int(timeout_s[1]) if timeout_s else 0,
            )
            return
        if method == b"answerPreCheckoutQuery" and self._server.answered is not None:
            query = _QUERY.search(body)
            assert query is not None, "an answer names its checkout"
            self._server.answered(int(query[1]), _IS_APPROVED.search(body) is not None)
            self.answer(b'{"ok":true,"result":true}')
            return
        if method == b"getStarTransactions":
            self.answer(b'{"ok":true,"result":{"transactions":[]}}')
            return
        if method == b"getWebhookInfo":
            self.answer(_HOOK_INFO)
            return
        chat = _CHAT.search(body)
        if chat is None:
            self.answer(
                b'{"ok":true,"result":{"id":%d,"is_bot":true,"first_name":"B","username":"b"}}' % bot.id
                if method == b"getMe"
                else b'{"ok":true,"result":true}'
            )
            return
        person = int(chat[1])
        self._server.delivered(person, body)
        answer = (
            b'{"ok":true,"result":{"message_id":%d,"from":{"id":%d,"is_bot":true,"first_name":"B"},'
            b'"chat":{"id":%d,"first_name":"Ann","type":"private"},"date":1770000000,"text":"so it goes"}}'
        ) % (bot.sent(), bot.id, person)
        low, high = self._server.delay_s
        if high:
            asyncio.get_running_loop().call_later(self._server.rng.uniform(low, high), self.answer, answer)
        else:
            self.answer(answer)

    def answer(self, body: bytes) -> None:
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nServer: canned\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )
