"""The live store's contract about time and order: how long things are kept, what renews them, what comes first.

Everything that expires has a test for the last moment at which it is needed. Most have one for the time after it.
"""

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Idle
from passerby.kernel.text import text
from passerby.ports.leases import Evicted, Fence, Fenced, WorkerId, bot_lease
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit
from passerby.ports.shared_budgets import Account
from passerby.ports.tickets import TicketChange
from tests.contract.live_body import contract, put, settled, survives
from tests.contract.live_places import Place
from tests.contract.live_values import (
    ADULTS,
    ANN,
    BEN,
    BOT,
    CHAT,
    EVE,
    OTHER_BOT,
    becomes,
    copied,
    couple,
    fact,
    notice,
    somebody,
    telling,
    trail,
    update,
    waiting,
)

HOUR_S = 3600.0
LONG = 60.0
ONE, TWO, THREE = WorkerId("one"), WorkerId("two"), WorkerId("three")
LEASE = bot_lease(BOT)


async def heartbeat(store: LiveStore, *workers: WorkerId, ttl_s: float = LONG) -> None:
    for worker in workers:
        await store.heartbeat(worker, {}, ttl_s, b"")


async def die(place: Place, store: LiveStore, *survivors: WorkerId) -> None:
    """Let time pass with heartbeats of these workers only. Others that named LONG are dead then."""
    for _ in range(3):
        await heartbeat(store, *survivors)
        await place.outlast(0.4 * LONG)
    await heartbeat(store, *survivors)


DONE: dict[str, Callable[[LiveStore, int], Awaitable[object]]] = {
    "a commit": lambda store, number: store.commit(Commit(updates=(update(number),))),
    "a mark": lambda store, number: store.mark(Mark((update(number),))),
}


@pytest.mark.parametrize("by", DONE)
def test_each_update_is_remembered_for_a_full_day(place: Place, by: str) -> None:
    """Updates with neighbouring ids are stored together. They must not expire with the first of them."""

    async def main() -> None:
        store = place.open()
        for number in range(56):
            if number % 11 == 10:
                store = place.open()
            await DONE[by](store, number)
            await place.elapse(HOUR_S)
            await store.sweep()
            lately = set(range(max(0, number - 23), number + 1))
            assert await store.done(BOT, range(100)) >= lately, f"hour {number}"

    place.run(main())


@survives
async def test_crashes_are_remembered_for_a_day_after_the_last_one(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await store.record_crash((update(7),), "first")
    await place.elapse(20 * HOUR_S)
    await store.record_crash((update(7),), "second")
    await store.record_crash((update(8),), "third")
    await place.elapse(23 * HOUR_S)
    await store.sweep()
    crashes = (await later.known(BOT, (7, 8))).crashes
    assert crashes[7] >= 1
    assert crashes[8] == 1


@contract
async def test_idle_people_are_held_for_some_minutes_after_their_last_update(place: Place) -> None:
    """Otherwise each of their taps would read the records."""
    store = place.open()
    await put(store, somebody(ANN), somebody(BEN), facts=(fact(1),))
    await store.trim_journal(1, store.generation)
    await place.elapse(300)
    await store.load(ANN)
    await place.elapse(250)
    await store.sweep()
    assert set(await store.stored((ANN, BEN))) == {ANN, BEN}
    await place.elapse(250)
    await store.sweep()
    assert set(await store.stored((ANN, BEN))) == {ANN}, "Ben was not heard of for more than ten minutes"


@contract
async def test_a_person_who_is_no_longer_idle_stays(place: Place) -> None:
    """Even if they send nothing for long, and the records hold them."""
    store = place.open()
    await put(store, somebody(ANN), somebody(BEN), somebody(EVE))
    ann, ben = couple(version=2)
    await put(store, ann, ben, somebody(EVE, 2, waiting(EVE)), facts=(fact(1),))
    await store.trim_journal(1, store.generation)
    for _ in range(2):
        await place.elapse(HOUR_S)
        await store.sweep()
    assert set(await store.stored((ANN, BEN, EVE))) == {ANN, BEN, EVE}


@contract
async def test_idle_people_are_dropped_as_soon_as_the_records_hold_them(place: Place) -> None:
    store = place.open()
    await put(store, somebody(ANN), facts=(fact(1), fact(2)))
    await store.trim_journal(1, store.generation)
    for _ in range(2):
        await place.elapse(HOUR_S)
        await store.sweep()
    assert set(await store.stored((ANN,))) == {ANN}, "the last fact of the commit is not recorded yet"
    await store.trim_journal(2, store.generation)
    for _ in range(2):
        await place.elapse(HOUR_S)
        await store.sweep()
    assert await store.stored((ANN,)) == {}


def again(entry: str) -> object:
    return msgspec.structs.replace(notice(entry), text=text("said", n=2))


@survives
async def test_an_entry_put_again_becomes_the_newest(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, outbox=(notice("a"), notice("b")), owner=ONE)
    await put(store, outbox=(notice("c"),), owner=TWO)
    assert [each for each in "abc" if await later.is_preceded(each)] == ["c"]
    await put(store, outbox=(notice("a"),), owner=ONE)
    assert await later.outbox(ONE) == [notice("b"), notice("a")]
    assert [each for each in "abc" if await later.is_preceded(each)] == ["a", "c"]
    await put(store, sent=("b",))
    assert [each for each in "abc" if await later.is_preceded(each)] == ["a"], "its old place is nobody's"
    await put(store, sent=("c",))
    assert [each for each in "abc" if await later.is_preceded(each)] == []


@survives
async def test_a_trail_put_again_becomes_the_persons_newest(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, outbox=(trail("a"), trail("b")), owner=ONE)
    await put(store, outbox=(trail("a"),), owner=TWO)
    assert await later.trail(ANN) == [trail("b"), trail("a")]
    assert await later.outbox(TWO) == [trail("a")]


@survives
async def test_an_entry_put_again_belongs_to_its_last_owner(place: Place, store: LiveStore, later: LiveStore) -> None:
    await heartbeat(store, ONE, TWO)
    await put(store, outbox=(notice("a"), telling("told", BEN)), owner=ONE)
    await put(store, outbox=(notice("a"),), owner=TWO)
    assert await later.outbox(ONE) == [telling("told", BEN)]
    assert await later.outbox(TWO) == [notice("a")]
    await store.mark(Mark(sent=("a", "told")))
    for owner in (ONE, TWO):
        assert await later.outbox(owner) == []
    assert (await later.figures()).outbox == 0


@contract
async def test_an_entry_inherited_several_times_keeps_its_age_and_is_settled_once(place: Place) -> None:
    store = place.open()
    await heartbeat(store, ONE, TWO, THREE)
    await put(store, outbox=(notice("a"), notice("b")), owner=ONE)
    await put(store, outbox=(notice("c"), notice("d")), owner=TWO)
    await put(store, outbox=(notice("e"),), owner=THREE)
    await store.leave(ONE)
    assert await store.inherit(TWO) == [notice("a"), notice("b")]
    await store.mark(Mark(sent=("a", "c")))
    assert await store.outbox(TWO) == [notice("b"), notice("d")]
    assert await store.is_preceded("e"), "what was inherited precedes as it did"
    await store.leave(TWO)
    assert await store.inherit(THREE) == [notice("b"), notice("d")]
    assert await store.outbox(THREE) == [notice("b"), notice("d"), notice("e")]
    assert not await store.is_preceded("e")
    await put(store, sent=("b", "e"))
    assert await store.outbox(THREE) == [notice("d")]
    await store.leave(THREE)
    four = WorkerId("four")
    await heartbeat(store, four)
    assert await store.inherit(four) == [notice("d")]
    await store.mark(Mark(sent=("d",)))
    assert await store.outbox(four) == []
    assert (await store.figures()).outbox == 0
    assert not await store.is_preceded("e")


@contract
async def test_an_inherited_notice_still_anchors_its_chat(place: Place) -> None:
    """Nothing else of that chat may arrive before it."""
    store = place.open()
    await put(store, *couple(), outbox=(telling("a", ANN), telling("b", BEN)), owner=ONE)
    await heartbeat(store, TWO)
    assert await store.inherit(TWO) == [telling("a", ANN), telling("b", BEN)]
    assert [await store.told(CHAT, each) for each in (ANN, BEN)] == [False, False]
    await store.mark(Mark(sent=("a",)))
    assert [await store.told(CHAT, each) for each in (ANN, BEN)] == [True, False]


@contract
async def test_an_inherited_entry_is_reported_as_inherited_only_once(place: Place) -> None:
    store = place.open()
    await heartbeat(store, ONE, TWO)
    await put(store, outbox=(notice("a"),), owner=ONE)
    await store.leave(ONE)
    assert await store.inherit(TWO) == [notice("a")]
    await put(store, outbox=(notice("b"),), owner=THREE)
    assert await store.inherit(TWO) == [notice("b")]
    assert await store.outbox(TWO) == [notice("a"), notice("b")]


@contract
async def test_a_worker_without_heartbeats_takes_no_lease(place: Place) -> None:
    store = place.open()
    assert await store.take(ONE, LEASE, LONG) is None, "one that never came"
    await heartbeat(store, ONE)
    await die(place, store, TWO)
    assert await store.take(ONE, LEASE, LONG) is None, "and one whose time is up"
    await place.outlast(1.1 * LONG)
    assert await store.take(TWO, LEASE, LONG) is None, "though nobody has looked since"
    await heartbeat(store, TWO)
    assert await store.take(TWO, LEASE, LONG) is not None


@contract
async def test_taking_a_held_lease_renews_it(place: Place) -> None:
    store = place.open()
    await heartbeat(store, ONE, TWO)
    epoch = await store.take(ONE, LEASE, LONG)
    for _ in range(3):
        await place.outlast(0.6 * LONG)
        await heartbeat(store, ONE, TWO)
        assert await store.take(TWO, LEASE, LONG) is None
        assert await store.take(ONE, LEASE, LONG) == epoch


@contract
async def test_a_heartbeat_renews_for_the_time_it_named(place: Place) -> None:
    store = place.open()
    await heartbeat(store, ONE, TWO, ttl_s=5 * LONG)
    epoch = await store.take(ONE, LEASE, 5 * LONG)
    assert epoch is not None
    await store.heartbeat(ONE, {LEASE: epoch}, LONG, b"")
    await place.outlast(1.1 * LONG)
    await heartbeat(store, TWO, ttl_s=5 * LONG)
    members = await store.members()
    assert list(members.workers) == [TWO]
    assert members.holders == {}
    assert await store.take(TWO, LEASE, LONG) is not None


@contract
async def test_each_take_of_a_lease_has_a_higher_epoch_even_after_the_store_was_reopened(place: Place) -> None:
    """A write under an old lease must never be accepted under a later one."""
    store, epochs = place.open(), list[int]()
    for worker in (ONE, TWO, THREE):
        await heartbeat(store, worker)
        for lease in (LEASE, bot_lease(OTHER_BOT)):
            epoch = await store.take(worker, lease, LONG)
            assert epoch is not None
            epochs.append(epoch)
            await store.give(worker, lease, epoch)
        await place.outlast(1.0)
        store = place.open()
    assert epochs == sorted(set(epochs))


@contract
async def test_an_outage_begins_only_after_the_longest_named_time(place: Place) -> None:
    """If only a worker with a short time sends heartbeats for a while, that is not an outage."""
    store = place.open()
    await heartbeat(store, ONE, ttl_s=10 * LONG)
    await heartbeat(store, TWO, ttl_s=LONG)
    await place.outlast(2 * LONG)
    for _ in range(18):
        await heartbeat(store, TWO, ttl_s=LONG)
        await place.outlast(0.5 * LONG)
    await heartbeat(store, TWO, ttl_s=LONG)
    assert list((await store.members()).workers) == [TWO], "one has not attended for longer than it named"


@contract
async def test_an_outage_does_not_revive_leases_that_had_run_out_before(place: Place) -> None:
    store = place.open()
    await heartbeat(store, ONE)
    assert await store.take(ONE, LEASE, LONG) is not None
    await die(place, store, TWO)
    await place.outlast(5 * LONG)
    await heartbeat(store, TWO)
    assert list((await store.members()).workers) == [TWO]
    assert await store.take(TWO, LEASE, LONG) is not None


@contract
async def test_an_outage_extends_every_worker_only_once(place: Place) -> None:
    store = place.open()
    await heartbeat(store, ONE, TWO)
    assert await store.take(ONE, LEASE, LONG) is not None
    await place.outlast(3 * LONG)
    await heartbeat(store, TWO)
    assert set((await store.members()).workers) == {ONE, TWO}
    assert (await store.members()).holders == {LEASE: ONE}
    await die(place, store, TWO)
    assert list((await store.members()).workers) == [TWO]
    assert await store.take(TWO, LEASE, LONG) is not None


@contract
async def test_an_evicted_worker_stays_evicted(place: Place) -> None:
    """A process that was paused for days must not send its old entries."""
    store = place.open()
    await heartbeat(store, ONE)
    await put(store, outbox=(notice("a"),), owner=ONE)
    await die(place, store, TWO)
    assert await store.inherit(TWO) == [notice("a")]
    for days in (1, 3, 9):
        await place.outlast(days * 24 * HOUR_S)
        await heartbeat(store, TWO)
        await put(store, outbox=(notice(f"{days}"),), owner=THREE)
        assert await store.inherit(TWO) == [notice(f"{days}")]
        with pytest.raises(Evicted):
            await store.heartbeat(ONE, {}, LONG, b"")


@contract
async def test_a_fence_with_an_old_epoch_fails_even_for_the_same_holder(place: Place) -> None:
    """The worker may have been paused. Work that it began under an earlier epoch is void."""
    store = place.open()
    await heartbeat(store, ONE)
    old = await store.take(ONE, LEASE, LONG)
    assert old is not None
    await store.give(ONE, LEASE, old)
    await put(store, outbox=(notice("a"),), fences=(Fence(LEASE, old),))
    new = await store.take(ONE, LEASE, LONG)
    assert new is not None
    with pytest.raises(Fenced):
        await store.mark(Mark(sent=("a",), fences=(Fence(LEASE, old),)))
    await store.mark(Mark(sent=("a",), fences=(Fence(LEASE, new),)))


@contract
async def test_a_later_holder_fences_the_earlier_one_even_after_giving_the_lease_back(place: Place) -> None:
    """The worker in between may have written something, even if nobody holds the lease now."""
    store = place.open()
    await heartbeat(store, ONE, TWO)
    old = await store.take(ONE, LEASE, LONG)
    assert old is not None
    await store.give(ONE, LEASE, old)
    new = await store.take(TWO, LEASE, LONG)
    assert new is not None
    await store.give(TWO, LEASE, new)
    with pytest.raises(Fenced):
        await store.mark(Mark((update(1),), fences=(Fence(LEASE, old),)))
    await store.leave(TWO)
    with pytest.raises(Fenced):
        await store.commit(Commit(updates=(update(1),), fences=(Fence(LEASE, old),)))
    assert await store.done(BOT, (1,)) == set()
    await store.mark(Mark((update(1),), fences=(Fence(LEASE, new),)))


ACCOUNT = Account(BOT, ANN)


@contract
async def test_sweeps_and_other_requests_do_not_shorten_a_hold(place: Place) -> None:
    store = place.open()
    await store.hold(ACCOUNT, 3000.0)
    for passed in range(1, 15):
        await place.outlast(200)
        await store.sweep()
        grant = await store.reserve(ACCOUNT, 1.0, 5, 1)
        assert grant.granted == 0
        assert 2994 - 200 * passed < grant.wait_s <= 3001 - 200 * passed
        assert store.is_held(ACCOUNT)
    await place.outlast(201)
    await store.sweep()
    assert (await store.reserve(ACCOUNT, 1.0, 5, 1)).granted == 1
    assert not store.is_held(ACCOUNT)


@contract
async def test_a_spent_budget_stays_spent_until_time_refills_it(place: Place) -> None:
    store = place.open()
    assert (await store.reserve(ACCOUNT, 0.01, 5, 5)).granted == 5
    for _ in range(3):
        await place.outlast(90)
        await store.sweep()
    assert (await store.reserve(ACCOUNT, 0.01, 5, 5)).granted == 2
    await place.outlast(90)
    await store.sweep()
    assert (await store.reserve(ACCOUNT, 0.01, 5, 5)).granted == 1


@contract
async def test_a_change_of_its_people_does_not_end_a_chats_idle_time(place: Place) -> None:
    """A nudge changes the participants, but it is not a message."""
    store, began = place.open(), place.clock.now()
    ann, ben = couple()
    await put(store, ann, ben)
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),), speaker=BEN))
    await place.elapse(600)
    await put(store, becomes(ann, ann.state), becomes(ben, ben.state))
    (quiet,) = await store.idle_chats(place.clock.now() - 300, 10)
    assert quiet.speaker == BEN
    assert began - 1 <= quiet.since <= began + 60


@contract
async def test_the_feed_has_the_changes_in_their_order(place: Place) -> None:
    store = place.open()
    ann, ben, eve = (somebody(each, 1, waiting(each)) for each in (ANN, BEN, EVE))
    await put(store, ann)
    await put(store, ben)
    feed = await store.tickets(ADULTS, None, 0)
    assert [change.person for change in feed.changes] == [ANN, BEN]
    await put(store, becomes(ann, Idle()))
    await put(store, eve)
    await put(store, becomes(ben, ben.state))
    news = await store.tickets(ADULTS, feed.cursor, 0)
    assert [change.person for change in news.changes] == [ANN, EVE, BEN]
    assert news.changes[0] == TicketChange(ANN, None, 2)


@contract
async def test_the_trimmed_position_never_goes_back(place: Place) -> None:
    store = place.open()
    await put(store, somebody(ANN), facts=(fact(1), fact(2), fact(3)))
    await store.trim_journal(3, store.generation)
    await store.trim_journal(1, store.generation)
    assert await store.trimmed() == 3
    assert (await store.stored((ANN,)))[ANN].recorded


@contract
async def test_numbering_continues_after_the_store_was_away(place: Place) -> None:
    store = place.open()
    await put(store, facts=(fact(1),), outbox=(notice("a"),), owner=ONE)
    with place.lost(), pytest.raises(LiveStoreLost):
        await store.commit(Commit(facts=(fact(2),)))
    await settled(store)
    await put(store, facts=(fact(3),), outbox=(notice("b"),), owner=ONE)
    numbers = [number for number, _ in await store.journal(0, 10)]
    assert numbers == sorted(set(numbers))
    assert [each for _, each in await store.journal(0, 10)] == [fact(1), fact(3)]
    assert await store.outbox(ONE) == [notice("a"), notice("b")]


@contract
async def test_one_sweep_drops_many_idle_people(place: Place) -> None:
    store = place.open()
    crowd = [somebody(PersonId(100 + number)) for number in range(1100)]
    await put(store, *crowd, facts=(fact(1),))
    assert sorted(each.participant.person for each in await store.everybody()) == [each.person for each in crowd]
    await store.trim_journal(1, store.generation)
    await place.elapse(HOUR_S)
    await store.sweep()
    assert await store.stored([each.person for each in crowd]) == {}
