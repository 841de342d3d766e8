"""The contract of a new generation: the roll call before its repair, and what a rebuild keeps."""

import pytest

from passerby.kernel.ids import NOWHERE
from passerby.kernel.participant import Idle
from passerby.ports.doubts import Doubts, RollCallAnswers
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit
from tests.contract.live_body import contract, journal, put, survives
from tests.contract.live_places import Place
from tests.contract.live_values import ANN, BEN, CHAT, EVE, becomes, couple, fact, notice, parked, telling

ONE, TWO = WorkerId("one"), WorkerId("two")


@contract
async def test_a_wiped_store_knows_which_workers_are_ready_for_its_rebuild(place: Place) -> None:
    store = place.open()
    await store.adopt((), whole=True)
    place.wipe()
    with pytest.raises(LiveStoreLost):
        await store.figures()
    assert await store.answer_roll(None) == RollCallAnswers(frozenset(), frozenset())
    for name in (ONE, TWO, TWO):
        await store.answer_roll(name)
    assert await store.answer_roll(None) == RollCallAnswers(frozenset({ONE, TWO}), frozenset())
    await store.adopt((), whole=True)
    assert await store.answer_roll(ONE) == RollCallAnswers(frozenset(), frozenset()), (
        "it is over, and nobody answers any more"
    )


@contract
async def test_notices_put_back_into_a_wiped_store_still_tell_people_of_their_chats(place: Place) -> None:
    store = place.open()
    await store.adopt((), whole=True)
    place.wipe()
    with pytest.raises(LiveStoreLost):
        await store.figures()
    await store.commit(Commit(outbox=(telling("n", to=ANN),), owner=ONE, repairs=True))
    await store.adopt(couple(), whole=True)
    assert [await store.told(CHAT, ANN), await store.told(CHAT, BEN)] == [False, True]
    assert await store.outbox(ONE) == [telling("n", to=ANN)]
    facts = await store.load(ANN)
    assert facts is not None
    assert [facts.anchor, facts.partner_anchor] == [None, NOWHERE]


@contract
async def test_a_store_rebuilt_from_outdated_records_is_in_doubt_until_it_is_repaired(place: Place) -> None:
    store = place.open()
    await store.adopt((), whole=True)
    place.wipe()
    with pytest.raises(LiveStoreLost):
        await store.figures()
    await store.adopt(couple(), whole=True, outdated=True)
    assert [store.newborn, store.doubts] == [False, Doubts(is_unsure=True, is_older=True)]
    with pytest.raises(LiveStoreLost):
        await store.load(ANN)
    assert await store.claim_doubts(ONE, 1000.0)
    ann, ben = couple()
    await store.commit(Commit((becomes(ann, Idle()), becomes(ben, Idle())), (CHAT,), repairs=True))
    await store.adopt((), whole=True)
    assert not store.doubts
    assert await store.open_chats((CHAT,)) == set()


@survives
async def test_the_unsent_entries_for_a_person_are_found_whoever_owns_them(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await put(store, outbox=(notice("a", to=BEN),), owner=ONE)
    await put(store, outbox=(notice("b", to=ANN), parked("c")), owner=TWO)
    assert await later.addressed_to(BEN) == [notice("a", to=BEN), parked("c")]
    assert await later.addressed_to(EVE) == []


@survives
async def test_the_owner_of_an_entry_is_known_until_it_is_settled(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await put(store, outbox=(notice("a", to=BEN), notice("s", to=BEN)), owner=ONE)
    await put(store, outbox=(parked("c"),), owner=TWO)
    await store.mark(Mark(sent=("s",)))
    assert await later.owners_of(("c", "s", "a", "never")) == {"a": ONE, "c": TWO}
    assert await later.owners_of(()) == {}


@contract
async def test_the_outbox_of_a_wiped_store_can_be_read_before_it_is_rebuilt(place: Place) -> None:
    store = place.open()
    await store.adopt((), whole=True)
    await put(store, outbox=(notice("lost", to=BEN),), owner=ONE)
    place.wipe()
    with pytest.raises(LiveStoreLost):
        await store.figures()
    await store.commit(Commit(outbox=(notice("a", to=BEN),), owner=ONE, repairs=True))
    assert await store.owners_of(("a", "lost")) == {"a": ONE}


@contract
async def test_a_heartbeat_tells_how_far_the_journal_and_the_records_are(place: Place) -> None:
    store = place.open()
    await store.adopt((), whole=True)
    await put(store, facts=(fact(1), fact(2)))
    (first, _), (last, _) = await journal(store)
    members = await store.heartbeat(ONE, {}, 1000.0, b"")
    assert [members.newest, members.recorded] == [last, 0]
    await store.trim_journal(first, store.generation)
    members = await store.heartbeat(ONE, {}, 1000.0, b"")
    assert [members.newest, members.recorded] == [last, first]
