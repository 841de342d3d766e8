"""The live store's contract on a real Redis (Valkey), in time that passes as tests want it to.

The loop's time stands still while a server's answer is awaited, and otherwise jumps to the next timer as in
`tests.runtime.virtual`. What expires on the server is brought nearer by `elapse`, and so is all that the server has
noted by its own time.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from random import Random
from signal import SIGKILL
from time import sleep
from typing import Any, TypeVar

from redis import Redis

from passerby.adapters.redis import RedisStore
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.lives import begin_words, life_of
from passerby.adapters.redis.opening import way_to
from passerby.adapters.redis.scripts import BEGIN
from tests.contract.servers import Valkey
from tests.runtime.virtual import VirtualClock

T = TypeVar("T")

NEWS_WITHIN_S = 0.1
"""How long news may take that nobody has asked for: real time, before the loop's time jumps."""

PATIENCE_S = 20.0

_NEARER = """
local ms = ARGV[1] * 1000
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
  elseif string.find(key, ':life$') then
    for _, field in ipairs({'attended', 'patience', 'reborn'}) do
      local time = redis.call('HGET', key, field)
      if time then redis.call('HSET', key, field, string.format('%.0f', time - ms)) end
    end
  end
  if left >= 0 then redis.call('PEXPIRE', key, math.floor(left - ms)) end
end
"""


class _Patient(selectors.BaseSelector):
    def __init__(self, waiting: Callable[[], bool]) -> None:
        self._real = selectors.DefaultSelector()
        self._waiting = waiting
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._real.select(0)
        if timeout is None or self._waiting():
            ready = self._real.select(PATIENCE_S)
            assert ready, "the server does not answer"
            return ready
        ready = self._real.select(NEWS_WITHIN_S)
        if not ready:
            self.now += timeout
        return ready

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
    def __init__(self, waiting: Callable[[], bool]) -> None:
        self._patient = _Patient(waiting)
        super().__init__(self._patient)

    def time(self) -> float:
        return self._patient.now


class _Away(AbstractContextManager[None]):
    """The server is killed, and started again over its append-only file."""

    def __init__(self, server: Valkey) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._server.stop(SIGKILL)

    def __exit__(self, *_: object) -> None:
        self._server.start()


class RedisPlace:
    """`server` has the keys; `url` is how stores find it, if that is another."""

    lease_s = 0.5

    def __init__(self, server: Valkey, url: str = "") -> None:
        self.clock = VirtualClock()
        self._server = server
        self._url = url or server.url
        self._rng = Random(1)
        self._keys = Keys("passerby")
        self._stores: list[RedisStore] = []
        self._wiped = False
        with self._by_hand() as redis:
            redis.flushall()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        async def then_close() -> T:
            try:
                return await main
            finally:
                for store in self._stores:
                    await store.hang_up()

        with asyncio.Runner(loop_factory=lambda: _PatientLoop(self._waiting)) as runner:
            return runner.run(then_close())

    def open(self) -> RedisStore:
        return self._open()

    def open_bounded(self, journal_bound: int) -> RedisStore:
        return self._open(journal_bound=journal_bound)

    def _open(self, **options: Any) -> RedisStore:
        words = begin_words(self.clock, self._rng, again=self._wiped)
        with self._by_hand() as redis:
            life = life_of(redis.eval(BEGIN.source, 1, self._keys.life, *words))
        store = RedisStore(way_to(self._url, self._keys), self._keys, self.clock, self._rng, life, **options)
        self._stores.append(store)
        return store

    def wipe(self) -> None:
        self._wiped = True
        with self._by_hand() as redis:
            redis.flushall()

    async def elapse(self, delay_s: float) -> None:
        self.clock.offset_s += delay_s
        with self._by_hand() as redis:
            redis.eval(_NEARER, 0, delay_s)

    async def outlast(self, delay_s: float) -> None:
        """The server's own time cannot be moved."""
        self.clock.offset_s += delay_s
        sleep(delay_s)

    def lost(self) -> AbstractContextManager[None]:
        return _Away(self._server)

    def _waiting(self) -> bool:
        return any(store.busy for store in self._stores)

    def _by_hand(self) -> "Redis":
        return Redis.from_url(self._server.url)
