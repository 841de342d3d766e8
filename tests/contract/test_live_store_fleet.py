"""The contract of what several processes share besides leases: anchors, idle chats, figures, the journal, budgets."""

import asyncio

import pytest

from passerby.kernel.decision import Facts
from passerby.kernel.ids import NOWHERE, ChatId, MessageRef, PersonId, search_of
from passerby.kernel.participant import Chatting, Idle
from passerby.ports.facts import ChatTold
from passerby.ports.idle_chats import IdleChat
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import Figures, LiveStore, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit
from passerby.ports.shared_budgets import Account, Grant
from tests.contract.live_body import contract, journal, put, survives
from tests.contract.live_places import Place
from tests.contract.live_values import (
    ANN,
    BEN,
    BOT,
    CHAT,
    EVE,
    MINORS,
    NEXT_CHAT,
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
    telling,
    update,
    waiting,
)

ONE, TWO = WorkerId("one"), WorkerId("two")


def told(number: int, where: MessageRef) -> ChatTold:
    return ChatTold(CHAT, ANN, where, NOW + number)


@survives
async def test_a_search_has_an_anchor_until_it_ends(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann = somebody(ANN, 1, waiting(ANN))
    await put(store, ann, somebody(BEN, 1, waiting(BEN)))
    assert await later.load(ANN) == Facts(ann)
    await store.mark(Mark(anchor=Anchor(search_of(ANN), ANN, at(3))))
    await store.mark(Mark(anchor=Anchor(search_of(ANN), ANN, at(9))))
    assert await later.load(ANN) == Facts(ann, anchor=at(3)), "the first one holds"
    facts = await later.load(BEN)
    assert facts is not None
    assert facts.anchor is None, "each has their own"
    elsewhere = becomes(ann, waiting(ANN, NOW + 1, MINORS))
    await put(store, elsewhere)
    assert await later.load(ANN) == Facts(elsewhere, anchor=at(3)), "still the same search"
    idle = becomes(elsewhere, Idle())
    await put(store, idle)
    await store.mark(Mark(anchor=Anchor(search_of(ANN), ANN, at(4))))
    assert await later.load(ANN) == Facts(idle)
    again = becomes(idle, waiting(ANN, NOW + 2))
    await put(store, again)
    assert await later.load(ANN) == Facts(again), "a new search knows nothing of the last one"


@survives
async def test_a_search_ends_with_the_chat_that_it_led_to(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = (somebody(each, 1, waiting(each)) for each in (ANN, BEN))
    await put(store, ann, ben)
    await store.mark(Mark(anchor=Anchor(search_of(ANN), ANN, at(3))))
    ann, ben = couple(version=2)
    await put(store, ann, ben)
    await store.mark(Mark(anchor=Anchor(search_of(BEN), BEN, at(4))))
    assert await later.load(ANN) == Facts(ann, ben)
    again = becomes(ben, waiting(BEN, NOW + 2))
    await put(store, becomes(ann, Idle()), again, ended=(CHAT,))
    assert await later.load(BEN) == Facts(again)


@survives
async def test_each_side_sees_the_anchor_of_the_other(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = couple()
    await put(store, ann, ben)
    await store.mark(Mark(anchor=Anchor(CHAT, BEN, at(5, OTHER_BOT))))
    assert await later.load(ANN) == Facts(ann, ben, partner_anchor=at(5, OTHER_BOT))
    assert await later.load(BEN) == Facts(ben, ann, anchor=at(5, OTHER_BOT))


@survives
async def test_the_facts_of_a_mark_are_recorded_if_its_anchor_is_new(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await put(store, *couple())
    await store.mark(Mark(anchor=Anchor(CHAT, ANN, at(3)), facts=(told(1, at(3)),)))
    assert await journal(later) == [(1, told(1, at(3)))]
    await store.mark(Mark((update(1),), anchor=Anchor(CHAT, ANN, at(9)), facts=(told(2, at(9)),)))
    await store.mark(Mark(anchor=Anchor(NEXT_CHAT, ANN, at(9)), facts=(told(3, at(9)),)))
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),), facts=(told(4, at(9)),)))
    assert await journal(later) == [(1, told(1, at(3)))], "neither the second, nor one of another chat, nor without one"
    assert await later.done(BOT, (1,)) == {1}


@survives
async def test_an_adopted_person_keeps_their_known_anchors(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = couple(version=7)
    eve = somebody(EVE, 5, waiting(EVE))
    anchors = [Anchor(CHAT, ANN, at(3)), Anchor(NEXT_CHAT, BEN, at(4)), Anchor(CHAT, EVE, at(5))]
    await store.adopt([ann, ben, eve], anchors=anchors, whole=True)
    assert await later.load(ANN) == Facts(ann, ben, None, at(3), NOWHERE)
    assert await later.load(BEN) == Facts(ben, ann, None, NOWHERE, at(3))
    assert await later.load(EVE) == Facts(eve, anchor=NOWHERE)
    assert await journal(later) == [], "the records know already"


@survives
async def test_several_workers_may_adopt_the_whole_without_undoing_changes(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    ann, ben = couple(version=7)
    await store.adopt([ann, ben], whole=True)
    await put(store, becomes(ann, Idle()), becomes(ben, waiting(BEN)), ended=(CHAT,))
    await store.mark(Mark(anchor=Anchor(search_of(BEN), BEN, at(4))))
    await later.adopt([ann, ben], anchors=[Anchor(CHAT, ANN, at(3))], whole=True)
    assert await later.load(ANN) == Facts(becomes(ann, Idle()))
    assert await later.load(BEN) == Facts(becomes(ben, waiting(BEN)), anchor=at(4))
    assert await later.open_chats((CHAT,)) == set()


@survives
async def test_somebody_is_told_once_the_notice_has_arrived(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, *couple(), outbox=(telling("a", ANN), telling("b", BEN)))
    assert [await later.told(CHAT, each) for each in (ANN, BEN)] == [False, False]
    await store.mark(Mark(sent=("a",), anchor=Anchor(CHAT, ANN, at(3))))
    assert [await later.told(CHAT, each) for each in (ANN, BEN)] == [True, False]


@survives
async def test_a_person_counts_as_told_if_no_notice_will_be_sent(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    """Otherwise others would wait for a notice that never comes."""
    await put(store, *couple(), outbox=(telling("a", ANN), telling("b", ANN, NEXT_CHAT), parked("c")))
    assert await later.told(CHAT, BEN), "no notice tells him of it"
    await store.mark(Mark(sent=("a",)))
    assert await later.told(CHAT, ANN), "it was given up"


@survives
async def test_everybody_counts_as_told_about_a_chat_that_is_over(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    ann, ben = couple()
    await put(store, ann, ben, outbox=(telling("a", ANN),))
    assert not await later.told(CHAT, ANN)
    await put(store, becomes(ann, Idle()), becomes(ben, Idle()), ended=(CHAT,))
    assert await later.told(CHAT, ANN)


def chat_of(number: int) -> ChatId:
    return ChatId(f"chat {number}")


async def pair_off(store: LiveStore, number: int) -> None:
    one, other = PersonId(100 + 2 * number), PersonId(101 + 2 * number)
    sides = ((one, other), (other, one))
    await put(store, *(somebody(each, 1, Chatting(chat_of(number), partner, NOW)) for each, partner in sides))


def names(quiet: list[IdleChat]) -> list[str]:
    return [each.chat for each in quiet]


@survives
async def test_a_chat_is_idle_while_nothing_is_delivered(place: Place, store: LiveStore, later: LiveStore) -> None:
    began = place.clock.now()
    ann, ben = couple()
    await put(store, ann, ben)
    await place.elapse(600)
    assert await later.idle_chats(began - 1, 10) == []
    (quiet,) = await later.idle_chats(place.clock.now() - 300, 10)
    assert (quiet.chat, set(quiet.people), quiet.speaker) == (CHAT, {ANN, BEN}, None)
    assert began - 1 <= quiet.since <= began + 60
    await store.mark(Mark((update(1),), chat=CHAT, pairs=(copied(1, 10),), speaker=BEN))
    assert await later.idle_chats(place.clock.now() - 300, 10) == []
    spoken = place.clock.now()
    await place.elapse(600)
    (quiet,) = await later.idle_chats(place.clock.now() - 300, 10)
    assert (quiet.chat, set(quiet.people), quiet.speaker) == (CHAT, {ANN, BEN}, BEN)
    assert spoken - 1 <= quiet.since <= spoken + 60


@survives
async def test_marks_without_a_speaker_do_not_end_a_silence(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, *couple())
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),), speaker=ANN))
    await place.elapse(600)
    await store.mark(Mark((update(1),), anchor=Anchor(CHAT, ANN, at(3))))
    await store.mark(Mark(chat=CHAT, pairs=(copied(2, 11),)))
    (quiet,) = await later.idle_chats(place.clock.now() - 300, 10)
    assert quiet.speaker == ANN


@survives
async def test_the_last_speaker_is_known(place: Place, store: LiveStore, later: LiveStore) -> None:
    """Also if the store rounds the times."""
    await put(store, *couple())
    for speaker in (ANN, BEN, ANN, BEN):
        await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),), speaker=speaker))
    await place.elapse(600)
    (quiet,) = await later.idle_chats(place.clock.now() - 300, 10)
    assert quiet.speaker == BEN


@survives
async def test_the_longest_idle_chats_come_first(place: Place, store: LiveStore, later: LiveStore) -> None:
    for number in range(4):
        await pair_off(store, number)
        await place.elapse(100)
    await store.mark(Mark(chat=chat_of(1), pairs=(copied(1, 10),), speaker=PersonId(102)))
    await place.elapse(600)
    everything = await later.idle_chats(place.clock.now(), 10)
    assert names(everything) == ["chat 0", "chat 2", "chat 3", "chat 1"]
    assert [each.since for each in everything] == sorted(each.since for each in everything)
    assert names(await later.idle_chats(place.clock.now(), 2)) == ["chat 0", "chat 2"]
    assert await later.idle_chats(place.clock.now(), 0) == []


@survives
async def test_a_chat_that_is_over_is_not_idle(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = couple()
    await put(store, ann, ben)
    await put(store, becomes(ann, Idle()), becomes(ben, Idle()), ended=(CHAT,))
    await store.mark(Mark(chat=CHAT, speaker=ANN))
    await place.elapse(600)
    assert await later.idle_chats(place.clock.now(), 10) == []


@survives
async def test_an_adopted_chat_does_not_start_as_idle(place: Place, store: LiveStore, later: LiveStore) -> None:
    """The store does not know when its last message was, and a rebuild must not end the chat."""
    await place.elapse(7200)
    ann, ben = couple(version=7)
    await store.adopt([ann, ben], whole=True)
    assert await later.idle_chats(place.clock.now() - 60, 10) == []
    await place.elapse(600)
    assert names(await later.idle_chats(place.clock.now() - 300, 10)) == [CHAT]


@survives
async def test_the_figures_count_what_the_store_holds(place: Place, store: LiveStore, later: LiveStore) -> None:
    assert await later.figures() == Figures(0, 0, 0, 0)
    ann, ben = couple()
    await put(store, ann, ben, outbox=(notice("a"), parked("b")), facts=(fact(1), fact(2), fact(3)), owner=ONE)
    await put(store, somebody(EVE, 1, waiting(EVE)), outbox=(notice("c"),), owner=TWO)
    await put(store, somebody(PersonId(9), 1, waiting(PersonId(9), pool=MINORS)))
    assert await later.figures() == Figures(waiting=2, chats=1, outbox=3, journal=3)
    await store.trim_journal(2, store.generation)
    await store.mark(Mark(sent=("a",)))
    await put(store, becomes(ann, Idle()), becomes(ben, Idle()), somebody(EVE, 2), ended=(CHAT,))
    assert await later.figures() == Figures(waiting=1, chats=0, outbox=2, journal=1)


@contract
async def test_a_full_journal_refuses_facts_until_it_is_trimmed(place: Place) -> None:
    store = place.open_bounded(5)
    for number in range(1, 6):
        await put(store, facts=(fact(number),))
    await put(store, somebody(BEN), updates=(update(1),))
    before = await store.load(ANN), await store.done(BOT, range(9)), await store.figures()
    with pytest.raises(LiveStoreLost):
        await store.commit(Commit((somebody(ANN),), facts=(fact(6),), updates=(update(2),)))
    assert (await store.load(ANN), await store.done(BOT, range(9)), await store.figures()) == before
    await put(store, becomes(somebody(BEN), Idle()))
    await store.mark(Mark((update(3),)))
    await store.trim_journal(2, store.generation)
    await put(store, somebody(ANN), facts=(fact(6), fact(7)), updates=(update(2),))
    with pytest.raises(LiveStoreLost):
        await store.commit(Commit(facts=(fact(8),)))
    assert await journal(store) == [(number, fact(number)) for number in range(3, 8)]


@contract
async def test_a_position_of_another_generation_trims_nothing(place: Place) -> None:
    store = place.open()
    await put(store, facts=(fact(1), fact(2)))
    await store.trim_journal(2, "another")
    assert await journal(store) == [(1, fact(1)), (2, fact(2))]


CHAT_ACCOUNT, BOT_ACCOUNT = Account(BOT, ANN), Account(BOT)
NEVER = 0.001
"""Messages a second: so few that a budget does not refill during a test."""


@contract
async def test_a_budget_grants_its_burst_and_then_nothing(place: Place) -> None:
    store = place.open()
    assert await store.reserve(BOT_ACCOUNT, NEVER, 5, 2) == Grant(2, 0)
    assert (await store.reserve(BOT_ACCOUNT, NEVER, 5, 9)).granted == 3, "as many as there are"
    count, wait_s = await store.reserve(BOT_ACCOUNT, NEVER, 5, 1)
    assert count == 0
    assert 900 < wait_s <= 1000
    assert (await store.reserve(CHAT_ACCOUNT, NEVER, 1, 1)).granted == 1, "each account is its own"
    assert (await store.reserve(Account(OTHER_BOT), NEVER, 1, 1)).granted == 1
    assert (await store.reserve(Account(BOT, BEN), NEVER, 1, 1)).granted == 1


@contract
async def test_a_granted_budget_refills_with_time(place: Place) -> None:
    store = place.open()
    assert (await store.reserve(BOT_ACCOUNT, 5.0, 1, 1)).granted == 1
    asked = 0
    for _ in range(4):
        while not (grant := await store.reserve(BOT_ACCOUNT, 5.0, 1, 1)).granted:
            assert 0 < grant.wait_s < 0.21
            await place.outlast(grant.wait_s)
            asked += 1
    assert asked <= 12, "whoever waits for as long as told need not ask often"


@contract
async def test_many_callers_at_once_cannot_exceed_a_budget(place: Place) -> None:
    store = place.open()
    grants = await asyncio.gather(*(store.reserve(BOT_ACCOUNT, NEVER, 100, 7) for _ in range(40)))
    assert sum(grant.granted for grant in grants) == 100
    assert max(grant.granted for grant in grants) == 7
    assert all(grant.wait_s > 0 for grant in grants if not grant.granted)


@contract
async def test_a_budget_never_exceeds_its_burst(place: Place) -> None:
    store = place.open()
    await store.reserve(BOT_ACCOUNT, 1000.0, 5, 5)
    await place.outlast(0.3)
    grants = await asyncio.gather(*(store.reserve(BOT_ACCOUNT, NEVER, 5, 5) for _ in range(3)))
    assert sum(grant.granted for grant in grants) == 5


@contract
async def test_a_held_account_grants_nothing(place: Place) -> None:
    store = place.open()
    assert not store.is_held(CHAT_ACCOUNT)
    await store.hold(CHAT_ACCOUNT, 30.0)
    assert store.is_held(CHAT_ACCOUNT)
    assert not store.is_held(BOT_ACCOUNT)
    count, wait_s = await store.reserve(CHAT_ACCOUNT, 1.0, 5, 1)
    assert count == 0
    assert 20 < wait_s <= 30
    assert (await store.reserve(BOT_ACCOUNT, 1.0, 5, 1)).granted == 1, "another account is not"
    await store.hold(CHAT_ACCOUNT, 1.0)
    assert (await store.reserve(CHAT_ACCOUNT, 1.0, 5, 1)).wait_s > 20, "a hold is never shortened"
    await store.hold(CHAT_ACCOUNT, 3000.0)
    assert (await store.reserve(CHAT_ACCOUNT, 1.0, 5, 1)).wait_s > 2000


@contract
async def test_after_a_hold_the_budget_is_as_before(place: Place) -> None:
    store = place.open()
    assert (await store.reserve(CHAT_ACCOUNT, NEVER, 3, 1)).granted == 1
    await store.hold(CHAT_ACCOUNT, 0.2)
    await place.outlast(0.25)
    assert not store.is_held(CHAT_ACCOUNT)
    grants = [await store.reserve(CHAT_ACCOUNT, NEVER, 3, 1) for _ in range(3)]
    assert [grant.granted for grant in grants] == [1, 1, 0]
