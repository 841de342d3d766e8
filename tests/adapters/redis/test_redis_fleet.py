"""The Redis store's own part in leases: a wipe under a fleet, a killed server, lost answers."""

import asyncio
import os
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
from redis import Redis

from passerby.adapters.redis import RedisStore, RedisUnreachable, RedisWiped
from passerby.adapters.redis.outbox import PAGE
from passerby.kernel.ids import PersonId
from passerby.ports.leases import Fence, Fenced, WorkerId, bot_lease
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit, Committed
from passerby.ports.shared_budgets import Account
from tests.adapters.redis.stores import Wire, opened, wait_at_most
from tests.contract.live_body import settled
from tests.contract.live_values import ANN, BEN, BOT, CHAT, EVE, couple, fact, notice, somebody, update
from tests.contract.servers import Valkey
from tests.staged import in_a_loop

pytestmark = pytest.mark.services

ONE, OTHER, GONE = WorkerId("one"), WorkerId("other"), WorkerId("gone")
LEASE = bot_lease(BOT)
LONG_S = 3600.0
SHORT_S = 0.2


async def holding(store: RedisStore, worker: WorkerId = ONE, ttl_s: float = LONG_S) -> int:
    """Return the epoch of `LEASE`, taken by this worker."""
    await store.heartbeat(worker, {}, ttl_s, b"")
    epoch = await store.take(worker, LEASE, ttl_s)
    assert epoch is not None
    return epoch


@in_a_loop
async def test_a_wipe_moves_no_lease(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        await one.adopt((), whole=True)
        epoch = await holding(one)
        await other.heartbeat(OTHER, {}, LONG_S, b"")
        by_hand.flushall()
        for store, worker in ((one, ONE), (other, OTHER)):
            with pytest.raises(RedisWiped):
                await store.heartbeat(worker, {}, LONG_S, b"")
        await one.adopt(couple(), whole=True)
        await other.heartbeat(OTHER, {}, LONG_S, b"")
        assert await other.take(OTHER, LEASE, LONG_S) is None, "its holder has not come back yet"
        members = await one.heartbeat(ONE, {LEASE: epoch}, LONG_S, b"")
        assert [*members.kept] == [LEASE]
        assert members.holders == {LEASE: ONE}
        assert await one.commit(Commit((somebody(EVE),), fences=(Fence(LEASE, epoch),))) is Committed.YES
        await one.give(ONE, LEASE, epoch)
        taken = await other.take(OTHER, LEASE, LONG_S)
        assert taken is not None
        assert taken > epoch
        with pytest.raises(Fenced):
            await one.mark(Mark((update(7),), fences=(Fence(LEASE, epoch),)))


@in_a_loop
async def test_after_a_wipe_an_abandoned_lease_can_be_taken_with_a_new_epoch(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        epoch = await holding(one, GONE)
        by_hand.flushall()
        with pytest.raises(RedisWiped):
            await other.pools()
        await other.adopt((), whole=True)
        async with asyncio.timeout(120):
            while True:
                await other.heartbeat(OTHER, {}, SHORT_S, b"")
                taken = await other.take(OTHER, LEASE, SHORT_S)
                if taken is not None:
                    break
                await asyncio.sleep(0.01)
        assert taken > epoch


@in_a_loop
async def test_a_fresh_server_hands_out_leases_at_once(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        await holding(store)


@in_a_loop
async def test_a_worker_learns_of_an_adoption_by_its_heartbeat(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        await one.adopt((somebody(ANN),))
        await other.heartbeat(OTHER, {}, LONG_S, b"")
        assert [one.newborn, other.newborn] == [True, True], "that was one person, not the whole"
        await one.adopt(couple(), whole=True)
        await other.heartbeat(OTHER, {}, LONG_S, b"")
        assert [one.newborn, other.newborn] == [False, False]


@in_a_loop
async def test_a_wiped_store_adopts_no_single_person(valkey: Valkey, by_hand: Redis) -> None:
    """The person may be in a chat that still has to be adopted."""
    async with opened(valkey.url) as store:
        by_hand.flushall()
        for _ in range(2):
            with pytest.raises(RedisWiped):
                await store.adopt((somebody(ANN),))
        assert store.newborn
        await store.adopt(couple(), whole=True)
        await store.adopt((somebody(EVE),))
        assert await store.load(EVE) is not None


@in_a_loop
async def test_the_journal_of_another_generation_is_not_trimmed(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        before = store.generation
        by_hand.flushall()
        with pytest.raises(RedisWiped):
            await store.trim_journal(1, before)
        await store.adopt((), whole=True)
        await store.commit(Commit(facts=(fact(1),)))
        await store.trim_journal(1, before)
        assert await store.journal(0, 10) == [(1, fact(1))]
        await store.trim_journal(1, store.generation)
        assert await store.journal(0, 10) == []


@in_a_loop
async def test_leases_outlive_a_kill_of_the_server(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        epoch = await holding(store)
        valkey.stop(SIGKILL)
        valkey.start()
        await settled(store)
        members = await store.heartbeat(ONE, {LEASE: epoch}, LONG_S, b"")
        assert [*members.kept] == [LEASE]
        assert members.holders == {LEASE: ONE}
        await store.give(ONE, LEASE, epoch)
        await store.heartbeat(OTHER, {}, LONG_S, b"")
        again = await store.take(OTHER, LEASE, LONG_S)
        assert again is not None
        assert again > epoch
        with pytest.raises(Fenced):
            await store.commit(Commit((somebody(ANN),), fences=(Fence(LEASE, epoch),)))
        assert await store.load(ANN) is None


@in_a_loop
async def test_a_lease_that_the_server_has_lost_is_reported_by_its_holder(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        before = await holding(store, OTHER)
        kept = {key: value for key in by_hand.scan_iter() if (value := by_hand.dump(key)) is not None}
        await store.give(OTHER, LEASE, before)
        epoch = await holding(store, ONE)
        for key in by_hand.scan_iter():
            by_hand.delete(key)
        for key, value in kept.items():
            by_hand.restore(key, 0, value)
        with pytest.raises(RedisWiped):
            await store.heartbeat(OTHER, {LEASE: before}, LONG_S, b"")
        await settled(store)
        assert (await store.heartbeat(OTHER, {LEASE: before}, LONG_S, b"")).kept == {LEASE}
        assert (await store.heartbeat(ONE, {LEASE: epoch}, LONG_S, b"")).kept == {LEASE}
        members = await store.heartbeat(OTHER, {LEASE: before}, LONG_S, b"")
        assert not members.kept
        assert members.holders == {LEASE: ONE}
        with pytest.raises(Fenced):
            await store.commit(Commit((somebody(ANN),), fences=(Fence(LEASE, before),)))


@in_a_loop
async def test_more_than_a_page_is_inherited_in_order(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        left = [notice(f"{number}", PersonId(1 + number % 3)) for number in range(PAGE + 7)]
        for number, each in enumerate(left):
            await store.commit(Commit(outbox=(each,), owner=WorkerId(f"gone-{number % 2}")))
        own = notice("own")
        await store.commit(Commit(outbox=(own,), owner=ONE))
        assert await store.inherit(ONE) == left
        assert await store.outbox(ONE) == [*left, own]
        assert await store.inherit(ONE) == []


@in_a_loop
async def test_entries_inherited_without_an_answer_are_returned_the_next_time(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        await store.commit(Commit(outbox=(notice("n"),), owner=GONE))
        await store.inherit(GONE)  # loads the script
        wait_at_most(store, 0.2)
        os.kill(valkey.pid, SIGSTOP)
        try:
            with pytest.raises(RedisUnreachable):
                await store.inherit(ONE)
        finally:
            os.kill(valkey.pid, SIGCONT)
        wait_at_most(store, 60.0)
        await store.commit(Commit(outbox=(notice("own", BEN),), owner=ONE))
        assert await store.inherit(ONE) == [notice("n")]
        assert await store.inherit(ONE) == []


@in_a_loop
async def test_a_lost_answer_never_grants_more_than_the_budget(valkey: Valkey, by_hand: Redis) -> None:
    wire, account = Wire(valkey.url), Account(BOT, ANN)
    async with wire.laid() as url, opened(url) as store:
        await store.pools()
        wire.lose_answer = True
        first = await store.reserve(account, 1 / LONG_S, 10, 4)
        assert wire.breaks == 1
        rest = await store.reserve(account, 1 / LONG_S, 10, 10)
        assert first.granted + rest.granted <= 10


@in_a_loop
async def test_a_budget_is_forgotten_when_it_is_full_again(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        await store.reserve(Account(BOT), 10.0, 5, 5)
        await store.hold(Account(BOT, ANN), 120.0)
    assert 0 < by_hand.pttl("{passerby}:budget:1000001") <= 500
    assert 119_000 < by_hand.pttl("{passerby}:budget:1000001:1") <= 120_000


def test_all_keys_of_the_fleet_have_the_hash_tag(valkey: Valkey, by_hand: Redis) -> None:
    async def main() -> None:
        async with opened(valkey.url) as store:
            epoch = await holding(store)
            await store.commit(Commit(couple(), (), (notice("n"),), owner=GONE, fences=(Fence(LEASE, epoch),)))
            await store.mark(Mark(chat=CHAT, speaker=ANN))
            await store.inherit(ONE)
            await store.reserve(Account(BOT), 1.0, 5, 5)

    asyncio.run(main())
    assert all(key.startswith(b"{passerby}:") for key in by_hand.scan_iter())
