"""Sends calls over a few lines, in batches: all calls of one turn of the event loop leave in one write.

Each call goes into a queue, and a line takes everything that is in the queue. While this line waits for its answers,
more calls gather, and the other line takes them. `shared_calls` also makes one call out of many.

When a connection breaks, nobody knows which of the unanswered calls were carried out. Each call is retried once, over a
new connection, so every script must give the same result when it runs twice. If the retry fails too, or if no answer
comes in time, callers get `RedisUnreachable`. If the server does not have a script, the script is loaded and called
again.

Reads from few keys go as plain commands, because a script costs the server twice as much. If a batch contains plain
reads, one call of a script (`seal`) follows them, and each read also gets its answer: the generation of the store that
the reads came from. If the server has become a replica, which may be behind, it refuses the seal.

At most `PENDING` callers wait; further ones wait until there is room. This module does not know what a script does.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hiredis import pack_command
from redis.exceptions import NoScriptError, RedisError, ResponseError

from passerby.adapters.redis.calls import Call, Command, OneCall, Word
from passerby.adapters.redis.errors import RedisRefuses, RedisUnreachable, error_of, says_elsewhere
from passerby.adapters.redis.line import Connect, Line
from passerby.adapters.redis.scripts import Script
from passerby.telemetry import metrics

LINES = 2
BATCH = 256
PENDING = 4096
PATIENCE_S = 10.0
"""The limit for a whole batch, connecting included. A server that takes longer counts as lost."""

REPLICATED_MS = 1000
_UNPACKABLE = (TypeError, ValueError, OverflowError, struct.error)
LOADS = 3
"""How often a call may find that its script is missing. A server that forgets scripts at once is of no use."""


class _Batch:
    """The calls on a line. `loading`: the scripts that are loaded before the calls."""

    __slots__ = ("began_at", "calls", "is_reading", "lasting", "loading")

    def __init__(self, calls: list[Call], loading: list[Script], began_at: float, *, waits: bool) -> None:
        self.calls = calls
        self.loading = loading
        self.began_at = began_at
        self.is_reading = any(call.script is None for call in calls)
        self.lasting = [call for call in calls if call.script is not None and call.script.lasting] if waits else []


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
        self._seal = seal
        self._packed_seal: bytes = pack_command(("EVALSHA", seal.sha, 1, sealed))  # type: ignore[arg-type]
        self._packed_wait: bytes = pack_command(("WAIT", replicas, REPLICATED_MS))  # type: ignore[arg-type]
        self._replicas = replicas
        self._patience_s = patience_s
        self._queue: deque[Call] = deque()
        self._waiting = 0
        """How many callers the queue has."""
        self._idle = [Line(connect, self._on_answers, self._on_broken) for _ in range(lines)]
        self._lines = tuple(self._idle)
        self._on_line: dict[Line, _Batch] = {}
        self._connecting = set[asyncio.Task[None]]()
        self._starting = False
        self.on_return: Callable[[], None] = _nothing
        """Called when a broken connection has been replaced. The new one may lead to another server."""
        self._room: deque[asyncio.Future[None]] = deque()
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a call is waiting for its answer."""
        return bool(self._queue) or len(self._idle) < len(self._lines)

    @property
    def is_full(self) -> bool:
        return self._waiting >= PENDING

    async def room(self) -> None:
        """Return when another caller may wait."""
        while self._waiting >= PENDING:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            await waiter

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
        if self.is_full:
            await self.room()
        call = OneCall(script, commands, asyncio.get_running_loop().create_future())
        self.put(call)
        return await call.answer

    def put(self, call: Call) -> None:
        """Send a call, together with everything else of this turn."""
        if self._closed:
            call.fail(RedisUnreachable())
            return
        self._queue.append(call)
        self._waiting += call.callers
        if self._idle and not self._starting:
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)

    def joined(self) -> None:
        """Note that one more caller waits for a call that is in the queue."""
        self._waiting += 1

    async def aclose(self) -> None:
        """Close the connections. Calls that still wait get RedisUnreachable."""
        self._closed = True
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for batch in self._on_line.values():
            _lose(batch.calls)
        self._on_line.clear()
        _lose(self._queue)
        self._queue.clear()
        self._waiting = 0
        self._make_room()
        for line in self._lines:
            await line.aclose()
        self._idle = list(self._lines)

    def _start(self) -> None:
        """Start a line for each waiting batch, while there are idle lines."""
        self._starting = False
        for _ in range(-(-self._waiting // BATCH)):
            if not self._idle:
                return
            self._next(self._idle.pop())

    def _next(self, line: Line, loading: Iterable[Script] = ()) -> None:
        """Give a line its next batch."""
        calls = self._take()
        if not calls:
            self._idle.append(line)
            return
        now = asyncio.get_running_loop().time()
        batch = self._on_line[line] = _Batch(calls, list(loading), now, waits=self._replicas > 0)
        if line.is_open:
            self._send(line, batch)
        else:
            task = asyncio.ensure_future(self._open(line, batch))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    def _take(self) -> list[Call]:
        calls: list[Call] = []
        callers = 0
        while self._queue and callers < BATCH:
            call = self._queue.popleft()
            self._waiting -= call.callers
            if call.is_wanted:
                try:
                    call.pack()
                except _UNPACKABLE as error:  # a bug in this call must not affect the others
                    call.fail(error)
                else:
                    calls.append(call)
                    callers += call.callers
        self._make_room()
        return calls

    def _make_room(self) -> None:
        woken = 0
        while self._room and woken < BATCH:
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)
                woken += 1

    async def _open(self, line: Line, batch: _Batch) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await line.open()
        except BaseException as error:
            self._on_broken(line, error)
            if not isinstance(error, Exception):
                raise
            return
        if line.has_broken:
            line.has_broken = False
            self.on_return()
        self._send(line, batch)

    def _send(self, line: Line, batch: _Batch) -> None:
        pieces: list[bytes] = [pack_command(("SCRIPT", "LOAD", each.source)) for each in batch.loading]  # type: ignore[arg-type]
        pieces += [call.packed for call in batch.calls]
        count = len(batch.loading) + sum(call.count for call in batch.calls)
        if batch.is_reading:
            pieces.append(self._packed_seal)
            count += 1
        if batch.lasting:
            pieces.append(self._packed_wait)
            count += 1
        line.ask(b"".join(pieces), count, batch.began_at + self._patience_s)

    def _on_answers(self, line: Line, answers: list[Any]) -> None:
        batch = self._on_line.pop(line)
        loading: list[Script] = []
        try:
            loading = self._hand_out(batch, answers)
        except (RedisError, OSError) as error:
            line.hang_up()
            self._on_line[line] = batch
            self._on_broken(line, error)
            return
        except BaseException:  # a bug: every caller must get an answer
            _lose(batch.calls)
            self._idle.append(line)
            raise
        metrics.STORE_TRIPS.observe(asyncio.get_running_loop().time() - batch.began_at)
        metrics.STORE_CALLS.add(count=sum(call.callers for call in batch.calls))
        self._next(line, loading)

    def _hand_out(self, batch: _Batch, answers: list[Any]) -> list[Script]:
        """Give each call its answer. Return the scripts that the server does not have; their calls are in the queue.

        Raises: RedisError, OSError if the connection is of no use any more.
        """
        at = len(batch.loading)
        for each in answers:
            if isinstance(each, RedisError) and not isinstance(each, ResponseError):
                raise each
        if batch.lasting and isinstance(answers[-1], ResponseError):
            raise answers[-1]
        is_short = bool(batch.lasting) and answers[-1] < self._replicas
        generation = answers[-2 if batch.lasting else -1] if batch.is_reading else None
        is_misplaced = False
        unloaded: list[Call] = []
        for call in batch.calls:
            if call.script is None:
                answer: Any = [*answers[at : at + call.count], generation]
                error = next((each for each in answer if isinstance(each, ResponseError)), None)
            else:
                answer = error = answers[at]
            at += call.count
            if not isinstance(error, ResponseError):
                if is_short and call.script is not None and call.script.lasting:
                    call.fail(RedisUnreachable())
                else:
                    call.give(answer)
            elif isinstance(error, NoScriptError):
                unloaded.append(call)
            elif says_elsewhere(error) and not call.tries:
                is_misplaced = True
            else:
                call.fail(error_of(error))
        if is_misplaced:
            raise ConnectionError("another server is the right one now")
        for call in reversed(unloaded):
            call.loads += 1
            if call.loads > LOADS:
                call.fail(RedisRefuses())
            else:
                self._put_back(call)
        return list({call.script or self._seal for call in unloaded})

    def _on_broken(self, line: Line, error: BaseException) -> None:
        """The connection is gone. Put each call back into the queue for its retry, or give its caller an error."""
        batch = self._on_line.pop(line, None)
        calls = batch.calls if batch is not None else []
        if isinstance(error, TimeoutError):
            metrics.STORE_ERRORS.add("live")
            _lose(calls)
        elif isinstance(error, ResponseError) and not says_elsewhere(error):
            for call in calls:
                call.fail(error_of(error))
        elif isinstance(error, (RedisError, OSError)):
            if not isinstance(error, ResponseError):
                metrics.STORE_ERRORS.add("live")
            self._once_more(calls)
        elif isinstance(error, Exception):  # a bug
            for call in calls:
                call.fail(error)
        else:  # the end of the task
            _lose(calls)
        if not self._closed:
            self._next(line)

    def _once_more(self, calls: list[Call]) -> None:
        for call in reversed(calls):
            if call.tries:
                call.fail(RedisUnreachable())
            elif call.is_wanted:
                call.tries = 1
                self._put_back(call)

    def _put_back(self, call: Call) -> None:
        self._queue.appendleft(call)
        self._waiting += call.callers


def _nothing() -> None:
    """The default of `on_return`."""


def _lose(calls: Iterable[Call]) -> None:
    for call in calls:
        call.fail(RedisUnreachable())
