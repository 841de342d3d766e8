"""The two stores are compared, and repaired if one of them has lost something."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec
import pytest
from structlog.testing import capture_logs

from passerby.dialogue.keyboards import KEYS
from passerby.kernel.effect import Priority
from passerby.kernel.ids import ChatId, MessageId, PersonId
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.kernel.text import text
from passerby.ports.doubts import Doubts, StoredPerson
from passerby.ports.facts import BlockChanged, ChatClosed, ChatOpened, Fact, PersonChanged
from passerby.ports.leases import Fence, Fenced, WorkerId, bot_lease
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.participants import Commit, Committed
from passerby.ports.records import RecordsLost
from passerby.runtime.background.reconciler import DOUBT_LOOKS, LOOKS, Reconciler
from tests.contract.live_values import waiting
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import EPOCH, run
from tests.runtime.world import ANN, BEN, BOT, CHAT, EVE, ME, OTHER_BOT, Bench, couple, somebody

DAN = PersonId(4)
OTHER = ChatId("another")


class Pair:
    """A live store and records. The test copies the journal between them."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.store = self.bench.store
        self.records: MemoryRecords = self.bench.records
        self.notices: list[Notice] = []
        self.recorded: list[tuple[int, Fact]] = []
        self.reconciler = Reconciler(ME, self.store, self.records, self.bench.clock, self.take_up)

    async def take_up(self, entries: Iterable[Outgoing]) -> None:
        self.notices += [entry for entry in entries if isinstance(entry, Notice)]

    async def put(self, *people: Participant, **more: object) -> None:
        facts: list[Fact] = [PersonChanged(each, EPOCH) for each in people]
        commit = msgspec.structs.replace(Commit(people, facts=tuple(facts), owner=ME), **more)
        assert await self.store.commit(commit) is Committed.YES

    async def record(self) -> None:
        """Copy the journal to the records, as the recorder does."""
        entries = await self.store.journal(0, 1000)
        await self.records.apply(self.store.generation, entries)
        self.recorded += entries
        if entries:
            await self.store.trim_journal(entries[-1][0], self.store.generation)

    async def settle(self) -> None:
        """Reconcile, copy the repair to the records, and check that nothing is left to repair."""
        assert await self.reconciler.reconcile()
        await self.record()
        notices = list(self.notices)
        assert await self.reconciler.reconcile()
        await self.record()
        assert self.notices == notices, "a repair leaves nothing to repair"
        for held in await self.store.everybody():
            assert self.records.disk.people[held.participant.person] == held.participant

    @property
    def readers(self) -> list[PersonId]:
        return sorted(notice.to for notice in self.notices)

    async def states(self) -> dict[PersonId, str]:
        return {held.participant.person: type(held.participant.state).__name__ for held in await self.store.everybody()}


def pairwise(body: Callable[[Pair], Awaitable[None]]) -> Callable[[], None]:
    def test() -> None:
        async def main() -> None:
            await body(Pair())

        run(main())

    test.__name__ = body.__name__
    return test


async def together(pair: Pair) -> tuple[Participant, Participant]:
    """Ann and Ben chat, and the records know it."""
    ann, ben = couple()
    await pair.put(ann, ben)
    await pair.records.apply("opened", [(1, ChatOpened(CHAT, ANN, BEN, BOT, OTHER_BOT, EPOCH))])
    await pair.record()
    return ann, ben


def newer(one: Participant, by: int = 1, **more: object) -> Participant:
    return msgspec.structs.replace(one, version=one.version + by, **more)


@pairwise
async def test_if_both_stores_agree_nothing_happens(pair: Pair) -> None:
    await together(pair)
    await pair.settle()
    assert pair.notices == []
    assert await pair.states() == {ANN: "Chatting", BEN: "Chatting"}


@pairwise
async def test_facts_still_in_the_journal_are_not_a_difference(pair: Pair) -> None:
    ann, ben = await together(pair)
    await pair.put(newer(ann, state=Idle()), newer(ben, state=Idle()), ended=(CHAT,))
    await pair.put(somebody(EVE, waiting(EVE)))
    assert await pair.reconciler.reconcile()
    assert pair.notices == []
    await pair.record()
    assert not pair.records.disk.chats[CHAT].active, "a chat that nobody is in is closed"


@pairwise
async def test_people_on_whom_older_records_differ_leave_their_chats_and_are_told(pair: Pair) -> None:
    await together(pair)
    before = pair.records.disk.copy()
    await pair.put(somebody(EVE, Chatting(OTHER, DAN, EPOCH)), somebody(DAN, Chatting(OTHER, EVE, EPOCH)))
    await pair.record()
    pair.records.disk = before
    await pair.settle()
    assert pair.readers == [EVE, DAN]
    assert await pair.states() == {ANN: "Chatting", BEN: "Chatting", EVE: "Idle", DAN: "Idle"}
    assert await pair.store.open_chats((CHAT, OTHER)) == {CHAT}


@pairwise
async def test_a_difference_that_cannot_be_repaired_yet_is_reported_once(pair: Pair) -> None:
    await together(pair)
    before = pair.records.disk.copy()
    await pair.put(somebody(EVE, Chatting(OTHER, DAN, EPOCH)), somebody(DAN, Chatting(OTHER, EVE, EPOCH)))
    await pair.record()
    pair.records.disk = before
    pair.bench.disk.full = True
    with capture_logs() as lines:
        for _ in range(5):
            with pytest.raises(LiveStoreLost):
                await pair.reconciler.reconcile()
        pair.bench.disk.full = False
        await pair.settle()
    assert [line["event"] for line in lines].count("stores.differ") == 1


@pairwise
async def test_a_store_that_lost_its_newest_writes_ends_every_chat_once(
    pair: Pair,
) -> None:
    """The newest writes may be in neither store."""
    await together(pair)
    pair.store._doubts = Doubts(is_unsure=True, is_older=True)
    assert await pair.reconciler.reconcile()
    assert pair.readers == [ANN, BEN]
    assert await pair.states() == {ANN: "Idle", BEN: "Idle"}
    assert await pair.reconciler.reconcile()
    assert pair.readers == [ANN, BEN], "it is still in the journal, which is no reason to tell them again"


@pairwise
async def test_lost_records_are_written_again(pair: Pair) -> None:
    await together(pair)
    await pair.put(somebody(EVE))
    await pair.record()
    pair.records.disk.people.clear()
    await pair.settle()
    assert sorted(pair.records.disk.people) == [ANN, BEN, EVE]
    assert pair.readers == [ANN, BEN], "an idle person is told nothing"


@pairwise
async def test_a_live_store_that_is_older_puts_every_chat_in_doubt(pair: Pair) -> None:
    await together(pair)
    await pair.put(somebody(EVE, waiting(EVE)))
    await pair.record()
    known = pair.records.disk.people[EVE]
    pair.records.disk.people[EVE] = newer(known, 3, state=Chatting(OTHER, DAN, EPOCH), blocked=(BEN,))
    pair.records.disk.people[DAN] = somebody(DAN, Chatting(OTHER, EVE, EPOCH))
    await pair.settle()
    assert pair.readers == [ANN, BEN, EVE, DAN]
    assert set((await pair.states()).values()) == {"Idle"}
    eve = pair.records.disk.people[EVE]
    assert (eve.version, eve.blocked) == (known.version + 4, (BEN,))


@pairwise
async def test_two_histories_of_a_person_with_the_same_version_are_noticed(pair: Pair) -> None:
    ann, _ = await together(pair)
    pair.records.disk.people[ANN] = msgspec.structs.replace(ann, state=Chatting(OTHER, EVE, EPOCH))
    await pair.settle()
    assert pair.readers == [ANN, BEN]


@pairwise
async def test_a_change_during_the_comparison_is_not_a_difference(pair: Pair) -> None:
    ann, ben = await together(pair)
    read = pair.records.active

    async def read_and_move() -> object:
        found = await read()
        await pair.put(newer(ann, state=Idle()), newer(ben, state=Idle()), ended=(CHAT,))
        await pair.record()
        return found

    pair.records.active = read_and_move  # type: ignore[method-assign, assignment]
    assert await pair.reconciler.reconcile()
    assert pair.notices == []


@pairwise
async def test_a_person_in_doubt_who_acts_first_is_compared_again(pair: Pair) -> None:
    ann, ben = await together(pair)
    pair.records.disk.people.clear()
    commit = pair.store.commit

    async def stale(what: Commit) -> Committed:
        pair.store.commit = commit  # type: ignore[method-assign]
        await pair.put(newer(ann, state=Idle()), newer(ben, state=Idle()), ended=(CHAT,))
        return await commit(what)

    pair.store.commit = stale  # type: ignore[method-assign]
    assert not await pair.reconciler.reconcile()
    assert pair.notices == []
    await pair.settle()
    assert await pair.states() == {ANN: "Idle", BEN: "Idle"}


@pairwise
async def test_a_block_that_the_records_have_lost_is_recorded_again(pair: Pair) -> None:
    ann, _ = await together(pair)
    await pair.put(newer(ann, blocked=(EVE,)))
    await pair.record()
    pair.records.disk.people[ANN] = ann
    assert await pair.reconciler.reconcile()
    facts = [fact for _, fact in await pair.store.journal(0, 100)]
    assert [fact for fact in facts if isinstance(fact, BlockChanged)] == [BlockChanged(ANN, EVE, True, EPOCH)]


@pairwise
async def test_nothing_is_repaired_while_the_records_are_away(pair: Pair) -> None:
    await together(pair)
    pair.records.lost = True
    with pytest.raises(RecordsLost):
        await pair.reconciler.reconcile()
    assert await pair.states() == {ANN: "Chatting", BEN: "Chatting"}


@pairwise
async def test_an_unreachable_person_is_repaired_and_gets_no_notice(pair: Pair) -> None:
    ann, _ = await together(pair)
    await pair.put(newer(ann, bot=None))
    await pair.record()
    pair.records.disk.people.clear()
    await pair.settle()
    assert pair.readers == [BEN]


@pairwise
async def test_an_idle_person_whose_newest_change_may_be_lost_is_told(pair: Pair) -> None:
    """They may just have begun to search, and neither store knows of it. Newcomers answer questions; they go on."""
    newcomer = somebody(DAN)
    newcomer = msgspec.structs.replace(newcomer, profile=msgspec.structs.replace(newcomer.profile, gender=None))
    await pair.put(somebody(EVE), somebody(ANN), newcomer)
    await pair.record()
    pair.store._doubts = Doubts(people=frozenset({EVE, DAN}))
    assert await pair.reconciler.reconcile()
    assert [(notice.to, notice.text) for notice in pair.notices] == [(EVE, text("chat.connection_lost"))]


@pairwise
async def test_a_person_whom_the_live_store_has_lost_altogether_is_told_of_a_change_that_may_be_lost(
    pair: Pair,
) -> None:
    """The records hold them as idle, so nothing but the note beside the log tells that they had begun to search."""
    await pair.put(somebody(EVE))
    await pair.record()
    del pair.store._state.people[EVE]
    pair.store._doubts = Doubts(everybody=True, people=frozenset({EVE, DAN}))
    assert await pair.reconciler.reconcile()
    assert pair.readers == [EVE], "nobody knows Dan, so nobody can tell him anything"


@pairwise
async def test_a_search_that_differs_ends_with_a_notice(pair: Pair) -> None:
    await pair.put(somebody(EVE, waiting(EVE)))
    await pair.record()
    pair.records.disk.people.clear()
    await pair.settle()
    await asyncio.sleep(0)
    assert pair.readers == [EVE]
    assert not any(isinstance(held.participant.state, Searching) for held in await pair.store.everybody())


@pairwise
async def test_the_chats_that_a_repair_ends_are_closed_in_the_records_once(pair: Pair) -> None:
    """Also a chat that only the records know of, and that nobody is in."""
    ann, _ = await together(pair)
    await pair.records.apply("lost", [(1, ChatOpened(OTHER, EVE, DAN, BOT, BOT, EPOCH))])
    pair.records.disk.people[ANN] = newer(ann, state=Idle())
    assert await pair.reconciler.reconcile()
    await pair.record()
    facts = [fact for _, fact in pair.recorded if isinstance(fact, ChatClosed)]
    assert sorted((fact.chat, fact.by) for fact in facts) == sorted([(CHAT, None), (OTHER, None)])
    assert not any(row.active for row in pair.records.disk.chats.values())
    assert pair.readers == [ANN, BEN]
    await pair.settle()
    assert len([fact for _, fact in pair.recorded if isinstance(fact, ChatClosed)]) == 2


@pairwise
async def test_unsent_notices_of_a_state_from_before_a_repair_are_not_sent_any_more(pair: Pair) -> None:
    """An answer to a message is still sent."""
    await together(pair)
    found = Notice("found", ANN, BOT, text("search.found"), Priority.MATCH, EPOCH, KEYS[Chatting], anchors=CHAT)
    answer = Notice("answer", ANN, BOT, text("search.came_too_late"), Priority.COMMAND, EPOCH, KEYS[Idle], MessageId(5))
    await pair.store.commit(Commit(outbox=(found, answer), owner=ME))
    pair.store._doubts = Doubts(is_unsure=True, is_older=True)
    assert await pair.reconciler.reconcile()
    assert [entry.id for entry in await pair.store.addressed_to(ANN)] == ["answer", pair.notices[0].id]


@pairwise
async def test_unsent_notices_of_a_person_whom_no_repair_tells_anything_are_kept(pair: Pair) -> None:
    """Their chat ended in both stores, and only this notice tells them so."""
    await pair.put(somebody(ANN))
    left = Notice("left", ANN, BOT, text("chat.partner_left"), Priority.MATCH, EPOCH, KEYS[Idle])
    await pair.store.commit(Commit(outbox=(left,), owner=ME))
    await pair.record()
    pair.records.disk.people[ANN] = newer(pair.records.disk.people[ANN], state=Idle())
    assert await pair.reconciler.reconcile()
    assert pair.readers == []
    assert await pair.store.addressed_to(ANN) == [left]


@pairwise
async def test_a_person_who_acts_during_the_second_look_is_looked_at_once_more(pair: Pair) -> None:
    await together(pair)
    held, looks = pair.store.stored, list[Sequence[PersonId]]()
    pair.records.disk.people.clear()

    async def acts(persons: Sequence[PersonId]) -> dict[PersonId, StoredPerson]:
        found = await held(persons)
        looks.append(persons)
        if len(looks) == 2:  # as if this look had been before the journal carried the value
            return {person: each._replace(recorded=False) for person, each in found.items()}
        return found

    pair.store.stored = acts
    assert await pair.reconciler.reconcile()
    assert pair.readers == [ANN, BEN]


@pairwise
async def test_a_person_alone_in_a_chat_leaves_it_and_is_told(pair: Pair) -> None:
    """The partner's row could not be read when the live store was rebuilt."""
    ann, ben = couple()
    await pair.put(msgspec.structs.replace(ann, state=Idle()), ben, somebody(EVE, waiting(EVE)))
    await pair.record()
    await pair.settle()
    assert pair.readers == [ben.person]
    assert await pair.states() == {ANN: "Idle", BEN: "Idle", EVE: "Searching"}


@pairwise
async def test_a_doubt_about_a_bot_ends_the_chats_and_searches_of_its_people_and_no_others(pair: Pair) -> None:
    """Their partners on other bots are told, too."""
    fence = await _lease(pair)
    await pair.put(*couple(), somebody(EVE, waiting(EVE)), somebody(DAN, waiting(DAN), OTHER_BOT))
    assert await pair.reconciler.doubt(BOT, fence) == 3
    assert sorted(notice.to for notice in pair.notices) == [ANN, BEN, EVE]
    states = {each: (await pair.bench.facts_of(each)).state for each in (ANN, BEN, EVE, DAN)}
    assert [isinstance(state, Idle) for state in states.values()] == [True, True, True, False]
    assert await pair.reconciler.doubt(BOT, fence) == 0, "nobody is left"
    await pair.record()
    assert await pair.reconciler.reconcile()


@pairwise
async def test_a_first_gap_ends_what_is_older_than_the_process_on_all_bots_if_the_store_is_its_own(pair: Pair) -> None:
    """The files were put back, so the other bots have gone back, too. Younger chats and searches are right."""
    fence = await _lease(pair)
    older, younger = waiting(DAN, since=EPOCH - 1), waiting(EVE, since=EPOCH + 3600)
    await pair.put(somebody(DAN, older, OTHER_BOT), somebody(EVE, younger, OTHER_BOT), somebody(ANN, waiting(ANN)))
    shared, alone = (
        Reconciler(ME, pair.store, pair.records, pair.bench.clock, pair.take_up, alone=alone) for alone in (False, True)
    )
    assert await shared.doubt(BOT, fence, at_start=True) == 1
    assert pair.readers == [ANN]
    assert await alone.doubt(BOT, fence) == 0, "a gap in a later answer concerns one bot"
    assert await alone.doubt(BOT, fence, at_start=True) == 1
    assert pair.readers == [ANN, DAN]


@pairwise
async def test_a_doubt_about_a_bot_goes_on_until_everybody_has_left_although_they_act_meanwhile(pair: Pair) -> None:
    fence = await _lease(pair)
    await pair.put(*couple(), somebody(EVE, waiting(EVE)))
    acts = _acts_before_commits(pair, LOOKS + 1)
    assert await pair.reconciler.doubt(BOT, fence) == 3
    assert acts == [ANN] * (LOOKS + 1)
    assert pair.readers == [ANN, BEN, EVE], "nobody is told twice"
    assert set((await pair.states()).values()) == {"Idle"}


@pairwise
async def test_a_doubt_about_a_bot_fails_if_somebody_acts_at_every_look(pair: Pair) -> None:
    """The caller asks for no updates until it has succeeded."""
    fence = await _lease(pair)
    await pair.put(*couple(), somebody(EVE, waiting(EVE)))
    _acts_before_commits(pair, DOUBT_LOOKS)
    with pytest.raises(LiveStoreLost):
        await pair.reconciler.doubt(BOT, fence)
    assert await pair.states() == {ANN: "Chatting", BEN: "Chatting", EVE: "Idle"}
    assert await pair.reconciler.doubt(BOT, fence) == 2
    assert pair.readers == [ANN, BEN, EVE]


@pairwise
async def test_a_search_that_begins_after_a_doubt_about_a_bot_goes_on(pair: Pair) -> None:
    """Otherwise people who search through other bots could keep this one waiting for ever."""
    fence = await _lease(pair)
    await pair.put(*couple(), somebody(EVE))
    acts = _acts_before_commits(pair, 1)
    commit = pair.store.commit

    async def searches(what: Commit) -> Committed:
        pair.store.commit = commit  # type: ignore[method-assign]
        await pair.put(newer(somebody(EVE, waiting(EVE))))
        return await commit(what)

    pair.store.commit = searches  # type: ignore[method-assign]
    assert await pair.reconciler.doubt(BOT, fence) == 2
    assert acts == [ANN]
    assert await pair.states() == {ANN: "Idle", BEN: "Idle", EVE: "Searching"}


def _acts_before_commits(pair: Pair, times: int) -> list[PersonId]:
    """Ann changes something just before each of the next commits that would end her chat. Returns what she did."""
    commit, acts = pair.store.commit, list[PersonId]()

    async def beaten(what: Commit) -> Committed:
        if len(acts) < times and ANN in {each.person for each in what.puts}:
            acts.append(ANN)
            assert await commit(Commit((newer(await pair.bench.facts_of(ANN)),))) is Committed.YES
        return await commit(what)

    pair.store.commit = beaten  # type: ignore[method-assign]
    return acts


@pairwise
async def test_a_worker_that_has_lost_a_bot_can_no_longer_end_its_chats(pair: Pair) -> None:
    fence = await _lease(pair)
    await pair.put(*couple())
    await pair.store.give(ME, fence.lease, fence.epoch)
    await _lease(pair, WorkerId("another"))
    with pytest.raises(Fenced):
        await pair.reconciler.doubt(BOT, fence)
    assert isinstance((await pair.bench.facts_of(ANN)).state, Chatting)


async def _lease(pair: Pair, worker: WorkerId = ME) -> Fence:
    await pair.store.heartbeat(worker, {}, 60.0, b"")
    epoch = await pair.store.take(worker, bot_lease(BOT), 60.0)
    assert epoch is not None
    return Fence(bot_lease(BOT), epoch)
