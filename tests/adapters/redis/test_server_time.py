"""Workers whose clocks are years off: what they store together is found, kept and removed by the server's time."""

from random import Random

import pytest
from redis import Redis

from passerby.adapters.redis import RedisStore, open_redis
from passerby.adapters.redis.server_time import ServerTime
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.participant import Idle
from passerby.ports.leases import WorkerId
from passerby.ports.message_map import Mark
from tests.contract.live_body import put
from tests.contract.live_values import ANN, BEN, BOT, CHAT, EVE, at, becomes, copied, couple, fact, somebody
from tests.contract.servers import Valkey
from tests.runtime.virtual import VirtualClock
from tests.staged import in_a_loop

pytestmark = pytest.mark.services

TWO_YEARS_S = 2 * 365 * 86_400.0


class FarClock(VirtualClock):
    """The wall clock is off by some seconds. Monotonic time is right."""

    def __init__(self, off_s: float) -> None:
        super().__init__()
        self.off_s = off_s

    def now(self) -> float:
        return super().now() + self.off_s


class Fleet:
    """Stores of processes with these clocks, on one server."""

    def __init__(self, valkey: Valkey, *clocks: FarClock) -> None:
        self._valkey = valkey
        self._clocks = clocks
        self._stores: list[RedisStore] = []

    async def __aenter__(self) -> list[RedisStore]:
        for number, clock in enumerate(self._clocks):
            store, _ = await open_redis(self._valkey.url, clock, Random(number), may_lose=True)
            self._stores.append(store)
        await self._stores[0].adopt((), whole=True)
        return self._stores

    async def __aexit__(self, *_: object) -> None:
        for store in self._stores:
            await store.hang_up()


@in_a_loop
async def test_replies_find_their_message_whatever_the_clocks_of_the_workers_say(
    valkey: Valkey, by_hand: Redis
) -> None:
    async with Fleet(valkey, FarClock(-TWO_YEARS_S), FarClock(0), FarClock(TWO_YEARS_S)) as stores:
        ann, ben = couple()
        await put(stores[0], ann, ben)
        for number, store in enumerate(stores):
            await store.mark(Mark(chat=CHAT, pairs=(copied(number, 10 + number),)))
        for store in stores:
            for number in range(len(stores)):
                assert await store.counterpart(CHAT, MessageRef(BOT, MessageId(number))) is not None
        assert await stores[2].counterpart(CHAT, at(1)) is not None
        maps = by_hand.keys("{passerby}:map:*")
        assert [86_000 < by_hand.ttl(key) <= 2 * 86_400 for key in maps] == [True], "one map, for one to two days"
        await put(stores[1], becomes(ann, Idle()), becomes(ben, Idle()), ended=(CHAT,))
        assert by_hand.keys("{passerby}:map:*") == []


@in_a_loop
async def test_a_clock_that_is_set_while_a_worker_runs_changes_nothing(valkey: Valkey, by_hand: Redis) -> None:
    clock = FarClock(0)
    async with Fleet(valkey, clock) as (store,):
        await put(store, *couple())
        await store.mark(Mark(chat=CHAT, pairs=(copied(1, 11),)))
        clock.off_s = TWO_YEARS_S
        assert await store.counterpart(CHAT, at(1)) is not None
        await store.heartbeat(WorkerId("one"), {}, 3600.0, b"")
        assert await store.counterpart(CHAT, at(1)) is not None


@in_a_loop
async def test_a_chat_is_idle_for_as_long_as_it_is_whoever_looks(valkey: Valkey, by_hand: Redis) -> None:
    clocks = [FarClock(-TWO_YEARS_S), FarClock(TWO_YEARS_S)]
    async with Fleet(valkey, *clocks) as stores:
        await put(stores[0], *couple())
        await stores[1].mark(Mark(chat=CHAT, pairs=(copied(1, 11),), speaker=BEN))
        for clock, store in zip(clocks, stores, strict=True):
            assert await store.idle_chats(clock.now() - 3600, 10) == []
            (idle,) = await store.idle_chats(clock.now() + 3600, 10)
            assert abs(idle.since - clock.now()) < 3600
            assert idle.speaker == BEN


@in_a_loop
async def test_a_worker_with_a_wrong_clock_removes_nobody_who_was_just_heard_of(valkey: Valkey, by_hand: Redis) -> None:
    async with Fleet(valkey, FarClock(-TWO_YEARS_S), FarClock(TWO_YEARS_S)) as stores:
        for store, person in zip(stores, (ANN, EVE), strict=True):
            await put(store, somebody(person), facts=(fact(person),))
        await stores[0].trim_journal(10, stores[0].generation)
        for store in stores:
            await store.sweep()
        assert len(await stores[0].stored((ANN, EVE))) == 2


def test_before_the_first_answer_the_time_is_our_own() -> None:
    clock = FarClock(0)
    time = ServerTime(clock)
    assert [time.now(), time.of(5.0), time.ours(5.0)] == [clock.now(), 5.0, 5.0]
    time.heard((clock.now() + 100) * 1_000_000)
    assert [time.of(5.0), time.ours(5.0)] == [105.0, -95.0]
    clock.offset_s += 3
    assert time.now() == clock.now() + 100
