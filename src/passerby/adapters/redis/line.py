"""A connection to the server that carries one batch at a time, without a task.

redis-py connects and logs in. Then this protocol takes the transport over: it feeds hiredis itself, and counts answers.
Reading each answer through redis-py costs several times as much as the rest of a small batch (measured).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import InvalidResponse

_NOT_YET: Final = object()
CLOSING_S: Final = 1.0
"""How long a closed connection may take to say goodbye."""

Connect = Callable[[], Awaitable[AbstractConnection]]


class Line(asyncio.Protocol):
    """`on_answers` gets all answers of a batch; errors among them are exceptions of redis-py. `on_broken` is called if
    the connection breaks under a batch, with the reason: TimeoutError if the answers did not come in time.
    """

    def __init__(
        self,
        connect: Connect,
        on_answers: Callable[["Line", list[Any]], None],
        on_broken: Callable[["Line", BaseException], None],
    ) -> None:
        self.has_broken = False
        """Whether a connection was lost. The reader may reset it."""
        self._connect = connect
        self._on_answers = on_answers
        self._on_broken = on_broken
        self._close: Callable[[], None] = _nothing
        """Tells redis-py that its connection is closed."""
        self._transport: asyncio.Transport | None = None
        self._former: asyncio.BaseProtocol | None = None
        self._reader: Any = None
        self._answers: list[Any] = []
        self._count = 0
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._lost: asyncio.Future[None] | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def open(self) -> None:
        """Raises: as `connect`."""
        connection: Any = await self._connect()
        # redis-py offers no other way to lend a connection.
        transport: asyncio.Transport = connection._writer.transport  # noqa: SLF001
        error_of = connection._parser.parse_error  # noqa: SLF001
        self._reader = hiredis.Reader(protocolError=InvalidResponse, replyError=error_of, notEnoughData=_NOT_YET)
        self._former = transport.get_protocol()
        self._lost = asyncio.get_running_loop().create_future()
        transport.set_protocol(self)
        self._close, self._transport = connection._close, transport  # noqa: SLF001

    def ask(self, packed: bytes, count: int, until: float) -> None:
        """Send a batch with `count` answers. `until`, in the loop's time: when they must be here."""
        assert self._transport is not None, "a line is opened first"
        assert not self._count, "a line has one batch at a time"
        self._count = count
        self._until = until
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(until, self._look)
        self._transport.write(packed)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        answers = self._answers
        try:
            self._reader.feed(data)
            while len(answers) < self._count:
                answer = self._reader.gets()
                if answer is _NOT_YET:
                    return
                answers.append(answer)
            if not answers or self._reader.has_data():
                raise InvalidResponse("an answer that nobody asked for")
        except InvalidResponse as error:
            self.fail(error)
            return
        self._answers, self._count = [], 0
        self._on_answers(self, answers)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._former is not None:
            self._former.connection_lost(exc)  # whoever closes the connection through redis-py waits for this
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)
        if self._transport is not None:
            self.fail(exc or ConnectionError("the server closed the connection"))

    def fail(self, error: BaseException) -> None:
        """Give the connection up, and report the batch that is on it."""
        self.hang_up()
        if self._count:
            self._answers, self._count = [], 0
            self._on_broken(self, error)

    def hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transport, self._transport = self._transport, None
        if transport is not None:
            self.has_broken = True
            transport.abort()
            self._close()

    async def aclose(self) -> None:
        """Close the connection after everything that was written has left."""
        transport, self._transport = self._transport, None
        self._answers, self._count = [], 0
        self.hang_up()
        if transport is not None and self._lost is not None:
            transport.close()
            await asyncio.wait((self._lost,), timeout=CLOSING_S)
            transport.abort()
            self._close()

    def _look(self) -> None:
        """Check the time. One timer serves many batches, because most answers are early."""
        self._timer = None
        if not self._count:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._until:
            self._timer = loop.call_at(self._until, self._look)
        else:
            self.fail(TimeoutError())


def _nothing() -> None:
    """Before the first connection."""
