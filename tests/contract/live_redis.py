"""The live store's contract on a real Redis (Valkey), in time that passes as tests want it to.

The loop's time stands still while a server's answer is awaited, and otherwise jumps to the next timer as in
`tests.runtime.virtual`. With it, what expires on the server is brought nearer, and all that the server has noted by its
own time. The server's clock goes on by itself as well. On a slow machine this is more than a worker may be silent. So
the times are moved back by that, whenever time passes and every CORRECTED_EVERY_S.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from random import Random
from signal import SIGKILL
from typing import Any, TypeVar

from redis import Redis
from redis.exceptions import RedisError

from passerby.adapters.redis import RedisStore
from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.generation import begin_args, generation_of
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.scripts import BEGIN
from passerby.adapters.redis.server_time import ServerTime
from tests.contract.servers import Valkey
from tests.runtime.virtual import RESOLUTION_S, VirtualClock

T = TypeVar("T")

PATIENCE_S = 120.0
CORRECTED_EVERY_S = 1.0

_NEARER = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ms = ARGV[1] * 1000 - (now - (tonumber(ARGV[2]) or now))
local function sooner(time) return string.format('%.3f', time - ms) end
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if string.find(key, ':budget:', 1, true) then
    local tat, held = string.match(redis.call('GET', key), '(%S+) (%S+)')
    redis.call('SET', key, sooner(tat) .. ' ' .. sooner(held), 'KEEPTTL')
  elseif string.find(key, ':workers$') or string.find(key, ':leases$') then
    local entries = redis.call('HGETALL', key)
    for i = 1, #entries, 2 do
      local number, till, rest = string.match(entries[i + 1], '^(%d+) (%d+)(.*)$')
      redis.call('HSET', key, entries[i], number .. string.format(' %.0f', math.max(0, till - ms)) .. rest)
    end
  elseif string.find(key, ':evicted$') then
    local evicted = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #evicted, 2 do redis.call('ZADD', key, sooner(evicted[i + 1]), evicted[i]) end
  elseif string.find(key, ':store$') then
    for _, field in ipairs({'heard', 'patience', 'reborn'}) do
      local time = redis.call('HGET', key, field)
      if time then redis.call('HSET', key, field, string.format('%.0f', time - ms)) end
    end
  end
  if left >= 0 then redis.call('PEXPIRE', key, math.floor(left - ms)) end
end
return now
"""


class _Patient(selectors.BaseSelector):
    """`arrived` returns when all that the server has said is here to be read; `passes` moves the server's time on."""

    def __init__(
        self, waiting: Callable[[], bool], arrived: Callable[[], None], passes: Callable[[float], None]
    ) -> None:
        self._real = selectors.DefaultSelector()
        self._waiting = waiting
        self._arrived = arrived
        self._passes = passes
        self._passed_at = time.monotonic()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if time.monotonic() - self._passed_at > CORRECTED_EVERY_S:
            self._pass(0.0)
        if timeout is not None and timeout <= 0:
            return self._real.select(0)
        if timeout is None or self._waiting():
            ready = self._real.select(PATIENCE_S)
            assert ready, "the server does not answer"
            return ready
        ready = self._real.select(0)
        if not ready:
            self._arrived()
            ready = self._real.select(0)
        if not ready:
            self._pass(timeout)
            self.now += timeout
        return ready

    def _pass(self, delay_s: float) -> None:
        self._passes(delay_s)
        self._passed_at = time.monotonic()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Any:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class _PatientLoop(asyncio.SelectorEventLoop):
    def __init__(
        self, waiting: Callable[[], bool], arrived: Callable[[], None], passes: Callable[[float], None]
    ) -> None:
        self._patient = _Patient(waiting, arrived, passes)
        super().__init__(self._patient)
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        return self._patient.now


class _Away(AbstractContextManager[None]):
    """Kill the server, and start it again with its append-only file."""

    def __init__(self, server: Valkey) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._server.stop(SIGKILL)

    def __exit__(self, *_: object) -> None:
        self._server.start()


class _OwnTime(ServerTime):
    """Our clock's time, which tests let pass. The server's passes by itself."""

    def heard(self, server_us: float) -> None:
        return


class RedisPlace:
    """`server` has the keys. `url`: the address for stores, if it is a different one."""

    lease_s = 20.0

    def __init__(self, server: Valkey, url: str = "") -> None:
        self.clock = VirtualClock()
        self._server = server
        self._url = url or server.url
        self._rng = Random(1)
        self._keys = Keys("passerby")
        self._stores: list[RedisStore] = []
        self.time = _OwnTime(self.clock)
        self._wiped = False
        self._owed_s = 0.0
        self._server_ms: int | None = None
        """The server's time when we last moved its times."""
        self._hand = self._by_hand()
        self._hand.flushall()
        self._nearer = self._hand.register_script(_NEARER)
        self._passes(0.0)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        async def then_close() -> T:
            try:
                return await main
            finally:
                for store in self._stores:
                    await store.hang_up()

        try:
            with asyncio.Runner(
                loop_factory=lambda: _PatientLoop(self._waiting, self._arrived, self._passes)
            ) as runner:
                return runner.run(then_close())
        finally:
            self._hand.close()

    def open(self) -> RedisStore:
        return self._open()

    def open_bounded(self, journal_bound: int) -> RedisStore:
        return self._open(journal_bound=journal_bound)

    def _open(self, **options: Any) -> RedisStore:
        words = begin_args(self.clock, self._rng, again=self._wiped)
        where = (self._keys.store, self._keys.workers, self._keys.leases, self._keys.journal)
        generation = generation_of(self._hand.eval(BEGIN.source, len(where), *where, *words))
        options.setdefault("time", self.time)
        connect = connector(self._url, self._keys)
        store = RedisStore(connect, self._keys, self.clock, self._rng, generation, **options)
        self._stores.append(store)
        return store

    def wipe(self) -> None:
        self._wiped = True
        self._hand.flushall()

    async def elapse(self, delay_s: float) -> None:
        self.clock.offset_s += delay_s
        self._passes(delay_s)

    async def outlast(self, delay_s: float) -> None:
        await self.elapse(delay_s)

    def server_goes_on(self, delay_s: float) -> None:
        """Let the server's own clock go on while no time passes, as on a slow machine."""
        self._passes(0.0)
        assert self._server_ms is not None
        self._nearer(args=[delay_s, ""])
        self._server_ms -= int(delay_s * 1000)

    def lost(self) -> AbstractContextManager[None]:
        return _Away(self._server)

    def _waiting(self) -> bool:
        return any(store.busy for store in self._stores)

    def _arrived(self) -> None:
        # One thread serves all connections. Once it answers, it has sent everything before.
        with suppress(RedisError):
            self._hand.ping()

    def _passes(self, delay_s: float) -> None:
        self._owed_s += delay_s
        with suppress(RedisError):  # later, when the server is back
            before = "" if self._server_ms is None else self._server_ms
            self._server_ms = self._nearer(args=[self._owed_s, before])
            self._owed_s = 0.0

    def _by_hand(self) -> "Redis":
        return Redis.from_url(self._server.url)
