"""A server that has, or may have, lost its newest writes. Every process notices, and nobody is served before the
records are compared."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from signal import SIGKILL
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import RedisError

from passerby.adapters.redis import RedisStore, RedisWiped
from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.keys import Keys
from passerby.kernel.decision import Facts
from passerby.kernel.participant import Idle
from passerby.ports.doubts import Doubts, RollCallAnswers
from passerby.ports.leases import WorkerId, bot_lease
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit, Committed
from tests.adapters.redis.stores import Sentinel, opened
from tests.contract.live_body import put, settled
from tests.contract.live_values import ANN, BEN, BOT, CHAT, EVE, becomes, couple, fact, notice, somebody, update
from tests.contract.servers import Valkey
from tests.ports import free_port
from tests.staged import in_a_loop, staged

pytestmark = pytest.mark.services

ONE, OTHER = WorkerId("one"), WorkerId("other")
LEASE = bot_lease(BOT)
LONG_S = 3600.0
UNSURE, OLDER = Doubts(is_unsure=True), Doubts(is_unsure=True, is_older=True)


class Copy:
    """All data of a server, to restore it later."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._kept = {key: redis.dump(key) for key in redis.scan_iter()}

    def put_back(self) -> None:
        self._redis.flushall()
        for key, value in self._kept.items():
            assert value is not None
            self._redis.restore(key, 0, value)


def on(valkey: Valkey, body: Callable[[RedisStore, RedisStore], Awaitable[None]]) -> None:
    """Run `body` with the stores of two processes. Ann and Ben are in a chat."""

    async def main() -> None:
        async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
            await one.adopt((), whole=True)
            await put(one, *couple(), facts=(fact(1),))
            await one.heartbeat(ONE, {}, LONG_S, b"")
            await other.heartbeat(OTHER, {}, LONG_S, b"")
            await body(one, other)

    asyncio.run(main())


async def doubted(store: RedisStore) -> Doubts:
    """Return the store's doubts, once it has noticed."""
    async with asyncio.timeout(120):
        while not store.doubts:
            with suppress(LiveStoreLost):
                await store.heartbeat(OTHER, {}, LONG_S, b"")
    return store.doubts


def restart(valkey: Valkey) -> None:
    valkey.stop(SIGKILL)
    valkey.start()


@staged(on, "valkey")
async def test_after_a_restart_of_the_server_nobody_is_served_before_a_comparison(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    generation = one.generation
    restart(valkey)
    for store in (one, other):
        for _ in range(2):
            for ask in (
                store.load(ANN),
                store.commit(Commit((somebody(EVE),))),
                store.mark(Mark((update(1),))),
                store.heartbeat(ONE, {}, LONG_S, b""),
                store.take(ONE, LEASE, LONG_S),
                store.journal(0, 10),
                store.trimmed(),
                store.outbox(ONE),
                store.open_chats((CHAT,)),
                store.adopt((somebody(BEN, 3),)),
            ):
                with pytest.raises(RedisWiped):
                    await ask
        assert [store.generation == generation, store.newborn, store.doubts] == [False, False, UNSURE]
    assert one.generation == other.generation
    async with opened(valkey.url, 3) as late:
        assert [late.generation, late.doubts] == [one.generation, UNSURE]
        with pytest.raises(RedisWiped):
            await late.load(ANN)


@staged(on, "valkey")
async def test_one_worker_compares_and_repairs_and_then_all_continue(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    restart(valkey)
    assert [await doubted(one), await doubted(other)] == [UNSURE, UNSURE]
    claims = [await store.claim_doubts(name, LONG_S) for store, name in ((one, ONE), (other, OTHER), (one, ONE))]
    assert claims == [True, False, True]
    ann, ben = couple()
    assert {held.participant for held in await one.everybody()} == {ann, ben}
    assert set(await one.stored((ANN, EVE))) == {ANN}
    repair = Commit((becomes(ann, Idle()), becomes(ben, Idle())), (CHAT,), (notice("n"),), repairs=True)
    assert await one.commit(repair) is Committed.YES
    assert await one.commit(Commit(facts=(fact(9),), repairs=True)) is Committed.YES
    with pytest.raises(RedisWiped):
        await other.load(ANN)
    await one.adopt((), whole=True)
    for store in (one, other):
        facts = await store.load(ANN)
        assert facts is not None
        assert isinstance(facts.me.state, Idle)
        assert [store.doubts, store.newborn] == [Doubts(), False]
    assert not await other.claim_doubts(OTHER, LONG_S), "there are none any more"


@staged(on, "valkey")
async def test_a_worker_that_starts_during_a_comparison_learns_when_it_is_done(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    restart(valkey)
    await doubted(one)
    async with opened(valkey.url, 3) as late:
        assert await one.claim_doubts(ONE, LONG_S)
        assert not await late.claim_doubts(OTHER, LONG_S)
        assert late.doubts
        await one.adopt((), whole=True)
        assert not await late.claim_doubts(OTHER, LONG_S)
        assert not late.doubts
        assert await late.load(ANN) == Facts(*couple())


@staged(on, "valkey")
async def test_a_worker_that_has_seen_more_than_the_server_reports_an_older_state(
    one: RedisStore, other: RedisStore, /, by_hand: Redis
) -> None:
    """The server keeps running, so nothing else shows the loss."""
    copy = Copy(by_hand)
    await one.heartbeat(ONE, {}, LONG_S, b"")
    copy.put_back()
    with pytest.raises(RedisWiped):
        await one.heartbeat(ONE, {}, LONG_S, b"")
    assert one.doubts == OLDER
    assert await doubted(other) == OLDER
    assert one.generation == other.generation, "both have noticed, and it is one new generation"
    await settled(one)
    assert await other.load(ANN) == Facts(*couple())


@staged(on, "valkey")
async def test_a_restart_on_an_older_file_counts_as_an_older_state(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    copy = Copy(by_hand)
    await one.heartbeat(ONE, {}, LONG_S, b"")
    copy.put_back()
    restart(valkey)
    assert await doubted(one) == OLDER
    assert await doubted(other) == OLDER
    restart(valkey)
    with suppress(LiveStoreLost):
        await other.everybody()
    assert await doubted(other) == OLDER, "another restart does not remove the doubt"


@staged(on, "valkey")
async def test_a_former_generation_that_returns_is_not_taken_for_the_present_one(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    """The old server was cut off but never stopped. It has its own name for its generation, and notices nothing."""
    former = one.generation
    copy = Copy(by_hand)
    restart(valkey)
    await doubted(one)
    await settled(one)
    await one.heartbeat(ONE, {}, LONG_S, b"")
    run = by_hand.hget("{passerby}:store", "run")
    copy.put_back()
    by_hand.hset("{passerby}:store", "run", run or b"")
    assert by_hand.hget("{passerby}:store", "generation") == former.encode()
    with pytest.raises(RedisWiped):
        await one.load(ANN)
    assert one.doubts == OLDER
    assert one.generation != former


@staged(on, "valkey")
async def test_a_generation_that_ended_during_its_comparison_is_not_declared_sound(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    restart(valkey)
    await doubted(one)
    restart(valkey)
    await doubted(other)
    with pytest.raises(LiveStoreLost):
        await one.adopt((), whole=True)
    assert one.doubts
    with pytest.raises(RedisWiped):
        await other.load(ANN)


@staged(on, "valkey")
async def test_the_journal_of_a_doubtful_generation_is_counted_separately(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    await put(one, facts=(fact(2),))
    (first, *_), (last, *_) = await one.journal(0, 10)
    await one.trim_journal(first, one.generation)
    assert await one.trimmed() == first
    restart(valkey)
    await doubted(one)
    await settled(one)
    assert await one.trimmed() == 0, "the records have nothing of this generation"
    assert (await one.stored((ANN,)))[ANN].recorded, "but they do hold the facts that were recorded"
    assert await one.journal(0, 10) == [(last, fact(2))]


@staged(on, "valkey")
async def test_the_workers_of_a_generation_are_known_to_the_next_one(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    restart(valkey)
    await doubted(one)
    assert await one.answer_roll(ONE) == RollCallAnswers(frozenset({ONE}), frozenset({ONE, OTHER}))
    restart(valkey)
    with suppress(LiveStoreLost):
        await one.everybody()
    await doubted(other)
    assert await other.answer_roll(None) == RollCallAnswers(frozenset(), frozenset({ONE, OTHER})), (
        "a second restart before the repair"
    )


@staged(on, "valkey")
async def test_nobody_is_taken_for_dead_because_a_repair_took_long(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    """Nobody can send heartbeats during a repair."""
    await other.commit(Commit(outbox=(notice("a"),), owner=OTHER))
    restart(valkey)
    await doubted(one)
    by_hand.hincrby("{passerby}:store", "reborn", -round(2000 * LONG_S))
    await settled(one)
    await one.heartbeat(ONE, {}, LONG_S, b"")
    assert await one.inherit(ONE) == []


@in_a_loop
async def test_a_server_that_fails_over_may_lack_writes_if_no_replica_is_waited_for(
    valkey: Valkey, by_hand: Redis
) -> None:
    """A sentinel may have chosen a replica that lacked the newest writes. From here it only looks like a restart."""
    port = urlsplit(valkey.url).port
    silent, knowing = Sentinel(None), Sentinel(port)
    async with silent.listening() as first, knowing.listening() as second:
        seeds = f"127.0.0.1:{free_port()},127.0.0.1:{first},127.0.0.1:{second}"
        connect = connector(f"redis+sentinel://:secret@{seeds}/ours", Keys("passerby"))
        with suppress(RedisError):  # this server has no password
            await connect()
        assert [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", b"ours"] in silent.heard
        assert [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", b"ours"] in knowing.heard
        assert not any(command[0] == b"AUTH" for command in (*silent.heard, *knowing.heard)), "sentinels have their own"
        async with opened(f"redis+sentinel://{seeds}/ours") as store:
            await store.adopt((), whole=True)
            restart(valkey)
            assert await doubted(store) == OLDER


@staged(on, "valkey")
async def test_facts_that_outlived_their_store_are_not_overwritten(
    one: RedisStore, other: RedisStore, /, by_hand: Redis
) -> None:
    """Keys of a cluster can be lost one by one. The number of the newest fact is in another key than the facts."""
    before = await one.journal(0, 10)
    by_hand.delete("{passerby}:store")
    with suppress(LiveStoreLost):
        await one.figures()
    await one.adopt((), whole=True)
    await put(one, facts=(fact(2),))
    found = await one.journal(0, 10)
    assert found[:-1] == before
    assert found[-1] == (before[-1][0] + 1, fact(2))


@staged(on, "valkey")
async def test_a_store_key_that_is_lost_alone_uses_no_number_of_the_journal_again(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    """The records have the whole journal, so no entry is left to tell its last number."""
    by_hand.hset("{passerby}:store", "facts", 3_000_000)  # like after several restarts of the server
    await one.commit(Commit(facts=(fact(2),)))
    await one.trim_journal(3_000_001, one.generation)
    by_hand.delete("{passerby}:store")
    async with opened(valkey.url, 3) as late:
        await late.adopt((), whole=True)
        assert await late.commit(Commit(facts=(fact(3),))) is Committed.YES
        assert [number > 3_000_001 for number, _ in await late.journal(0, 10)] == [True]


@staged(on, "valkey")
async def test_a_commit_whose_facts_are_refused_leaves_nothing_behind(
    one: RedisStore, other: RedisStore, /, valkey: Valkey, by_hand: Redis
) -> None:
    await one.trim_journal(1, one.generation)
    by_hand.hset("{passerby}:store", "facts", 0)
    commit = Commit((somebody(EVE),), updates=(update(7),), facts=(fact(2),))
    with pytest.raises(RedisError):
        await one.commit(commit)
    assert await one.load(EVE) is None
    assert await one.commit(commit) is Committed.YES, "the update was not marked as done"
