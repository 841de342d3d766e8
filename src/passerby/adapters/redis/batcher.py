"""Calls scripts over a few connections, in batches: all calls of one turn of the event loop leave in one write.

A single redis-py call costs the client about 80 µs; in a batch it costs about 16 µs. So each call goes into a queue,
and a line (a connection and the task that uses it) takes everything that is in the queue. While this line waits for its
answers, more calls gather, and another line takes them.

When a connection breaks, nobody knows which of the unanswered calls were carried out. Each call is retried once, over a
new connection, so every script must give the same result when it runs twice. If the retry fails too, or if no answer
comes in time, callers get `RedisUnreachable`. If the server does not have a script, the script is loaded and called
again.

Reads from few keys go as plain commands, because a script costs the server twice as much. If a batch contains plain
reads, one call of a script (`seal`) follows them, and each read also gets its answer: the generation of the store that
the reads came from. If the server has become a replica, which may be behind, it refuses the seal.

At most `PENDING` calls wait; further callers wait until there is room. This module does not know what a script does.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import inf
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError

from passerby.adapters.redis.errors import RedisRefuses, RedisUnreachable, error_of, says_elsewhere
from passerby.adapters.redis.scripts import Script
from passerby.telemetry import metrics

LINES = 2
BATCH = 256
PENDING = 4096
PATIENCE_S = 10.0
"""The limit for a whole batch, connecting included. A server that takes longer counts as lost."""

REPLICATED_MS = 1000
LOADS = 3
"""How often a call may find that its script is missing. A server that forgets scripts at once is of no use."""

Word = bytes | str | int | float
Connect = Callable[[], Awaitable[AbstractConnection]]


Command = tuple[Word, ...]


class _Call:
    """A command that calls a script, or some commands that read."""

    __slots__ = ("answer", "commands", "loads", "script", "tries")

    def __init__(self, script: Script | None, commands: Sequence[Command], answer: asyncio.Future[Any]) -> None:
        self.script = script
        self.commands = commands
        self.answer = answer
        self.tries = 0
        self.loads = 0


class _Line:
    __slots__ = ("broke", "connection", "work")

    def __init__(self) -> None:
        self.broke = False
        self.connection: AbstractConnection | None = None
        self.work: asyncio.Task[None] | None = None

    async def hang_up(self, *, broken: bool = True) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            self.broke = True
            await connection.disconnect(nowait=broken)


class Batcher:
    """`connect` returns a new connection to the server that is the right one now. It is called again after a break.

    A lasting write is answered once `replicas` replicas have it. If they do not have it within `REPLICATED_MS`, callers
    get RedisUnreachable, because nobody knows whether the write would survive a failover.
    """

    def __init__(
        self,
        connect: Connect,
        seal: Script,
        sealed: bytes,
        *,
        lines: int = LINES,
        patience_s: float = PATIENCE_S,
        replicas: int = 0,
    ) -> None:
        """`sealed`: the only key of `seal`."""
        self._connect = connect
        self._seal = _Seal(seal, sealed)
        self._replicas = replicas
        self._patience_s = patience_s
        self._queue: deque[_Call] = deque()
        self._lines = [_Line() for _ in range(lines)]
        self._idle = list(self._lines)
        self._starting = False
        self.on_return = _nothing
        """Called when a broken connection has been replaced. The new one may lead to another server."""
        self._room: deque[asyncio.Future[None]] = deque()
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a call is waiting for its answer."""
        return bool(self._queue) or len(self._idle) < len(self._lines)

    async def call(self, script: Script, keys: Sequence[bytes], args: Sequence[Word]) -> Any:
        """Return what the script returns. Raises: LiveStoreLost; a redis-py ResponseError for a bug in the script."""
        return await self._put(script, (("EVALSHA", script.sha, len(keys), *keys, *args),))

    async def read(self, *commands: Command) -> list[Any]:
        """Return the answers of these commands, then the answer of the seal. Other clients' writes may come in between.

        Raises: as `call`.
        """
        found: list[Any] = await self._put(None, commands)
        return found

    async def _put(self, script: Script | None, commands: Sequence[Command]) -> Any:
        loop = asyncio.get_running_loop()
        while len(self._queue) >= PENDING:
            turn: asyncio.Future[None] = loop.create_future()
            self._room.append(turn)
            await turn
        if self._closed:
            raise RedisUnreachable
        call = _Call(script, commands, loop.create_future())
        self._queue.append(call)
        if self._idle and not self._starting:
            self._starting = True
            loop.call_soon(self._start)
        return await call.answer

    async def aclose(self) -> None:
        """Close the connections. Calls that still wait get RedisUnreachable."""
        self._closed = True
        working = [line.work for line in self._lines if line.work is not None]
        for work in working:
            work.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        _lose(self._queue)
        self._queue.clear()
        self._make_room()
        for line in self._lines:
            await line.hang_up(broken=False)

    def _start(self) -> None:
        """Start a line for each waiting batch, while there are idle lines."""
        self._starting = False
        for _ in range(-(-len(self._queue) // BATCH)):
            if not self._idle:
                return
            line = self._idle.pop()
            line.work = asyncio.ensure_future(self._work(line))

    async def _work(self, line: _Line) -> None:
        try:
            while self._queue:
                batch = [call for call in self._take() if not call.answer.done()]
                if batch:
                    await self._ask(line, batch)
        finally:
            line.work = None
            self._idle.append(line)

    def _take(self) -> list[_Call]:
        batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        self._make_room()
        return batch

    def _make_room(self) -> None:
        woken = 0
        while self._room and woken < BATCH:
            turn = self._room.popleft()
            if not turn.done():
                turn.set_result(None)
                woken += 1

    async def _ask(self, line: _Line, batch: list[_Call]) -> None:
        """Get an answer for each call of the batch, or put the call back into the queue for its retry."""
        clock = asyncio.get_running_loop().time
        began_at = clock()
        try:
            async with asyncio.timeout(self._patience_s):
                if line.connection is None:
                    line.connection = await self._connect()
                    if line.broke:
                        line.broke = False
                        self.on_return()
                await self._exchange(line.connection, batch)
            metrics.STORE_TRIPS.observe(clock() - began_at)
            metrics.STORE_CALLS.add(count=len(batch))
        except TimeoutError:
            metrics.STORE_ERRORS.add("live")
            await line.hang_up()
            _lose(batch)
        except ResponseError as error:
            await line.hang_up()
            if says_elsewhere(error):
                self._once_more(batch)
            else:
                for call in batch:
                    _reply(call, error_of(error))
        except (RedisError, OSError):
            metrics.STORE_ERRORS.add("live")
            await line.hang_up()
            self._once_more(batch)
        except BaseException as error:
            # A bug, or the end of the task: every caller must get an answer.
            await line.hang_up()
            if not isinstance(error, Exception):
                _lose(batch)
                raise
            for call in batch:
                _reply(call, error)

    async def _exchange(self, connection: AbstractConnection, batch: list[_Call]) -> None:
        # redis-py's own packing is in Python and would cost more than everything else. One piece makes one write.
        pieces = [pack_command(command) for call in batch for command in call.commands]  # type: ignore[arg-type]
        is_reading = any(call.script is None for call in batch)
        if is_reading:
            pieces.append(self._seal.packed)
        packed = b"".join(pieces)
        lasting = [call for call in batch if call.script is not None and call.script.lasting] if self._replicas else []
        if lasting:
            packed += pack_command(("WAIT", self._replicas, REPLICATED_MS))  # type: ignore[arg-type]
        await connection.send_packed_command(packed, check_health=False)
        misplaced = False
        answers: list[tuple[_Call, Any]] = []
        unloaded: list[_Call] = []
        reading: list[tuple[_Call, list[Any]]] = []
        for call in batch:
            try:
                if call.script is None:
                    reading.append((call, await _answers(connection, len(call.commands))))
                    continue
                answer = await connection.read_response(timeout=inf)
            except NoScriptError:
                unloaded.append(call)
            except ResponseError as error:
                if says_elsewhere(error) and not call.tries:
                    misplaced = True
                else:
                    _reply(call, error_of(error))
            else:
                if lasting:
                    answers.append((call, answer))
                else:
                    _give(call, answer)
        if is_reading:
            try:
                generation = await connection.read_response(timeout=inf)
            except NoScriptError:
                unloaded += [call for call, _ in reading]
            except ResponseError as error:
                if says_elsewhere(error) and not all(call.tries for call, _ in reading):
                    misplaced = True
                else:
                    for call, _ in reading:
                        _reply(call, error_of(error))
            else:
                for call, found in reading:
                    _give(call, [*found, generation])
        if lasting and await connection.read_response(timeout=inf) < self._replicas:
            _lose(lasting)
        for call, answer in answers:
            _give(call, answer)
        if misplaced:
            raise ConnectionError("another server is the right one now")
        for script in {call.script or self._seal.script for call in unloaded}:
            await connection.send_command("SCRIPT", "LOAD", script.source, check_health=False)
            await connection.read_response(timeout=inf)
        for call in reversed(unloaded):
            call.loads += 1
            if call.loads > LOADS:
                _reply(call, RedisRefuses())
            else:
                self._queue.appendleft(call)

    def _once_more(self, batch: list[_Call]) -> None:
        for call in reversed(batch):
            if call.tries:
                _reply(call, RedisUnreachable())
            elif not call.answer.done():
                call.tries = 1
                self._queue.appendleft(call)


class _Seal:
    __slots__ = ("packed", "script")

    def __init__(self, script: Script, key: bytes) -> None:
        self.script = script
        self.packed: bytes = pack_command(("EVALSHA", script.sha, 1, key))  # type: ignore[arg-type]


async def _answers(connection: AbstractConnection, count: int) -> list[Any]:
    """Read `count` answers. Raises: the first error among them, after all have been read."""
    found: list[Any] = []
    refused: ResponseError | None = None
    for _ in range(count):
        try:
            found.append(await connection.read_response(timeout=inf))
        except ResponseError as error:
            refused = refused or error
    if refused is not None:
        raise refused
    return found


def _nothing() -> None:
    """The default of `on_return`."""


def _give(call: _Call, answer: Any) -> None:
    if not call.answer.done():
        call.answer.set_result(answer)


def _reply(call: _Call, error: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)


def _lose(calls: Iterable[_Call]) -> None:
    for call in calls:
        _reply(call, RedisUnreachable())
