"""The simulation over a real server (Valkey): the product's Redis store and its scripts, in virtual time.

Workers, people and Telegram are simulated as ever. Only calls of the live store leave the simulation: those of one
moment go to the server together, in a real event loop, while virtual time stands still. So they share batches and
scripts, as the calls of one turn do in a fleet.

    python -m tests.simulation.real_redis 17 [--story]     the verdict on seed 17

Scripts ask the server for its time. Here they read the virtual time from two keys instead. Data that the server itself
expires (done marks, message maps) is kept for hours, and no run is that long.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from functools import partial, reduce
from random import Random
from typing import Any, NamedTuple

from redis import Redis

from passerby.adapters.redis import RedisStore, scripts
from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.generation import begin_args, generation_of
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.scripts import Script
from passerby.kernel.ids import BotId
from passerby.kernel.rules import Rules
from passerby.ports.live_store import Figures, LiveStore
from passerby.ports.tickets import TicketFeed
from tests.contract.servers import start_valkey
from tests.simulation.fleet_run import FleetRun, tell
from tests.simulation.process import Build
from tests.simulation.remote_store import RemoteStore
from tests.simulation.run import Verdict, simulate
from tests.simulation.sim_fleet import SimFleet
from tests.simulation.virtual_time import VirtualClock, VirtualLoop

MOMENT_S = 0.0005
"""Calls that reach the server within this time go there together."""
LOOK_EVERY_S = 0.1
_TIME = "redis.call('TIME')"
_VIRTUAL = "{redis.call('GET', 'virtual:s'), redis.call('GET', 'virtual:us')}"


class ScriptBug(NamedTuple):
    """A piece of a script, and what takes its place."""

    script: str
    right: str
    wrong: str


BUGS = (
    ScriptBug("COMMIT", "if version ~= tonumber(ARGV[at + 2]) - 1 and", "if false and"),
    ScriptBug("COMMIT", "  entry_settled(ARGV[settled_at + i])\n", ""),
    ScriptBug("MARK", "redis.call('BITFIELD', marks, unpack(sets))", ""),
    ScriptBug("INHERIT", "if not living[owner] then", "if false then"),
)
"""The run must notice each of them."""


@contextmanager
def virtual_scripts(*bugs: ScriptBug) -> Iterator[None]:
    """During the block, scripts take the time from two keys, and have these bugs."""
    former = {name: script for name, script in vars(scripts).items() if isinstance(script, Script)}
    try:
        for name, script in former.items():
            changes = [(bug.right, bug.wrong) for bug in bugs if bug.script == name]
            assert all(right in script.source for right, _ in changes), "the script was changed: adapt the bug"
            source = reduce(lambda text, change: text.replace(*change), (*changes, (_TIME, _VIRTUAL)), script.source)
            setattr(scripts, name, scripts.named(source, lasting=script.lasting))
        yield
    finally:
        vars(scripts).update(former)


class RealServer:
    """Has the interface of `process.Server`."""

    def __init__(self, loop: VirtualLoop, clock: VirtualClock, url: str, rng: Random, delay_s: float, forgets: float):
        self.loop = loop
        self.down_until = 0.0
        self.troubles = False
        self._clock = clock
        self._url = url
        self._rng = rng
        self._delay_s = delay_s
        self._forgets = forgets
        self._keys = Keys("passerby")
        self._hand = Redis.from_url(url)
        self._hand.flushall()
        self._real = asyncio.new_event_loop()
        self._stores: list[RedisStore] = []
        self._calls: list[tuple[Callable[[], Awaitable[Any]], asyncio.Future[Any]]] = []
        self._moment = Context()
        self.batches = 0

    def reach(self, rng: Random, cut_off: Callable[[], bool], done: Callable[[], object]) -> LiveStore:
        """See `process.Server`. Each process has a store of its own, with connections of its own."""

        def lost() -> bool:
            return cut_off() or self.loop.time() < self.down_until

        def forgetful() -> bool:
            done()
            return self.troubles and rng.random() < self._forgets

        store = self._open(rng)
        way: Any = RemoteStore(_Near(self, store), rng, self._delay_s, lost, late_answers=True, forgetful=forgetful)
        found: LiveStore = way
        return found

    async def figures(self) -> Figures:
        keys = self._keys
        return Figures(
            self._hand.hlen(keys.waiting),
            self._hand.hlen(keys.chats),
            self._hand.hlen(keys.outbox),
            self._hand.xlen(keys.journal),
        )

    def wipe(self) -> None:
        self._hand.flushall()

    def end(self) -> None:
        async def hang_up() -> None:
            for store in self._stores:
                await store.hang_up()

        self._really(hang_up())
        self._real.close()
        self._hand.close()

    async def call(self, method: Callable[..., Awaitable[Any]], *args: Any, **more: Any) -> Any:
        """Call the server, together with everything else of this moment. A kill of the caller does not end the call."""
        answer = self.loop.create_future()
        if not self._calls:
            self.loop.call_later(MOMENT_S, self._call, context=self._moment)
        self._calls.append((partial(method, *args, **more), answer))
        return await answer

    def _call(self) -> None:
        calls, self._calls = self._calls, []
        self.batches += len(calls) > 1

        async def together() -> list[Any]:
            return await asyncio.gather(*(call() for call, _ in calls), return_exceptions=True)

        for found, (_, answer) in zip(self._really(together()), calls, strict=True):
            if answer.cancelled():
                continue
            if isinstance(found, BaseException):
                answer.set_exception(found)
            else:
                answer.set_result(found)

    def _open(self, rng: Random) -> RedisStore:
        self._tell_time()
        keys = self._keys
        where = (keys.store, keys.workers, keys.leases, keys.journal)
        begun = self._hand.eval(scripts.BEGIN.source, len(where), *where, *begin_args(self._clock, rng))

        async def make() -> RedisStore:
            return RedisStore(connector(self._url, keys), keys, self._clock, rng, generation_of(begun))

        store: RedisStore = self._really(make())
        self._stores.append(store)
        return store

    def _really(self, work: Any) -> Any:
        self._tell_time()
        asyncio.events._set_running_loop(None)
        try:
            return self._real.run_until_complete(work)
        finally:
            asyncio.events._set_running_loop(self.loop)

    def _tell_time(self) -> None:
        second, us = divmod(round(self._clock.now() * 1_000_000), 1_000_000)
        self._hand.mset({"virtual:s": second, "virtual:us": us})


class _Near:
    """The store of one process, as the simulation calls it."""

    def __init__(self, server: RealServer, store: RedisStore) -> None:
        self._server = server
        self._store = store

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found) or name == "is_held":
            return found

        async def call(*args: Any, **more: Any) -> Any:
            return await self._server.call(found, *args, **more)

        return call

    async def tickets(self, pool: Any, cursor: int | None, wait_s: float) -> TicketFeed:
        """A wait must take virtual time."""
        loop = self._server.loop
        ends_at = loop.time() + wait_s
        while True:
            feed: TicketFeed = await self._server.call(self._store.tickets, pool, cursor, 0.0)
            if feed.changes or feed.whole or loop.time() >= ends_at:
                return feed
            await asyncio.sleep(min(LOOK_EVERY_S, ends_at - loop.time()))


def simulate_over_redis(seed: int, url: str, *bugs: ScriptBug) -> Verdict:
    """As `fleet_run.simulate_fleet`. The server must be of no other use: it is emptied."""

    class Fleet(SimFleet):
        def make_server(self, rng: Random) -> Any:
            return RealServer(self.loop, self.clock, url, rng, self.delay_s, rng.choice((0.0, 0.002, 0.02)))

    class OverRedis(FleetRun):
        def make_host(self, tokens: dict[BotId, str], rng: Random, build: Build, delay_s: float, rules: Rules) -> Any:
            return Fleet(
                self.loop, self.clock, self.network, tokens, rng, build, delay_s or 0.002, rules, size=rng.randint(2, 4)
            )

    with virtual_scripts(*bugs):
        return simulate(seed, kind=OverRedis)


def main() -> None:
    with start_valkey("--save", "") as server:
        tell(simulate_over_redis(int(sys.argv[1]), server.url))


if __name__ == "__main__":
    main()
