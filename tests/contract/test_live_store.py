"""The contract of `passerby.ports.live_store.LiveStore`, sentence by sentence, for every implementation."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from passerby.domain.popularity import PERIOD_S, bits
from passerby.kernel.decision import Counterpart, Facts
from passerby.kernel.ids import NOWHERE, MessageId, PersonId
from passerby.kernel.participant import Chatting, Idle, Searching, Ticket
from passerby.kernel.text import text
from passerby.ports.doubts import StoredPerson
from passerby.ports.leases import NOBODY
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Anchor, Copied, Mark
from passerby.ports.packed_pairs import MOST
from passerby.ports.participants import Commit, Committed
from passerby.ports.tickets import TicketChange, TicketFeed
from tests.contract.live_body import contract, journal, put, settled, survives
from tests.contract.live_places import Place
from tests.contract.live_values import (
    ADULTS,
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
    update,
    waiting,
)

DAY_S = 24 * 3600.0
KEY = b"a key"


async def everything(store: LiveStore) -> list[Any]:
    """Everything that a store with Ann and Ben shows."""
    return [
        await store.load(ANN, at(1)),
        await store.load(BEN),
        await store.outbox(NOBODY),
        await journal(store),
        await store.done(BOT, range(20)),
        await store.pools(),
        (await store.tickets(ADULTS, None, 0)).changes,
        await store.open_chats((CHAT, NEXT_CHAT)),
        await store.file_id("u", BOT),
    ]


@survives
async def test_a_read_after_a_commit_sees_it(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann = somebody(ANN)
    assert await later.load(ANN) is None
    await put(store, ann, outbox=(notice("n"),), facts=(fact(1),), updates=(update(7),))
    assert await later.load(ANN) == Facts(ann)
    assert await later.outbox(NOBODY) == [notice("n")]
    assert await journal(later) == [(1, fact(1))]
    assert await later.done(BOT, (6, 7, 8)) == {7}


@contract
async def test_loading_an_unknown_person_gives_nothing(place: Place) -> None:
    store = place.open()
    await put(store, somebody(ANN))
    assert await store.load(EVE) is None


@pytest.mark.parametrize("version", [1, 2, 4, 9])
def test_a_commit_on_another_version_is_stale_and_stores_nothing(place: Place, version: int) -> None:
    """The held version is 2, so 3 is the next."""

    async def main() -> None:
        store = place.open()
        await put(store, *couple())
        await put(store, *couple(version=2))
        before = await everything(store)
        stale = Commit(
            (becomes(couple(version=2)[1], Idle()), somebody(ANN, version)),
            (CHAT,),
            (notice("n"),),
            (fact(1),),
            (update(7),),
            ("sent",),
        )
        assert await store.commit(stale) is Committed.STALE
        assert await everything(store) == before
        assert await everything(place.open()) == before

    place.run(main())


@survives
async def test_a_notice_is_stored_only_if_its_people_are_unchanged(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    ann = somebody(ANN, 1, waiting(ANN))
    await put(store, ann)
    late = Commit(outbox=(notice("late"),), updates=(update(7),), seen=((ANN, 1), (BEN, 0)))
    assert await store.commit(late) is Committed.YES
    assert await later.load(ANN) == Facts(ann), "nothing of them is changed"
    assert await later.load(BEN) is None, "nor is anybody made"
    await put(store, becomes(ann, Idle()))
    for seen in ((ANN, 1), (BEN, 1)):
        stale = Commit(outbox=(notice("stale"),), updates=(update(8),), seen=(seen,))
        assert await store.commit(stale) is Committed.STALE
    assert await later.outbox(NOBODY) == [notice("late")]
    assert await later.done(BOT, (7, 8)) == {7}


@contract
async def test_a_new_person_begins_with_version_one(place: Place) -> None:
    store = place.open()
    assert await store.commit(Commit((somebody(ANN, 2),))) is Committed.STALE
    assert await store.commit(Commit((somebody(ANN, 1),))) is Committed.YES
    assert await store.commit(Commit((somebody(ANN, 1),))) is Committed.STALE


@contract
async def test_exactly_one_of_two_commits_on_the_same_version_is_stored(place: Place) -> None:
    store = place.open()
    ann, ben, eve = (somebody(each, 1, waiting(each)) for each in (ANN, BEN, EVE))
    await put(store, ann, ben, eve)
    with_ben = Commit((becomes(ann, Chatting(CHAT, BEN, NOW)), becomes(ben, Chatting(CHAT, ANN, NOW))))
    with_eve = Commit((becomes(ann, Chatting(NEXT_CHAT, EVE, NOW)), becomes(eve, Chatting(NEXT_CHAT, ANN, NOW))))
    results = await asyncio.gather(store.commit(with_ben), store.commit(with_eve))
    assert sorted(each.name for each in results) == ["STALE", "YES"]
    winner = with_ben if results[0] is Committed.YES else with_eve
    for each in winner.puts:
        facts = await store.load(each.person)
        assert facts is not None
        assert facts.me == each
    assert len(await store.open_chats((CHAT, NEXT_CHAT))) == 1


@survives
async def test_a_done_update_is_not_committed_again(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, somebody(ANN), updates=(update(7), update(8)))
    before = await everything(later)
    again = Commit((somebody(ANN, 2),), (), (notice("n"),), (fact(1),), (update(8), update(7)))
    assert await later.commit(again) is Committed.ALREADY_DONE
    assert await everything(later) == before


@contract
async def test_done_counts_before_stale(place: Place) -> None:
    """A redelivered update is decided again on newer facts. It must not be stale, or it would be tried for ever."""
    store = place.open()
    await put(store, somebody(ANN), updates=(update(7),))
    assert await store.commit(Commit((somebody(ANN),), updates=(update(7),))) is Committed.ALREADY_DONE


@contract
async def test_an_album_of_which_half_is_done_is_stored_whole(place: Place) -> None:
    store = place.open()
    await put(store, somebody(ANN), updates=(update(7),))
    await put(store, somebody(ANN, 2), updates=(update(7), update(8)))
    assert await store.done(BOT, range(20)) == {7, 8}


@contract
async def test_a_commit_without_updates_is_never_already_done(place: Place) -> None:
    store = place.open()
    await put(store, outbox=(notice("a"),))
    await put(store, outbox=(notice("b"),))
    assert len(await store.outbox(NOBODY)) == 2


@survives
async def test_done_marks_are_a_set_and_not_a_maximum(place: Place, store: LiveStore, later: LiveStore) -> None:
    """Telegram may restart the ids anywhere, and each bot has its own."""
    numbers = {1, 2, 5, 1023, 1024, 999_999_999, 2**31 - 1, 2**40, 3}
    for number in numbers:
        await store.mark(Mark((update(number),)))
    await store.mark(Mark((update(4, OTHER_BOT),)))
    around = {near for number in numbers for near in (number - 1, number, number + 1)}
    assert await later.done(BOT, around) == numbers
    assert await later.done(OTHER_BOT, range(10)) == {4}
    assert await later.done(BOT, ()) == set()


@contract
async def test_done_marks_are_remembered_for_a_day(place: Place) -> None:
    store = place.open()
    await store.mark(Mark((update(7),)))
    for _ in range(23):
        await place.elapse(3600)
        await store.sweep()
    await place.elapse(3600 - 1)
    await store.sweep()
    assert await store.done(BOT, (7,)) == {7}
    assert await place.open().done(BOT, (7,)) == {7}


@contract
async def test_done_marks_expire(place: Place) -> None:
    store = place.open()
    await store.mark(Mark((update(7),)))
    await place.elapse(3 * DAY_S)
    await store.mark(Mark((update(2000),)))
    await store.sweep()
    assert await store.done(BOT, (7, 2000)) == {2000}


@survives
async def test_crashes_are_counted_for_each_update(place: Place, store: LiveStore, later: LiveStore) -> None:
    await store.record_crash((update(7), update(8)), "one")
    await store.record_crash((update(7),), "two")
    await store.record_crash((update(7, OTHER_BOT),), "three")
    await store.mark(Mark((update(9),)))
    assert await later.known(BOT, (6, 7, 8, 9)) == ({9}, {7: 2, 8: 1})
    assert await later.known(OTHER_BOT, (7, 8)) == (set(), {7: 1})
    assert await later.known(BOT, ()) == (set(), {})


@survives
async def test_a_crash_reported_twice_counts_once(place: Place, store: LiveStore, later: LiveStore) -> None:
    for _ in range(3):
        await store.record_crash((update(7),), "one")
    assert await later.known(BOT, (7,)) == (set(), {7: 1})


@contract
async def test_crashes_are_remembered_for_a_day_and_then_expire(place: Place) -> None:
    store = place.open()
    await store.record_crash((update(7),), "one")
    for _ in range(24):
        await place.elapse(3600 - 1)
        await store.sweep()
    assert (await place.open().known(BOT, (7,))).crashes == {7: 1}
    await place.elapse(2 * DAY_S)
    await store.sweep()
    assert (await store.known(BOT, (7,))).crashes == {}


@contract
async def test_a_crash_that_cannot_be_stored_is_an_error(place: Place) -> None:
    store = place.open()
    with place.lost(), pytest.raises(LiveStoreLost):
        await store.record_crash((update(7),), "one")
    await settled(store)
    assert (await store.known(BOT, (7,))).crashes == {}


@survives
async def test_the_outbox_keeps_its_order_and_drops_settled_entries(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await put(store, outbox=(notice("d"), parked("a")))
    await put(store, outbox=(notice("c", BEN), notice("b")))
    assert await later.outbox(NOBODY) == [notice("d"), parked("a"), notice("c", BEN), notice("b")]
    await store.mark(Mark(sent=("a",)))
    await put(store, sent=("c", "never there"))
    assert await later.outbox(NOBODY) == [notice("d"), notice("b")]


@survives
async def test_an_entry_with_the_same_id_replaces_the_one_before(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await put(store, outbox=(notice("owed"), notice("a")))
    again = msgspec.structs.replace(notice("owed"), text=text("said", n=2))
    await put(store, outbox=(again,))
    assert await later.outbox(NOBODY) == [notice("a"), again], "as the newest of them"
    await store.mark(Mark(sent=("owed",)))
    assert await later.outbox(NOBODY) == [notice("a")]


@survives
async def test_marks_are_idempotent(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, *couple(), outbox=(notice("n"), notice("m")))
    mark = Mark((update(7),), ("n",), CHAT, (copied(1, 10, 5),), Anchor(CHAT, ANN, at(3)))
    await store.mark(mark)
    before = await everything(later)
    await later.mark(mark)
    assert await everything(later) == before
    assert await later.outbox(NOBODY) == [notice("m")]


@survives
async def test_the_message_map_works_in_both_directions(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = couple()
    await put(store, ann, ben)
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10, 5), copied(2, 11, 6))))
    copy, source = Counterpart(at(10, OTHER_BOT), True, 5), Counterpart(at(1), False)
    assert await later.load(ANN, at(1)) == Facts(ann, ben, copy)
    assert await later.load(BEN, at(10, OTHER_BOT)) == Facts(ben, ann, source)
    assert await later.counterpart(CHAT, at(1)) == copy
    assert await later.counterpart(CHAT, at(10, OTHER_BOT)) == source
    assert await later.counterpart(CHAT, at(2)) == Counterpart(at(11, OTHER_BOT), True, 6)


@survives
async def test_each_part_of_a_split_copy_leads_back_to_its_source(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await put(store, *couple())
    for rest in ((11, 12), (13,)):
        long = msgspec.structs.replace(copied(1, 10, 5), rest=tuple(map(MessageId, rest)))
        await store.mark(Mark(chat=CHAT, pairs=(long, copied(2, 20))))
    assert await later.counterpart(CHAT, at(1)) == Counterpart(at(10, OTHER_BOT), True, 5, (MessageId(13),))
    for piece in (10, 13):
        assert await later.counterpart(CHAT, at(piece, OTHER_BOT)) == Counterpart(at(1), False)
    assert await later.counterpart(CHAT, at(2)) == Counterpart(at(20, OTHER_BOT), True)


@contract
async def test_the_same_message_id_of_another_bot_is_another_message(place: Place) -> None:
    store = place.open()
    await put(store, *couple())
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),)))
    assert await store.counterpart(CHAT, at(10)) is None
    assert await store.counterpart(CHAT, at(1, OTHER_BOT)) is None
    assert await store.counterpart(NEXT_CHAT, at(1)) is None


@survives
async def test_an_edit_updates_the_fingerprint(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, *couple())
    for print_ in (5, 6):
        await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10, print_),)))
    assert await later.counterpart(CHAT, at(1)) == Counterpart(at(10, OTHER_BOT), True, 6)


@contract
async def test_the_newest_messages_of_a_very_long_chat_are_known(place: Place) -> None:
    store = place.open()
    await put(store, *couple())
    for first in range(1, MOST + 501, 500):
        await store.mark(
            Mark(chat=CHAT, pairs=tuple(copied(each, 50_000 + each) for each in range(first, first + 500)))
        )
    newest = first + 499
    for known in (newest, newest - 700, newest - MOST // 2):
        assert await store.counterpart(CHAT, at(known)) == Counterpart(at(50_000 + known, OTHER_BOT), True)
        assert await store.counterpart(CHAT, at(50_000 + known, OTHER_BOT)) == Counterpart(at(known), False)
    assert await store.counterpart(CHAT, at(1)) is None


@survives
async def test_each_side_has_its_own_anchor_and_the_first_one_counts(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    """If a notice is sent twice, messages between the two must not count as older than the chat."""
    ann, ben = couple()
    await put(store, ann, ben)
    await store.mark(Mark(anchor=Anchor(CHAT, ANN, at(3))))
    await store.mark(Mark(anchor=Anchor(CHAT, ANN, at(9))))
    assert await later.load(ANN) == Facts(ann, ben, None, at(3))
    assert await later.load(BEN) == Facts(ben, ann, partner_anchor=at(3))


@survives
async def test_messages_received_in_a_chat_are_known_for_a_day_after_it(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    ann, ben = couple()
    await put(store, ann, ben)
    several = Copied(at(2), at(11, OTHER_BOT), 0, (MessageId(12), MessageId(13)))
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10), several)))
    assert await store.received_in((CHAT,), at(10, OTHER_BOT)) is None, "the map of an open chat says more"
    await put(store, becomes(ann, Idle()), becomes(ben, Idle()), ended=(CHAT,))
    for copy in (10, 11, 12, 13):
        assert await later.received_in((NEXT_CHAT, CHAT), at(copy, OTHER_BOT)) == CHAT
    for other in (at(1), at(2), at(10), at(14, OTHER_BOT), at(1, OTHER_BOT)):
        assert await later.received_in((CHAT,), other) is None, "an original, or another bot's, or a notice"
    assert await later.received_in((NEXT_CHAT,), at(10, OTHER_BOT)) is None
    assert await later.received_in((), at(10, OTHER_BOT)) is None


@survives
async def test_the_end_of_a_chat_drops_its_map_and_anchors(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = couple()
    await put(store, ann, ben)
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),), anchor=Anchor(CHAT, ANN, at(3))))
    await put(store, becomes(ann, Idle()), becomes(ben, Idle()), ended=(CHAT,))
    assert await later.counterpart(CHAT, at(1)) is None
    late = Mark((update(7),), chat=CHAT, pairs=(copied(2, 11),), anchor=Anchor(CHAT, BEN, at(4)))
    await store.mark(late)
    assert await later.counterpart(CHAT, at(2)) is None
    assert await later.done(BOT, (7,)) == {7}, "but what else the mark says counts"
    again = [msgspec.structs.replace(each, version=3) for each in couple(NEXT_CHAT)]
    await put(store, *again)
    assert await later.load(ANN, at(1)) == Facts(again[0], again[1])


@contract
async def test_an_idle_persons_reference_has_no_counterpart(place: Place) -> None:
    store = place.open()
    await put(store, somebody(ANN))
    assert await store.load(ANN, at(1)) == Facts(somebody(ANN))


@survives
async def test_a_chat_is_open_while_somebody_is_in_it(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = couple()
    await put(store, ann, ben)
    assert await later.open_chats((CHAT, NEXT_CHAT)) == {CHAT}
    await put(store, becomes(ann, Idle()), becomes(ben, waiting(BEN)), ended=(CHAT,))
    assert await later.open_chats((CHAT, NEXT_CHAT)) == set()


@contract
async def test_the_message_map_is_kept_for_one_to_two_days(place: Place) -> None:
    """48 hours at most, however often the store is opened meanwhile."""
    store = place.open()
    await put(store, *couple())
    await place.elapse(5 * 3600)
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),), anchor=Anchor(CHAT, ANN, at(3))))
    for hours in range(1, 49):
        await place.elapse(3600)
        await store.mark(Mark(chat=CHAT, pairs=(copied(100 + hours, 200 + hours),)))
        await store.sweep()
        store = place.open()
        if hours <= 24:
            assert await store.counterpart(CHAT, at(1)) is not None, hours
    await place.elapse(61)
    await store.sweep()
    assert await store.counterpart(CHAT, at(1)) is None
    assert await store.counterpart(CHAT, at(148)) is not None
    facts = await store.load(ANN)
    assert facts is not None
    assert facts.anchor == at(3), "the anchor lasts as long as the chat"


@contract
async def test_the_message_map_expires_in_time_even_if_the_store_was_away(place: Place) -> None:
    store = place.open()
    await put(store, *couple())
    await store.mark(Mark(chat=CHAT, pairs=(copied(1, 10),)))
    await place.elapse(47 * 3600)
    store = place.open()
    await place.elapse(3600 + 61)
    await store.sweep()
    assert await store.counterpart(CHAT, at(1)) is None


def ticket(person: PersonId, since: float = NOW) -> Ticket:
    return waiting(person, since).ticket


@survives
async def test_the_feed_begins_with_everybody_who_waits(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = somebody(ANN, 1, waiting(ANN)), somebody(BEN, 1, waiting(BEN, NOW + 1))
    await put(store, ann)
    await put(store, ben, somebody(EVE, 1, waiting(EVE, pool=MINORS)))
    feed = await later.tickets(ADULTS, None, 0)
    assert feed.whole
    assert set(feed.changes) == {TicketChange(ANN, ticket(ANN), 1), TicketChange(BEN, ticket(BEN, NOW + 1), 1)}
    assert await later.pools() == {ADULTS, MINORS}


@contract
async def test_the_feed_continues_with_the_changes(place: Place) -> None:
    store = place.open()
    ann = somebody(ANN, 1, waiting(ANN))
    await put(store, ann)
    feed = await store.tickets(ADULTS, None, 0)
    assert await store.tickets(ADULTS, feed.cursor, 0) == TicketFeed((), feed.cursor, False)
    await put(store, somebody(BEN, 1, waiting(BEN)))
    await put(store, becomes(ann, Idle()))
    news = await store.tickets(ADULTS, feed.cursor, 0)
    assert not news.whole
    assert set(news.changes) == {TicketChange(BEN, ticket(BEN), 1), TicketChange(ANN, None, 2)}
    assert (await store.tickets(ADULTS, news.cursor, 0)).changes == ()


@contract
async def test_the_feed_has_only_the_latest_change_of_a_person(place: Place) -> None:
    store = place.open()
    feed = await store.tickets(ADULTS, None, 0)
    ann = somebody(ANN, 1, waiting(ANN))
    await put(store, ann)
    await put(store, becomes(ann, Idle()))
    await put(store, somebody(ANN, 3, waiting(ANN, NOW + 5)))
    news = await store.tickets(ADULTS, feed.cursor, 0)
    assert news.changes == (TicketChange(ANN, ticket(ANN, NOW + 5), 3),)


@contract
async def test_a_new_version_of_a_waiting_person_is_a_change(place: Place) -> None:
    """Otherwise a pairing on the old version would be stale for ever."""
    store = place.open()
    ann = somebody(ANN, 1, waiting(ANN))
    await put(store, ann)
    feed = await store.tickets(ADULTS, None, 0)
    await put(store, becomes(ann, ann.state))
    assert (await store.tickets(ADULTS, feed.cursor, 0)).changes == (TicketChange(ANN, ticket(ANN), 2),)


@contract
async def test_a_person_who_changes_pools_leaves_one_and_joins_the_other(place: Place) -> None:
    store = place.open()
    ann = somebody(ANN, 1, waiting(ANN, pool=MINORS))
    await put(store, ann)
    minors, adults = await store.tickets(MINORS, None, 0), await store.tickets(ADULTS, None, 0)
    await put(store, becomes(ann, waiting(ANN)))
    assert (await store.tickets(MINORS, minors.cursor, 0)).changes == (TicketChange(ANN, None, 2),)
    assert (await store.tickets(ADULTS, adults.cursor, 0)).changes == (TicketChange(ANN, ticket(ANN), 2),)
    assert await store.pools() == {ADULTS}


@contract
async def test_a_reader_waits_for_changes_as_long_as_it_asked(place: Place) -> None:
    store = place.open()
    feed = await store.tickets(ADULTS, None, 0)
    began = place.clock.monotonic()
    assert (await store.tickets(ADULTS, feed.cursor, 5.0)).changes == ()
    assert 5.0 <= place.clock.monotonic() - began < 6.0

    async def come() -> None:
        await place.elapse(2.0)
        await put(store, somebody(ANN, 1, waiting(ANN)))

    began = place.clock.monotonic()
    news, _ = await asyncio.gather(store.tickets(ADULTS, feed.cursor, 60.0), come())
    assert news.changes == (TicketChange(ANN, ticket(ANN), 1),)
    assert place.clock.monotonic() - began < 3.0
    began = place.clock.monotonic()
    assert (await store.tickets(ADULTS, feed.cursor, 60.0)).changes == news.changes
    assert place.clock.monotonic() == began, "what is there already is not waited for"
    assert (await store.tickets(ADULTS, news.cursor, 5.0)).changes == ()
    assert place.clock.monotonic() - began >= 5.0, "old news does not end a wait"


@contract
async def test_several_readers_get_the_same_changes(place: Place) -> None:
    store = place.open()
    feed = await store.tickets(ADULTS, None, 0)
    readers = [asyncio.ensure_future(store.tickets(ADULTS, feed.cursor, 60.0)) for _ in range(3)]
    await place.elapse(1.0)
    await put(store, somebody(ANN, 1, waiting(ANN)))
    heard = await asyncio.gather(*readers)
    assert {each.changes for each in heard} == {(TicketChange(ANN, ticket(ANN), 1),)}


@contract
async def test_a_reader_that_is_a_little_behind_gets_only_the_changes(place: Place) -> None:
    """Starting again costs as much as everybody who waits."""
    store = place.open()
    await put(store, somebody(ANN, 1, waiting(ANN)))
    feed = await store.tickets(ADULTS, None, 0)
    crowd = [somebody(PersonId(100 + number), 1, waiting(PersonId(100 + number))) for number in range(1_000)]
    await put(store, *crowd)
    await put(store, *(becomes(each, Idle()) for each in crowd))
    news = await store.tickets(ADULTS, feed.cursor, 0)
    assert not news.whole
    assert {change.person for change in news.changes if change.ticket is None} == {each.person for each in crowd}


@contract
async def test_a_reader_too_far_behind_starts_again(place: Place) -> None:
    """Past changes are not remembered for ever. A reader that missed some gets everything."""
    store = place.open()
    feed = await store.tickets(ADULTS, None, 0)
    await put(store, somebody(ANN, 1, waiting(ANN)))
    crowd = [somebody(PersonId(100 + number), 1, waiting(PersonId(100 + number))) for number in range(10_500)]
    await put(store, *crowd)
    await put(store, *(becomes(each, Idle()) for each in crowd))
    news = await store.tickets(ADULTS, feed.cursor, 0)
    if news.whole:
        assert news.changes == (TicketChange(ANN, ticket(ANN), 1),)
    else:
        assert len(news.changes) == 10_501
    assert (await store.tickets(ADULTS, news.cursor, 0)).changes == ()


@survives
async def test_facts_are_numbered_in_order_and_read_in_pieces(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, facts=(fact(1), fact(2)))
    await put(store, facts=(fact(3),))
    assert await later.journal(0, 10) == [(1, fact(1)), (2, fact(2)), (3, fact(3))]
    assert await later.journal(1, 1) == [(2, fact(2))]
    assert await later.journal(3, 10) == []
    assert await later.journal(99, 10) == []


@survives
async def test_a_trimmed_journal_keeps_counting(place: Place, store: LiveStore, later: LiveStore) -> None:
    await put(store, facts=(fact(1), fact(2), fact(3)))
    await store.trim_journal(2, store.generation)
    assert await later.journal(0, 10) == [(3, fact(3))]
    await store.trim_journal(3, store.generation)
    await later.trim_journal(3, later.generation)
    assert await later.journal(0, 10) == []
    await put(later, facts=(fact(4),))
    assert await later.journal(0, 10) == [(4, fact(4))]
    assert await later.journal(3, 10) == [(4, fact(4))]


@contract
async def test_a_wiped_store_begins_another_generation(place: Place) -> None:
    store = place.open()
    generation = store.generation
    assert generation
    await store.aclose()
    place.wipe()
    again = place.open()
    assert again.generation != generation
    assert again.newborn


@contract
async def test_a_store_is_newborn_until_the_records_have_been_adopted(place: Place) -> None:
    """If the process is killed before that, no open chat may be forgotten."""
    assert place.open().newborn
    store = place.open()
    await put(store, somebody(EVE))
    assert [store.newborn, place.open().newborn] == [True, True]
    await store.adopt([somebody(BEN, 3, waiting(BEN))])
    assert [store.newborn, place.open().newborn] == [True, True], "some are not all"
    await store.adopt((), whole=True)
    assert [store.newborn, place.open().newborn] == [False, False]


@survives
async def test_an_adopted_person_is_here_as_if_never_gone(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = couple(version=7)
    eve = somebody(EVE, 5, waiting(EVE))
    await store.adopt([ann, ben, eve])
    assert await later.load(ANN) == Facts(ann, ben, None, NOWHERE, NOWHERE), "what told them of the chat is forgotten"
    assert await later.load(EVE) == Facts(eve, anchor=NOWHERE)
    assert await later.open_chats((CHAT,)) == {CHAT}
    assert (await later.tickets(ADULTS, None, 0)).changes == (TicketChange(EVE, ticket(EVE), 5),)
    assert await later.journal(0, 10) == [], "the records know already"
    assert await later.commit(Commit((becomes(eve, Idle()),))) is Committed.YES, "versions go on from there"


@survives
async def test_adopting_never_overwrites_held_people(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann = somebody(ANN, 1, waiting(ANN))
    await put(store, ann)
    await store.adopt([somebody(ANN, 40), somebody(BEN, 40)])
    await later.adopt([somebody(ANN, 50, waiting(ANN, NOW + 9))])
    assert await later.load(ANN) == Facts(ann)
    assert (await later.tickets(ADULTS, None, 0)).changes == (TicketChange(ANN, ticket(ANN), 1),)


@contract
async def test_an_adopted_idle_person_can_change_and_survives_a_kill(place: Place) -> None:
    store = place.open()
    await store.adopt([somebody(ANN, 12)])
    await put(store, somebody(ANN, 13, waiting(ANN)))
    assert await place.open().load(ANN) == Facts(somebody(ANN, 13, waiting(ANN)))


@contract
async def test_only_idle_people_in_the_records_are_dropped_after_a_while(place: Place) -> None:
    store = place.open()
    ann, ben = couple()
    eve, idle, unrecorded = PersonId(3), PersonId(4), PersonId(5)
    await put(store, ann, ben, somebody(eve, 1, waiting(eve)), somebody(idle), facts=(fact(1),))
    await put(store, somebody(unrecorded), facts=(fact(2),))
    await store.trim_journal(1, store.generation)
    for _ in range(3):
        await place.elapse(3600)
        await store.sweep()
    held = [each for each in (ANN, BEN, eve, idle, unrecorded) if await store.load(each) is not None]
    assert held == [ANN, BEN, eve, unrecorded]
    again = place.open()
    held = [each for each in (ANN, BEN, eve, unrecorded) if await again.load(each) is not None]
    assert held == [ANN, BEN, eve, unrecorded]


@contract
async def test_idle_people_who_write_stay_in_the_store(place: Place) -> None:
    store = place.open()
    await put(store, somebody(ANN), facts=(fact(1),))
    await store.trim_journal(1, store.generation)
    for _ in range(60):
        await place.elapse(120)
        await store.sweep()
        assert await store.load(ANN) == Facts(somebody(ANN))


@contract
async def test_a_dropped_person_can_be_adopted_again_with_their_old_version(place: Place) -> None:
    store = place.open()
    await put(store, somebody(ANN), facts=(fact(1),))
    await store.trim_journal(1, store.generation)
    await place.elapse(DAY_S)
    await store.sweep()
    assert await store.load(ANN) is None
    await store.adopt([somebody(ANN)])
    await put(store, somebody(ANN, 2))
    assert await place.open().load(ANN) == Facts(somebody(ANN, 2))


@survives
async def test_each_bot_has_its_own_id_for_a_file(place: Place, store: LiveStore, later: LiveStore) -> None:
    await store.remember_file("u", BOT, "first")
    await store.remember_file("u", OTHER_BOT, "other")
    assert [await later.file_id("u", bot) for bot in (BOT, OTHER_BOT)] == ["first", "other"]
    await store.remember_file("u", BOT, "second")
    await store.remember_file("u", OTHER_BOT, None)
    await store.remember_file("v", BOT, None)
    assert [await later.file_id("u", bot) for bot in (BOT, OTHER_BOT)] == ["second", None]
    assert await later.file_id("v", BOT) is None


@survives
async def test_a_set_seen_with_several_people_is_counted(place: Place, store: LiveStore, later: LiveStore) -> None:
    assert [await store.sight(bits(KEY, "cats", PersonId(person))) for person in (1, 1)] == [1, 1]
    seen = [await later.sight(bits(KEY, "cats", PersonId(person))) for person in range(2, 60)]
    assert seen == sorted(seen)
    assert seen[-1] > 20
    assert await later.sight(bits(KEY, "dogs", PersonId(1))) == 1


@contract
async def test_sightings_are_remembered_for_one_more_period_and_then_forgotten(place: Place) -> None:
    store = place.open()
    for person in range(1, 30):
        many = await store.sight(bits(KEY, "cats", PersonId(person)))
    await place.elapse(PERIOD_S)
    assert await store.sight(bits(KEY, "cats", PersonId(1))) == many > 10
    await place.elapse(PERIOD_S)
    assert await store.sight(bits(KEY, "cats", PersonId(1))) == 1
    assert await store.sight(bits(KEY, "cats", PersonId(1))) == 1


WRITES: dict[str, Callable[[LiveStore], Awaitable[Any]]] = {
    "commit": lambda store: store.commit(
        Commit((somebody(ANN, 2),), (CHAT,), (notice("n"),), (fact(9),), (update(9),), ("kept",))
    ),
    "mark": lambda store: store.mark(Mark((update(9),), ("kept",), CHAT, (copied(9, 90),), Anchor(CHAT, ANN, at(9)))),
    "adopt": lambda store: store.adopt((couple(NEXT_CHAT, 9)[0], somebody(EVE, 3, waiting(EVE)))),
    "trim_journal": lambda store: store.trim_journal(1, store.generation),
    "remember_file": lambda store: store.remember_file("u", BOT, "another"),
    "sight": lambda store: store.sight(bits(KEY, "birds", ANN)),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_cannot_be_stored_changes_nothing(place: Place, write: str) -> None:
    async def main() -> None:
        store = place.open()
        await store.adopt((), whole=True)
        await put(store, *couple(), outbox=(notice("kept"),), facts=(fact(1),), updates=(update(7),))
        await store.remember_file("u", BOT, "id")
        before = await everything(store)
        with place.lost(), pytest.raises(LiveStoreLost):
            await WRITES[write](store)
        await settled(store)
        assert await everything(store) == before
        assert await store.load(EVE) is None
        assert await everything(place.open()) == before
        await WRITES[write](store)
        assert await everything(store) == await everything(place.open()), "and afterwards it goes on"

    place.run(main())


@contract
async def test_a_sweep_that_cannot_write_is_an_error(place: Place) -> None:
    store = place.open()
    with place.lost(), pytest.raises(LiveStoreLost):
        await store.sweep()
    await settled(store)
    await store.sweep()


@contract
async def test_a_closed_store_opens_as_it_was(place: Place) -> None:
    store = place.open()
    await put(store, *couple(), outbox=(notice("n"),))
    before = await everything(store)
    await store.aclose()
    assert await everything(place.open()) == before


@contract
async def test_closing_a_lost_store_is_an_error(place: Place) -> None:
    store = place.open()
    with place.lost(), pytest.raises(LiveStoreLost):
        await store.aclose()


def test_only_the_participants_say_who_chats_with_whom(place: Place) -> None:
    """No store keeps a second copy of this fact."""

    async def main() -> None:
        store = place.open()
        ann, ben = couple()
        await put(store, ann, ben)
        await put(store, becomes(ann, Idle()), ended=(CHAT,))
        facts = await store.load(BEN)
        assert facts is not None
        assert isinstance(facts.me.state, Chatting)
        assert facts.partner == becomes(ann, Idle())
        assert not isinstance(facts.partner.state, Searching)

    place.run(main())


@survives
async def test_held_people_are_listed_with_whether_the_records_have_them(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    ann, ben = couple()
    eve = somebody(EVE, 3)
    await store.adopt((eve,))
    await put(store, ann, ben, facts=(fact(1), fact(2)))
    held = {ANN: StoredPerson(ann, False), BEN: StoredPerson(ben, False)}
    found = {each.participant.person: each for each in await later.everybody()}
    assert {person: found[person] for person in held} == held
    assert await later.stored((BEN, ANN, PersonId(99))) == held
    assert await later.stored(()) == {}
    assert await store.trimmed() == 0
    await store.trim_journal(2, store.generation)
    assert await store.trimmed() == 2
    assert await later.stored((ANN,)) == {ANN: StoredPerson(ann, True)}
    await put(later, becomes(ann, Idle()), becomes(ben, Idle()), ended=(CHAT,), facts=(fact(3),))
    assert (await later.stored((ANN,)))[ANN].recorded is False


@survives
async def test_an_adopted_person_is_in_the_records(place: Place, store: LiveStore, later: LiveStore) -> None:
    eve = somebody(EVE, 3, waiting(EVE))
    await store.adopt((eve,))
    assert await later.stored((EVE,)) == {EVE: StoredPerson(eve, True)}


@survives
async def test_a_repair_replaces_any_version_that_it_has_seen(place: Place, store: LiveStore, later: LiveStore) -> None:
    ann, ben = couple()
    await put(store, ann, ben)
    mended = somebody(ANN, 9), somebody(BEN, 7), somebody(EVE, 4)
    seen = ((ANN, 1), (BEN, 1), (EVE, 0))
    assert await later.commit(Commit(mended, (CHAT,), seen=((ANN, 2), *seen[1:]), repairs=True)) is Committed.STALE
    assert await later.commit(Commit(mended, (CHAT,), seen=seen, repairs=True)) is Committed.YES
    assert [(await later.load(each.person)) for each in mended] == [Facts(each) for each in mended]
    assert await later.commit(Commit(mended, (CHAT,), seen=seen, repairs=True)) is Committed.STALE
    assert await later.open_chats((CHAT,)) == set()
    assert await later.commit(Commit((somebody(ANN, 10),))) is Committed.YES
