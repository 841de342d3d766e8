"""Which keys stay in Redis, and for how long. A key that stays by mistake would fill the server unnoticed.

The port's promises about time are tested in `test_live_store_time`. This is about what the port does not show.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from math import inf
from random import Random
from typing import NamedTuple

import pytest
from redis import Redis

from passerby.adapters.redis import RedisStore, RedisUnreachable
from passerby.adapters.redis.keys import DONE_KEPT_S, EVICTED_KEPT_MS, day_of
from passerby.domain.popularity import PERIOD_S, bits
from passerby.kernel.ids import ChatId, PersonId, search_of
from passerby.kernel.participant import Chatting, Idle
from passerby.ports.leases import WorkerId, bot_lease
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Outgoing
from passerby.ports.participants import Commit, Committed
from passerby.ports.shared_budgets import Account
from tests.contract.live_body import put, settled
from tests.contract.live_redis import RedisPlace
from tests.contract.live_values import (
    ADULTS,
    ANN,
    BEN,
    BOT,
    CHAT,
    EVE,
    NOW,
    OTHER_BOT,
    at,
    becomes,
    copied,
    couple,
    fact,
    notice,
    somebody,
    trail,
    update,
    waiting,
)
from tests.contract.servers import Valkey
from tests.staged import staged

pytestmark = pytest.mark.services

HOUR_S, DAY_S = 3600, 24 * 3600
LONG = 60.0
ONE, TWO, THREE = WorkerId("one"), WorkerId("two"), WorkerId("three")
LEASE = bot_lease(BOT)
OVER = ChatId("over")


class Kept(NamedTuple):
    """For how long a key is kept after it was written, in seconds."""

    least: float
    most: float


FOR_EVER = Kept(inf, inf)
"""Limited by its content, not by time."""

KEPT = {
    **dict.fromkeys(
        (
            *("store", "people", "chats", "idle_chats", "idle", "waiting", "gone", "tickets", "pools"),
            *("outbox", "order", "turns", "journal", "workers", "leases", "epochs", "evicted"),
        ),
        FOR_EVER,
    ),
    "done": Kept(24.9 * HOUR_S, 26 * HOUR_S),
    "crashes": Kept(25.9 * HOUR_S, 26 * HOUR_S),
    "map": Kept(DAY_S, 2 * DAY_S),
    "received": Kept(25.9 * HOUR_S, 26 * HOUR_S),
    "stored": Kept(30, HOUR_S),
    **dict.fromkeys(("conduct", "candidates"), Kept(DAY_S - 60, 2 * DAY_S)),
    "file": Kept(2.9 * DAY_S, 3 * DAY_S),
    "seen": Kept(PERIOD_S, 2 * PERIOD_S),
    "budget": Kept(0.0, 1000.0),
}
"""The expected expiry, by the first word of a key's name."""


class Server:
    """Return the keys that an operator would see with redis-cli."""

    def __init__(self, redis: "Redis") -> None:
        self.redis = redis

    def names(self) -> list[str]:
        return sorted(key.decode().removeprefix("{passerby}:") for key in self.redis.scan_iter())

    def left_s(self, key: str) -> float:
        """How long the server will still keep the key."""
        left = self.redis.pttl("{passerby}:" + key)
        return inf if left == -1 else left / 1000

    def of(self, kind: str) -> list[str]:
        return [key for key in self.names() if key.partition(":")[0] == kind]

    def check(self) -> None:
        for key in self.names():
            kept = KEPT[key.partition(":")[0]]
            assert kept.least <= self.left_s(key) <= kept.most, key


@pytest.fixture
def server(valkey: Valkey) -> Iterator[Server]:
    with Redis.from_url(valkey.url) as redis:
        yield Server(redis)


def trying(valkey: Valkey, body: Callable[[RedisPlace, RedisStore], Awaitable[None]]) -> None:
    place = RedisPlace(valkey)

    async def main() -> None:
        await body(place, place.open())

    place.run(main())


async def everything(store: RedisStore) -> None:
    """Each kind of write, at least once."""
    await store.adopt((somebody(PersonId(9), 3, waiting(PersonId(9))),), whole=True)
    await store.heartbeat(ONE, {}, LONG, b"busy")
    epoch = await store.take(ONE, LEASE, LONG)
    assert epoch is not None
    await put(store, *couple(), outbox=(notice("a"), trail("b")), facts=(fact(1),), updates=(update(7),), owner=ONE)
    await put(store, somebody(EVE, 1, waiting(EVE)))
    await put(store, somebody(EVE, 2))
    for number in (8, 5000):
        await store.mark(Mark((update(number),), chat=CHAT, pairs=(copied(number, 10 + number),), speaker=ANN))
    await store.mark(Mark(anchor=Anchor(CHAT, ANN, at(3))))
    one, two = PersonId(21), PersonId(22)
    over = [somebody(each, 1, Chatting(OVER, other, NOW)) for each, other in ((one, two), (two, one))]
    await put(store, *over)
    await store.mark(Mark(chat=OVER, pairs=(copied(77, 78),)))
    await put(store, *(becomes(each, Idle()) for each in over), ended=(OVER,))
    await store.record_crash((update(11),), "one")
    await store.remember_file("u", BOT, "first")
    await store.sight(bits(b"a key", "cats", ANN))
    await store.keep_conducts(day_of(store._clock.now()), {ANN: b"busy"}, candidates=[ANN])
    await store.reserve(Account(BOT), 5.0, 10, 5)
    await store.reserve(Account(BOT, ANN), 5.0, 10, 5)
    await store.hold(Account(BOT, BEN), 900.0)
    await put(store, outbox=(notice("c"),), owner=TWO)
    await store.inherit(ONE)
    await store.give(ONE, LEASE, epoch)
    await store.sweep()


@staged(trying, "valkey")
async def test_each_kind_of_key_has_its_intended_expiry(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    await everything(store)
    assert {key.partition(":")[0] for key in server.names()} == KEPT.keys(), "nothing else, and each of them once"
    server.check()


@staged(trying, "valkey")
async def test_a_key_that_is_written_again_is_kept_as_long_as_a_new_one(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    """Except keys that belong to one day, such as a map's. They keep their expiry."""
    for hours in range(5):
        await place.elapse(HOUR_S)
        await store.mark(Mark((update(hours),)))
        await put(store, *(couple() if hours == 0 else ()), updates=(update(100 + hours),))
        await store.mark(Mark(chat=CHAT, pairs=(copied(hours, 10 + hours),)))
        await store.record_crash((update(11),), f"crash {hours}")
        await store.remember_file("u", BOT if hours % 2 else OTHER_BOT, f"id {hours}")
        await store.sight(bits(b"a key", f"cats {hours}", ANN))
        await store.hold(Account(BOT, BEN), 900.0)
        server.check()


@staged(trying, "valkey")
async def test_everything_with_an_expiry_is_gone_in_the_end(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    await everything(store)
    await place.elapse(3 * DAY_S + 1)
    assert {key.partition(":")[0] for key in server.names()} <= {
        *(name for name, kept in KEPT.items() if kept is FOR_EVER),
        "seen",
    }
    await place.elapse(2 * PERIOD_S)
    assert not server.of("seen")


@staged(trying, "valkey")
async def test_the_end_of_a_chat_drops_all_its_message_maps_at_once(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    """Also the map of the day before, and of a clock that is ahead."""
    ann, ben = couple()
    await put(store, ann, ben)
    for days in range(2):
        await store.mark(Mark(chat=CHAT, pairs=(copied(days, 10 + days),)))
        await place.elapse(DAY_S)
    await store.mark(Mark(chat=CHAT, pairs=(copied(5, 15),)))
    place.clock.offset_s -= HOUR_S
    assert len(server.of("map")) >= 2
    await put(store, becomes(ann, Idle()), becomes(ben, Idle()), ended=(CHAT,))
    assert server.of("map") == []


@staged(trying, "valkey")
async def test_finished_chats_leave_no_keys_behind(place: RedisPlace, store: RedisStore, /, server: Server) -> None:
    """People searched, chatted and left; entries were put twice, inherited and settled."""
    await store.heartbeat(ONE, {}, LONG, b"")
    searching = [somebody(each, 1, waiting(each)) for each in (ANN, BEN, EVE)]
    await put(store, *searching, outbox=(notice("a"), notice("b", BEN), trail("c")), owner=TWO)
    await store.mark(Mark(anchor=Anchor(search_of(EVE), EVE, at(4))))
    ann, ben = couple(version=2)
    await put(store, ann, ben, becomes(searching[2], Idle()), outbox=(notice("a"),), owner=TWO)
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),), anchor=Anchor(CHAT, ANN, at(3)), speaker=BEN))
    assert len(await store.inherit(ONE)) == 3
    idle = [becomes(each, Idle()) for each in (ann, ben)]
    await put(store, *idle, ended=(CHAT,), sent=("a", "b"), facts=(fact(1), fact(2)))
    await store.mark(Mark(sent=("c", "a")))
    await store.trim_journal(2, store.generation)
    await store.leave(ONE)
    await place.elapse(HOUR_S)
    await store.sweep()
    left = [
        key for key in server.names() if key.partition(":")[0] not in ("store", "gone", "tickets", "stored", "received")
    ]
    assert [key for key in left if server.redis.type("{passerby}:" + key) != b"stream"] == ["evicted"]
    assert server.redis.xlen("{passerby}:journal") == 0
    assert server.redis.zcard("{passerby}:gone") == server.redis.hlen("{passerby}:tickets") == 3


@staged(trying, "valkey")
async def test_evicted_workers_are_forgotten_after_a_month(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    await put(store, outbox=(notice("a"),), owner=ONE)
    await store.inherit(TWO)
    await place.outlast(EVICTED_KEPT_MS / 1000 - DAY_S)
    await put(store, outbox=(notice("b"),), owner=THREE)
    await store.inherit(TWO)
    assert server.redis.zrange("{passerby}:evicted", 0, -1) == [b"one", b"three"]
    await place.outlast(2 * DAY_S)
    await store.inherit(TWO)
    assert server.redis.zrange("{passerby}:evicted", 0, -1) == [b"three"]


@staged(trying, "valkey")
async def test_a_repeated_answer_is_also_a_write(place: RedisPlace, store: RedisStore, /, server: Server) -> None:
    """A store that waits for replicas waits for its last write. If the answer were not a write, it would not wait."""
    commit = Commit((somebody(ANN),), updates=(update(7),))
    assert await store.commit(commit) is Committed.YES
    await place.elapse(0.5 * HOUR_S)
    assert await store.commit(commit) is Committed.ALREADY_DONE
    (done,) = server.of("done")
    assert server.left_s(done) > DONE_KEPT_S - 60


@staged(trying, "valkey")
async def test_a_server_that_went_back_in_time_never_repeats_a_number(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    """After a promotion, or with a file that lost its end: facts, entries, tickets and epochs get higher numbers."""
    redis = server.redis
    await store.heartbeat(ONE, {}, LONG, b"")
    await put(store, outbox=(notice("old"),), facts=(fact(1),), owner=ONE)
    kept = [(key, redis.dump(key)) for key in redis.scan_iter()]
    lost = await store.take(ONE, LEASE, LONG)
    assert lost is not None
    await put(store, somebody(BEN, 1, waiting(BEN)), outbox=(notice("z lost"),), facts=(fact(2),), owner=ONE)
    feed = await store.tickets(ADULTS, None, 0)
    (member, *_) = [each for each in redis.zrange("{passerby}:order", 0, -1) if b"z lost" in each]
    redis.flushall()
    for key, value in kept:
        assert value is not None
        redis.restore(key, 0, value)
    await store.hang_up()
    # Like another server: `run` holds a different name than at the last handshake.
    redis.hset("{passerby}:store", "run", "another")
    again = place.open()
    await settled(again)
    for _ in range(2):
        await again.heartbeat(ONE, {}, LONG, b"")
        await place.outlast(0.6 * LONG)  # holders have had the time to name their leases
    epoch = await again.take(ONE, bot_lease(OTHER_BOT), LONG)
    assert epoch is not None
    assert epoch > lost
    await put(again, somebody(EVE, 1, waiting(EVE)), outbox=(notice("a new"),), facts=(fact(3),), owner=ONE)
    assert (await again.journal(1, 10))[0][0] > 2
    (newer, *_) = [each for each in redis.zrange("{passerby}:order", 0, -1) if b"a new" in each]
    assert newer > member
    news = await again.tickets(ADULTS, feed.cursor, 0)
    assert news.whole
    assert {change.person for change in news.changes} == {EVE}


@staged(trying, "valkey")
async def test_after_a_wipe_no_worker_is_evicted_before_it_could_send_a_heartbeat(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    """The store does not know who was living before the wipe. Workers that send heartbeats in time were."""
    place.wipe()
    again = place.open()
    await again.adopt((), whole=True)
    await put(again, outbox=(notice("a"),), owner=ONE)
    await again.heartbeat(TWO, {}, LONG, b"")
    assert await again.inherit(TWO) == []
    await place.outlast(0.9 * LONG)
    await again.heartbeat(TWO, {}, LONG, b"")
    await again.heartbeat(ONE, {}, LONG, b"")
    await place.outlast(0.9 * LONG)
    assert await again.inherit(TWO) == [], "one has come back"
    await again.heartbeat(TWO, {}, LONG, b"")
    await place.outlast(0.9 * LONG)
    await again.heartbeat(TWO, {}, LONG, b"")
    assert await again.inherit(TWO) == [notice("a")], "and has gone since"


@staged(trying, "valkey")
async def test_a_reader_that_knows_more_than_the_server_starts_again(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    await put(store, somebody(ANN, 1, waiting(ANN)))
    feed = await store.tickets(ADULTS, None, 0)
    news = await store.tickets(ADULTS, feed.cursor + 5, 0)
    assert news.whole
    assert [change.person for change in news.changes] == [ANN]


@staged(trying, "valkey")
async def test_calls_of_two_processes_have_different_names(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    """Otherwise one would be told that its commit is stored, because the other's is."""
    place._rng = Random(2)
    other = place.open()
    results = [await each.commit(Commit(outbox=(notice(f"{n}"),))) for n in range(3) for each in (store, other)]
    assert results == [Committed.YES] * 6
    assert len(server.of("stored")) == 6
    await asyncio.gather(*(each.mark(Mark(chat=ChatId("none"), speaker=ANN)) for each in (store, other)))


@staged(trying, "valkey")
async def test_an_inheritance_without_an_answer_is_asked_for_again_after_a_long_outage(
    place: RedisPlace, store: RedisStore, /, server: Server
) -> None:
    """Its entries belong to this worker already. Nobody else would send them."""
    await store.heartbeat(TWO, {}, LONG, b"")
    await put(store, outbox=(notice("a"), notice("b", BEN)), owner=ONE)
    entries = store._entries

    async def lost(*_: object) -> list[Outgoing]:
        raise RedisUnreachable

    store._entries = lost  # type: ignore[method-assign, assignment]
    with pytest.raises(RedisUnreachable):
        await store.inherit(TWO)
    store._entries = entries  # type: ignore[method-assign]
    await place.outlast(0.5 * HOUR_S)
    await store.heartbeat(TWO, {}, LONG, b"")
    assert await store.inherit(TWO) == [notice("a"), notice("b", BEN)]
    assert await store.inherit(TWO) == []


def test_time_that_a_slow_machine_takes_is_not_time_that_passes(valkey: Valkey) -> None:
    """Otherwise a busy test machine ends the leases of workers that send their heartbeats in time."""
    place = RedisPlace(valkey)

    async def main() -> None:
        store = place.open()
        await store.heartbeat(ONE, {}, 6.0, b"")
        place.server_goes_on(10.0)
        await asyncio.sleep(1.0)
        assert set((await store.heartbeat(TWO, {}, 6.0, b"")).workers) == {ONE, TWO}
        await asyncio.sleep(5.5)
        assert set((await store.heartbeat(TWO, {}, 6.0, b"")).workers) == {TWO}

    place.run(main())
