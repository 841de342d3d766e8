"""The contract of `passerby.ports.leases.Leases`, and of writes and the outbox under leases.

If a lease must run out, it lasts `place.lease_s`; otherwise it is `LONG`. The place lets time pass. A server also
counts the time that really passes, so both are long enough for a slow machine.
"""

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from passerby.kernel.ids import PoolId
from passerby.kernel.participant import Idle
from passerby.ports.leases import (
    NOBODY,
    Evicted,
    Fence,
    Fenced,
    LeaseName,
    Members,
    WorkerId,
    bot_lease,
    duty_lease,
    pool_lease,
)
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit, Committed
from tests.contract.live_body import contract, put, survives
from tests.contract.live_places import Place
from tests.contract.live_values import (
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
    parked,
    somebody,
    trail,
    update,
    waiting,
)

LONG = 120.0
ONE, TWO, THREE = WorkerId("one"), WorkerId("two"), WorkerId("three")
LEASE, OTHER = bot_lease(BOT), bot_lease(OTHER_BOT)


async def come(store: LiveStore, *workers: WorkerId, ttl_s: float = LONG) -> None:
    for worker in workers:
        await store.heartbeat(worker, {}, ttl_s, b"")


async def taken(store: LiveStore, worker: WorkerId, lease: LeaseName = LEASE, ttl_s: float = LONG) -> int:
    await come(store, worker, ttl_s=ttl_s)
    epoch = await store.take(worker, lease, ttl_s)
    assert epoch is not None
    return epoch


async def die(place: Place, store: LiveStore, *others: WorkerId) -> None:
    """Let time pass with heartbeats of these workers only. Others that named `place.lease_s` are dead then."""
    for _ in range(3):
        await come(store, *others)
        await place.outlast(0.4 * place.lease_s)
    await come(store, *others)


def of(members: Members) -> tuple[list[tuple[WorkerId, bytes]], Mapping[LeaseName, WorkerId]]:
    return list(members.workers.items()), dict(members.holders)


@contract
async def test_a_lease_has_one_holder(place: Place) -> None:
    store = place.open()
    await come(store, ONE, TWO)
    assert await store.take(ONE, LEASE, LONG) is not None
    assert await store.take(TWO, LEASE, LONG) is None
    assert await store.take(TWO, OTHER, LONG) is not None


@contract
async def test_only_one_of_many_takers_gets_the_lease(place: Place) -> None:
    stores = [place.open()]
    workers = [WorkerId(f"worker {number}") for number in range(8)]
    for worker in workers:
        await come(stores[0], worker)
    got = await asyncio.gather(
        *(stores[number % len(stores)].take(worker, LEASE, LONG) for number, worker in enumerate(workers))
    )
    (winner,) = [worker for worker, epoch in zip(workers, got, strict=True) if epoch is not None]
    assert (await stores[0].members()).holders == {LEASE: winner}


@contract
async def test_each_new_holder_gets_a_higher_epoch(place: Place) -> None:
    store = place.open()
    first = await taken(store, ONE)
    await store.give(ONE, LEASE, first)
    second = await taken(store, TWO)
    await store.give(TWO, LEASE, second)
    third = await taken(store, ONE)
    assert first < second < third


@contract
async def test_a_holder_takes_its_lease_again_at_the_same_epoch(place: Place) -> None:
    """An answer may have been lost."""
    store = place.open()
    epoch = await taken(store, ONE)
    assert await store.take(ONE, LEASE, LONG) == epoch


@contract
async def test_a_worker_cannot_give_away_a_lease_it_does_not_hold(place: Place) -> None:
    store = place.open()
    old = await taken(store, ONE)
    await store.give(ONE, LEASE, old)
    epoch = await taken(store, TWO)
    for worker, number in [(ONE, old), (ONE, epoch), (TWO, old), (THREE, epoch)]:
        await store.give(worker, LEASE, number)
    assert (await store.members()).holders == {LEASE: TWO}
    assert await store.take(ONE, LEASE, LONG) is None


@contract
async def test_leases_of_different_kinds_do_not_collide(place: Place) -> None:
    store = place.open()
    names = [bot_lease(BOT), pool_lease(PoolId(str(BOT))), duty_lease(str(BOT))]
    assert len(set(names)) == 3
    await come(store, ONE, TWO, THREE)
    for worker, name in zip((ONE, TWO, THREE), names, strict=True):
        assert await store.take(worker, name, LONG) is not None
    assert (await store.members()).holders == dict(zip(names, (ONE, TWO, THREE), strict=True))


@contract
async def test_members_lists_the_workers_and_their_leases(place: Place) -> None:
    store = place.open()
    await come(store, TWO)
    epoch = await taken(store, ONE)
    members = await store.heartbeat(ONE, {LEASE: epoch}, LONG, b"\x00busy")
    assert members.kept == {LEASE}
    assert of(members) == ([(TWO, b""), (ONE, b"\x00busy")], {LEASE: ONE})
    again = await store.heartbeat(TWO, {}, LONG, b"idle")
    assert again.kept == frozenset()
    assert of(again) == ([(TWO, b"idle"), (ONE, b"\x00busy")], {LEASE: ONE}), "in the order they came"
    looked = await store.members()
    assert looked.kept == frozenset()
    assert of(looked) == of(again)


@contract
async def test_reading_the_members_is_not_a_heartbeat(place: Place) -> None:
    store = place.open()
    assert of(await store.members()) == ([], {})


@contract
async def test_heartbeats_renew_a_lease_and_without_them_it_is_lost(place: Place) -> None:
    store, ttl_s = place.open(), place.lease_s
    epoch = await taken(store, ONE, ttl_s=ttl_s)
    gone = await taken(store, TWO, OTHER, ttl_s=ttl_s)
    for _ in range(4):
        await place.outlast(0.4 * ttl_s)
        assert (await store.heartbeat(ONE, {LEASE: epoch}, ttl_s, b"")).kept == {LEASE}
        await come(store, THREE)
    members = await store.members()
    assert of(members) == ([(ONE, b""), (THREE, b"")], {LEASE: ONE})
    assert await store.take(THREE, LEASE, LONG) is None
    mine = await store.take(THREE, OTHER, LONG)
    assert mine is not None
    assert mine > gone
    assert (await store.heartbeat(TWO, {OTHER: gone}, LONG, b"")).kept == frozenset(), "it comes too late"


@contract
async def test_a_lease_missing_from_the_heartbeats_runs_out(place: Place) -> None:
    store, ttl_s = place.open(), place.lease_s
    await come(store, ONE, TWO)
    assert await store.take(ONE, LEASE, ttl_s) is not None
    await die(place, store, ONE, TWO)
    assert (await store.members()).holders == {}
    assert await store.take(TWO, LEASE, LONG) is not None


@contract
async def test_a_late_worker_keeps_leases_that_nobody_has_taken(place: Place) -> None:
    store, ttl_s = place.open(), place.lease_s
    epoch = await taken(store, ONE, ttl_s=ttl_s)
    await die(place, store, TWO)
    assert (await store.members()).holders == {}
    assert (await store.heartbeat(ONE, {LEASE: epoch}, LONG, b"")).kept == {LEASE}
    assert (await store.members()).holders == {LEASE: ONE}
    assert await store.take(TWO, LEASE, LONG) is None


@contract
async def test_a_heartbeat_renews_a_lease_only_at_its_current_epoch(place: Place) -> None:
    store = place.open()
    old = await taken(store, ONE)
    await store.give(ONE, LEASE, old)
    epoch = await taken(store, ONE)
    assert (await store.heartbeat(ONE, {LEASE: old}, LONG, b"")).kept == frozenset()
    assert (await store.heartbeat(TWO, {LEASE: epoch}, LONG, b"")).kept == frozenset()
    assert (await store.heartbeat(ONE, {LEASE: epoch}, LONG, b"")).kept == {LEASE}


@contract
async def test_a_worker_that_leaves_gives_everything_back_at_once(place: Place) -> None:
    store = place.open()
    first = await taken(store, ONE)
    await taken(store, ONE, OTHER)
    await come(store, TWO)
    await store.leave(ONE)
    await store.leave(THREE)
    assert of(await store.members()) == ([(TWO, b"")], {})
    epoch = await store.take(TWO, LEASE, LONG)
    assert epoch is not None
    assert epoch > first


@contract
async def test_an_outage_of_the_store_moves_no_lease(place: Place) -> None:
    """The first worker to return must not consider the others dead: none could send a heartbeat."""
    store, ttl_s = place.open(), place.lease_s
    epoch = await taken(store, ONE, ttl_s=ttl_s)
    await put(store, outbox=(notice("n"),), owner=ONE)
    await come(store, TWO, ttl_s=ttl_s)
    await place.outlast(2 * ttl_s)
    await come(store, TWO, ttl_s=ttl_s)
    assert await store.take(TWO, LEASE, ttl_s) is None
    assert await store.inherit(TWO) == []
    assert (await store.heartbeat(ONE, {LEASE: epoch}, ttl_s, b"")).kept == {LEASE}


@contract
async def test_a_worker_that_stays_away_after_an_outage_loses_its_leases(place: Place) -> None:
    store, ttl_s = place.open(), place.lease_s
    epoch = await taken(store, ONE, ttl_s=ttl_s)
    await come(store, TWO, ttl_s=ttl_s)
    await place.outlast(2 * ttl_s)
    await die(place, store, TWO)
    mine = await store.take(TWO, LEASE, LONG)
    assert mine is not None
    assert mine > epoch


@contract
async def test_a_store_wiped_while_open_refuses_everything_until_it_is_rebuilt(place: Place) -> None:
    store = place.open()
    await store.adopt((), whole=True)
    await put(store, *couple(), facts=(fact(1),))
    await store.heartbeat(ONE, {}, LONG, b"")
    generation = store.generation
    place.wipe()
    for _ in range(2):
        for ask in (
            store.load(ANN),
            store.commit(Commit((somebody(ANN),))),
            store.mark(Mark((update(1),))),
            store.heartbeat(ONE, {}, LONG, b""),
            store.take(ONE, LEASE, LONG),
            store.journal(0, 10),
            store.outbox(ONE),
            store.adopt([somebody(BEN, 3, waiting(BEN))]),
            store.figures(),
        ):
            with pytest.raises(LiveStoreLost):
                await ask
    assert [store.newborn, store.generation == generation] == [True, False]
    await store.adopt(couple(version=5), whole=True)
    assert [store.newborn] == [False]
    facts = await store.load(ANN)
    assert facts is not None
    assert facts.me == couple(version=5)[0]
    await put(store, facts=(fact(2),))
    assert await store.journal(0, 10) == [(1, fact(2))]
    await store.trim_journal(1, generation)
    assert await store.journal(0, 10) == [(1, fact(2))], "the number was another generation's"


@contract
async def test_leases_survive_a_wipe_through_their_holders_heartbeats(place: Place) -> None:
    store, ttl_s = place.open(), place.lease_s
    await store.adopt((), whole=True)
    epoch = await taken(store, ONE)
    place.wipe()
    with pytest.raises(LiveStoreLost):
        await store.members()
    await store.adopt((), whole=True)
    await come(store, TWO)
    assert await store.take(TWO, LEASE, LONG) is None, "its holder may still come"
    assert (await store.heartbeat(ONE, {LEASE: epoch}, LONG, b"")).kept == {LEASE}
    await place.outlast(1.1 * ttl_s)
    assert await store.take(TWO, LEASE, ttl_s) is None, "and it is theirs now"
    await put(store, somebody(ANN), fences=(Fence(LEASE, epoch),))
    await store.give(ONE, LEASE, epoch)
    after = await store.take(TWO, LEASE, LONG)
    assert after is not None
    assert after > epoch
    with pytest.raises(Fenced):
        await store.commit(Commit((somebody(ANN, 2),), fences=(Fence(LEASE, epoch),)))


@contract
async def test_leases_become_free_if_their_holders_do_not_return_after_a_wipe(place: Place) -> None:
    store, ttl_s = place.open(), place.lease_s
    await store.adopt((), whole=True)
    lost = await taken(store, ONE)
    place.wipe()
    with pytest.raises(LiveStoreLost):
        await store.members()
    await store.adopt((), whole=True)
    await come(store, TWO)
    assert await store.take(TWO, LEASE, LONG) is None
    await place.outlast(1.1 * ttl_s)
    epoch = await store.take(TWO, LEASE, ttl_s)
    assert epoch is not None
    assert epoch > lost, "the holder of old is fenced"
    assert (await store.heartbeat(ONE, {LEASE: lost}, LONG, b"")).kept == frozenset()


async def seen(store: LiveStore) -> list[object]:
    return [
        await store.load(ANN),
        await store.outbox(ONE),
        await store.outbox(NOBODY),
        await store.journal(0, 10),
        await store.done(BOT, range(20)),
        await store.counterpart(CHAT, copied(1, 10).source),
    ]


def fenced_by(epoch: int, *, alone: bool) -> tuple[Commit, Mark]:
    """A commit and a mark under the lease at this epoch. If not `alone`, also under a lease that nobody holds."""
    fences = (Fence(LEASE, epoch),) if alone else (Fence(OTHER, 7), Fence(LEASE, epoch))
    idle = becomes(couple()[0], Idle())
    return (
        Commit((idle,), (CHAT,), (notice("m"),), (fact(2),), (update(8),), ("n",), ONE, fences),
        Mark((update(9),), ("n",), CHAT, (copied(1, 10),), speaker=ANN, fences=fences),
    )


@pytest.mark.parametrize("alone", [True, False])
def test_nothing_is_stored_once_another_worker_has_taken_the_lease(place: Place, alone: bool) -> None:
    async def main() -> None:
        store = place.open()
        epoch = await taken(store, ONE)
        await put(store, *couple(), outbox=(notice("n"),), facts=(fact(1),), updates=(update(7),), owner=ONE)
        await store.give(ONE, LEASE, epoch)
        await taken(store, TWO)
        before = await seen(store)
        commit, mark = fenced_by(epoch, alone=alone)
        with pytest.raises(Fenced):
            await store.commit(commit)
        with pytest.raises(Fenced):
            await store.mark(mark)
        assert await seen(store) == before

    place.run(main())


@contract
async def test_a_bot_that_is_lost_takes_no_other_bots_marks_along(place: Place) -> None:
    store = place.open()
    epoch = await taken(store, ONE)
    others = Fence(OTHER, await taken(store, ONE, OTHER))
    await put(store, *couple(), outbox=(notice("n"), notice("m")), owner=ONE)
    await store.give(ONE, LEASE, epoch)
    await taken(store, TWO)
    mine = Mark((update(8),), ("n",), CHAT, (copied(1, 10),), speaker=ANN, fences=(Fence(LEASE, epoch),))
    theirs = Mark((update(9, OTHER_BOT),), ("m",), CHAT, (copied(2, 20),), speaker=BEN, fences=(others,))
    free = Mark((update(10),))
    answers = await asyncio.gather(*map(store.mark, (mine, theirs, free)), return_exceptions=True)
    assert [type(each) for each in answers] == [Fenced, type(None), type(None)]
    assert await store.done(BOT, range(20)) == {10}
    assert await store.done(OTHER_BOT, range(20)) == {9}
    assert await store.outbox(ONE) == [notice("n")]
    assert await store.counterpart(CHAT, at(1)) is None
    assert await store.counterpart(CHAT, at(2)) is not None
    assert [each.speaker for each in await store.idle_chats(NOW + 1e6, 10)] == [BEN]


@contract
async def test_a_write_is_accepted_while_no_other_worker_has_taken_the_lease(place: Place) -> None:
    """Even if it has run out: nobody else has written anything that this could undo."""
    store = place.open()
    epoch = await taken(store, ONE, ttl_s=place.lease_s)
    await put(store, *couple(), outbox=(notice("n"),), owner=ONE)
    await die(place, store, TWO)
    commit, mark = fenced_by(epoch, alone=True)
    await store.mark(mark)
    assert await store.commit(commit) is Committed.YES
    assert await store.outbox(ONE) == [notice("m")]
    assert await store.done(BOT, range(20)) == {8, 9}


@contract
async def test_a_fence_is_checked_before_everything_else(place: Place) -> None:
    """A fenced worker must learn of it, even if the update is done or the version is stale."""
    store = place.open()
    await put(store, somebody(ANN), updates=(update(7),))
    epoch = await taken(store, ONE)
    await store.give(ONE, LEASE, epoch)
    await taken(store, TWO)
    fences = (Fence(LEASE, epoch),)
    for commit in (
        Commit((somebody(ANN, 5),), updates=(update(7),), fences=fences),
        Commit((somebody(ANN, 5),), updates=(update(8),), fences=fences),
    ):
        with pytest.raises(Fenced):
            await store.commit(commit)


@survives
async def test_every_outbox_entry_has_an_owner(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, outbox=(notice("a"), notice("b", BEN)), owner=ONE)
    await put(store, outbox=(notice("c"),), owner=TWO)
    await put(store, outbox=(notice("d"),), owner=ONE)
    await put(store, outbox=(notice("e"),))
    assert await later.outbox(ONE) == [notice("a"), notice("b", BEN), notice("d")]
    assert await later.outbox(TWO) == [notice("c")]
    assert await later.outbox(THREE) == []
    await store.mark(Mark(sent=("a", "c")))
    assert await later.outbox(ONE) == [notice("b", BEN), notice("d")]
    assert await later.outbox(TWO) == []


@survives
async def test_the_outboxes_of_dead_and_departed_workers_are_inherited(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    """Dead workers sent no heartbeat in time; departed ones left; NOBODY never was a worker."""
    dead, gone, stranger = WorkerId("dead"), WorkerId("gone"), WorkerId("stranger")
    await come(store, ONE, TWO, gone)
    await come(store, dead, ttl_s=place.lease_s)
    for number, owner in enumerate((dead, TWO, gone, NOBODY, dead, ONE, stranger)):
        await put(store, outbox=(notice(f"{number}"),), owner=owner)
    await store.leave(gone)
    await die(place, store, ONE, TWO)
    inherited = await store.inherit(ONE)
    assert inherited == [notice(each) for each in "02346"], "oldest first"
    assert await later.outbox(ONE) == [notice(each) for each in "023456"], "each keeps its age"
    assert await later.outbox(TWO) == [notice("1")]
    assert await later.outbox(dead) == []
    assert await later.outbox(gone) == []
    assert await store.inherit(ONE) == []
    assert await store.inherit(TWO) == []


@contract
async def test_an_evicted_worker_is_told_so(place: Place) -> None:
    store = place.open()
    await come(store, ONE, ttl_s=place.lease_s)
    epoch = await taken(store, ONE, ttl_s=place.lease_s)
    await put(store, outbox=(notice("n"),), owner=ONE)
    await die(place, store, TWO)
    assert await store.inherit(TWO) == [notice("n")]
    for _ in range(2):
        with pytest.raises(Evicted):
            await store.heartbeat(ONE, {LEASE: epoch}, LONG, b"")
    assert list((await store.members()).workers) == [TWO]


@contract
async def test_a_late_worker_with_nothing_to_inherit_may_come_back(place: Place) -> None:
    store = place.open()
    await come(store, ONE, ttl_s=place.lease_s)
    await put(store, outbox=(notice("n"),), owner=ONE)
    await store.mark(Mark(sent=("n",)))
    await die(place, store, TWO)
    assert await store.inherit(TWO) == []
    assert list((await store.heartbeat(ONE, {}, LONG, b"")).workers) == [TWO, ONE]


@contract
async def test_entries_that_an_evicted_worker_still_stores_are_inherited_too(place: Place) -> None:
    """A commit for a webhook's update has no lease, so no fence stops it."""
    store = place.open()
    await come(store, ONE, ttl_s=place.lease_s)
    await put(store, outbox=(notice("a"),), owner=ONE)
    await die(place, store, TWO)
    assert await store.inherit(TWO) == [notice("a")]
    await put(store, outbox=(notice("b"),), owner=ONE)
    assert await store.inherit(TWO) == [notice("b")]


@contract
async def test_workers_that_inherit_at_once_lose_nothing(place: Place) -> None:
    store = place.open()
    names = [f"{number}" for number in range(50)]
    for name in names:
        await put(store, outbox=(notice(name),), owner=WorkerId(f"gone {len(name)} {name[-1]}"))
    heirs = [ONE, TWO, THREE]
    await come(store, *heirs)
    got = await asyncio.gather(*(store.inherit(heir) for heir in heirs))
    assert sorted(each.id for some in got for each in some) == sorted(names)
    for heir, some in zip(heirs, got, strict=True):
        assert await store.outbox(heir) == some


@survives
async def test_an_older_entry_for_the_same_person_at_another_worker_comes_first(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await put(store, outbox=(notice("a"), notice("b")), owner=ONE)
    await put(store, outbox=(notice("c", BEN), notice("d")), owner=TWO)
    await put(store, outbox=(notice("e"),), owner=ONE)

    async def preceded() -> list[str]:
        return [each for each in "abcde" if await later.is_preceded(each)]

    assert await preceded() == ["d", "e"]
    assert not await later.is_preceded("never there")
    await store.mark(Mark(sent=("a",)))
    assert await preceded() == ["d", "e"]
    await put(store, sent=("b",))
    assert await preceded() == ["e"], "d is the oldest for Ann now"
    await store.mark(Mark(sent=("d", "e")))
    assert await preceded() == [], "nothing precedes what is settled"


@survives
async def test_asides_and_entries_of_another_bot_never_precede(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    aside = msgspec.structs.replace(notice("aside"), keyboard=None, anchors=None)
    elsewhere = msgspec.structs.replace(notice("elsewhere"), bot=OTHER_BOT)
    await put(store, outbox=(aside, elsewhere), owner=ONE)
    await put(store, outbox=(notice("a"),), owner=TWO)
    assert not await later.is_preceded("a")
    await put(store, outbox=(notice("b"),), owner=ONE)
    assert await later.is_preceded("b")
    others = [msgspec.structs.replace(each, id=f"{each.id} {n}") for n in range(5) for each in (aside, elsewhere)]
    await put(store, outbox=tuple(others), owner=ONE)
    await put(store, sent=("a", "b"))
    await put(store, outbox=(*others[:4], notice("c"), *others[4:]), owner=ONE)
    await put(store, outbox=(notice("d"),), owner=TWO)
    assert await later.is_preceded("d"), "whatever is before or after the one that precedes it"


@survives
async def test_a_passing_notice_precedes_once_it_is_claimed(place: Place, store: LiveStore, later: LiveStore) -> None:
    passing = msgspec.structs.replace(notice("passing"), search=NOW)
    claimed = msgspec.structs.replace(passing, claimed=True)
    await put(store, outbox=(passing,), owner=ONE)
    await put(store, outbox=(notice("a"),), owner=TWO)
    assert not await later.is_preceded("a")
    await put(store, outbox=(claimed,), owner=ONE)
    await put(store, outbox=(notice("b"),), owner=TWO)
    assert await later.outbox(ONE) == [claimed]
    assert [each for each in "ab" if await later.is_preceded(each)] == ["b"], "it has become the newest"


@survives
async def test_either_the_claim_or_the_end_of_the_search_is_stale(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    """The claim names the version of the person, as it was read."""
    await put(store, one := somebody(ANN, 1, waiting(ANN)))
    passing = msgspec.structs.replace(notice("passing"), search=NOW)
    claimed = msgspec.structs.replace(passing, claimed=True)
    await put(store, outbox=(passing,), owner=ONE)
    claim = Commit(outbox=(claimed,), owner=ONE, seen=((ANN, 1),))
    assert await store.commit(claim) is Committed.YES
    assert await store.commit(claim) is Committed.YES, "its answer may have been lost"
    await put(store, becomes(one, Idle()), outbox=(notice("end"),), owner=TWO)
    assert await later.is_preceded("end"), "the claim came first"
    await put(store, sent=("passing",))
    await put(store, two := somebody(ANN, 3, waiting(ANN)), outbox=(passing,), owner=ONE)
    await put(store, becomes(two, Idle()), outbox=(notice("end"),), owner=TWO)
    late = msgspec.structs.replace(claim, seen=((ANN, 3),))
    assert await store.commit(late) is Committed.STALE
    assert not await later.is_preceded("end"), "the end came first"


@survives
async def test_an_older_entry_counts_behind_any_number_of_others(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    asides = (msgspec.structs.replace(notice(f"aside {n}"), keyboard=None, anchors=None) for n in range(250))
    await put(store, outbox=(*asides,), owner=ONE)
    await put(store, outbox=(notice("a"),), owner=TWO)
    assert not await later.is_preceded("a")
    await put(store, outbox=(notice("b"),), owner=ONE)
    await put(store, outbox=(notice("c"),), owner=TWO)
    assert await later.is_preceded("c")


@survives
async def test_inherited_entries_keep_their_place(place: Place, store: LiveStore, later: LiveStore) -> None:
    await come(store, TWO)
    await put(store, outbox=(notice("a"),), owner=ONE)
    await put(store, outbox=(notice("b"),), owner=TWO)
    await put(store, outbox=(notice("c"),), owner=ONE)
    assert [each for each in "abc" if await later.is_preceded(each)] == ["b", "c"]
    assert await store.inherit(TWO) == [notice("a"), notice("c")]
    assert await later.outbox(TWO) == [notice("a"), notice("b"), notice("c")]
    assert [each for each in "abc" if await later.is_preceded(each)] == []


@survives
async def test_every_worker_sees_a_persons_trail(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, outbox=(trail("a"), notice("said")), updates=(update(1),), owner=ONE)
    await put(store, outbox=(trail("b"), trail("of Ben", BEN)), updates=(update(2),), owner=TWO)
    assert await later.trail(ANN) == [trail("a"), trail("b")], "what is said to them is none of it"
    assert await later.trail(BEN) == [trail("of Ben", BEN)]
    assert await later.trail(EVE) == []
    await store.mark(Mark(sent=("a",)))
    assert await later.trail(ANN) == [trail("b")]
    assert trail("b").person == ANN
    await put(store, sent=("b",), outbox=(trail("trace"),))
    assert await later.trail(ANN) == [trail("trace")]


@survives
async def test_notices_do_not_wait_for_their_readers_trail(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, outbox=(trail("a"),), owner=ONE)
    await put(store, outbox=(notice("n"),), owner=TWO)
    assert not await later.is_preceded("n")


@survives
async def test_trails_are_inherited_like_all_entries(place: Place, store: LiveStore, later: LiveStore) -> None:
    await come(store, TWO)
    await put(store, outbox=(trail("a"),), owner=ONE)
    assert await store.inherit(TWO) == [trail("a")]
    assert await later.outbox(TWO) == [trail("a")]
    assert await later.trail(ANN) == [trail("a")]


@survives
async def test_only_the_first_of_two_workers_sends_an_album(place: Place, store: LiveStore, later: LiveStore) -> None:
    """The second worker finds the album's own done mark, which has a number that no update has."""
    items = (update(5), update(6))
    await put(store, outbox=(trail("a"), trail("b")), updates=items, owner=ONE)
    whole = (update(~5), *items)
    first = Commit(outbox=(parked("relay"),), updates=whole, sent=("a", "b"), owner=TWO)
    assert await store.commit(first) is Committed.YES
    again = Commit(outbox=(parked("relay again"),), updates=whole, sent=("a", "b"), owner=ONE)
    assert await store.commit(again) is Committed.ALREADY_DONE
    assert await later.outbox(TWO) == [parked("relay")]
    assert await later.outbox(ONE) == []
    assert await later.trail(ANN) == []
