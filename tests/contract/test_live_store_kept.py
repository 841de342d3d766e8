"""Any history of writes, with kills, wipes, rewrites and a full disk: the store behaves like a simple model.

After every step, everything that the store shows is compared with the model. So is a store opened as after a kill.
"""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from passerby.adapters.memory import MemoryStore, logged
from passerby.kernel.decision import Facts
from passerby.kernel.ids import ChatId, PersonId, UpdateRef, search_of
from passerby.kernel.participant import Chatting, Idle, Participant, State
from passerby.ports.leases import Evicted, WorkerId
from passerby.ports.live_store import Figures, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit
from passerby.ports.tickets import TicketChange
from tests.contract.live_model import Model
from tests.contract.live_places import Disk, DiskLog
from tests.contract.live_values import ADULTS, BOT, MINORS, NOW, OTHER_BOT, at, copied, fact, somebody, telling, waiting
from tests.size import size

T = TypeVar("T")
PEOPLE = [PersonId(number) for number in range(1, 5)]
CHATS = [ChatId(name) for name in "abc"]
FILES = ["u", "v"]
REFS = [at(1), at(2), at(1, OTHER_BOT), at(10, OTHER_BOT), at(11, OTHER_BOT)]
WORKERS = [WorkerId("one"), WorkerId("two")]
UPDATES = [UpdateRef(bot, number) for bot in (BOT, OTHER_BOT) for number in (1, 2, 1500, 2**40)]
ENTRIES = {
    "n1": telling("n1", PEOPLE[0], CHATS[0]),
    "n2": telling("n2", PEOPLE[0], CHATS[1]),
    "n3": telling("n3", PEOPLE[1], search_of(PEOPLE[1])),
}
TALKS = [*CHATS, *map(search_of, PEOPLE[:2])]

some_updates = st.lists(st.sampled_from(UPDATES), max_size=2).map(tuple)
some_names = st.lists(st.sampled_from(list(ENTRIES)), max_size=1).map(tuple)
# A message has one copy. Only its content may change.
some_pairs = st.lists(
    st.builds(lambda source, print_: copied(source, 9 + source, print_), st.integers(1, 2), st.integers(0, 3)),
    max_size=2,
).map(tuple)


some_anchors = st.builds(Anchor, st.sampled_from(TALKS), st.sampled_from(PEOPLE), st.sampled_from(REFS))


class Still:
    """A clock that stands still: nothing expires. Expiry has tests of its own."""

    def now(self) -> float:
        return NOW + 60

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError("the store does not sleep")


def at_once(step: Awaitable[T]) -> T:
    """Run a call that never waits."""
    coroutine: Any = step.__await__()
    try:
        next(coroutine)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("a memory store waits for nothing")


class StoreWithoutLoop(MemoryStore):
    """Its next turn comes as soon as somebody looks at the answer."""

    def _next_turn(self, callback: Callable[[], None]) -> None:
        pass

    async def mark(self, mark: Mark) -> None:  # type: ignore[override]
        stored = super().mark(mark)
        self._write_marks()
        await stored


class Histories(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.disk, self.model = Disk(), Model()
        self.clock = Still()
        self.living, self.evicted = set[WorkerId](), set[WorkerId]()
        self.rng = Random(5)
        self.store = self.opened()
        self.feeds: dict[Any, dict[PersonId, TicketChange]] = {ADULTS: {}, MINORS: {}}
        self.cursors: dict[Any, int | None] = {ADULTS: None, MINORS: None}

    def opened(self) -> MemoryStore:
        return StoreWithoutLoop(DiskLog(self.disk), self.clock, self.rng)

    # ------------------------------------------------------------------ steps

    @rule(
        who=st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True),
        state=st.sampled_from(["idle", "adult", "minor", "chat"]),
        chat=st.sampled_from(CHATS),
        off=st.sampled_from([0, 0, 0, 0, 1, -1]),
        outbox=some_names,
        facts=st.integers(0, 2),
        updates=some_updates,
        sent=some_names,
        owner=st.sampled_from(WORKERS),
        full=st.sampled_from([False, False, False, True]),
    )
    def commit(
        self,
        who: list[PersonId],
        state: str,
        chat: ChatId,
        off: int,
        outbox: tuple[str, ...],
        facts: int,
        updates: tuple[UpdateRef, ...],
        sent: tuple[str, ...],
        owner: WorkerId,
        full: bool,
    ) -> None:
        puts, ended = [], set[ChatId]()
        for index, person in enumerate(who):
            held = self.model.people.get(person)
            if held is not None and isinstance(held.state, Chatting):
                ended.add(held.state.chat)
            partner = who[1 - index] if len(who) == 2 else PersonId(99)
            states: dict[str, State] = {
                "idle": Idle(),
                "adult": waiting(person),
                "minor": waiting(person, NOW + 1, MINORS),
                "chat": Chatting(chat, partner, NOW),
            }
            version = (held.version if held is not None else 0) + 1 + off
            puts.append(somebody(person, version, states[state]))
        written = Commit(
            tuple(puts),
            tuple(sorted(ended)),
            tuple(ENTRIES[name] for name in outbox if all(each.id != name for each in self.model.outbox)),
            tuple(fact(len(self.model.facts) + number) for number in range(facts + len(puts))),
            updates,
            tuple(name for name in sent if name not in outbox),
            owner,
        )
        if full and self.refused(self.store.commit(written)):
            return
        assert at_once(self.store.commit(written)) is self.model.commit(written)

    @rule(
        updates=some_updates,
        sent=some_names,
        chat=st.none() | st.sampled_from(CHATS),
        pairs=some_pairs,
        anchor=st.none() | some_anchors,
        facts=st.just(()) | st.just((fact(99),)),
        speaker=st.none() | st.sampled_from(PEOPLE),
        full=st.booleans(),
    )
    def mark(self, full: bool, **values: Any) -> None:
        mark = Mark(**values)
        if full and self.refused(self.store.mark(mark)):
            return
        at_once(self.store.mark(mark))
        self.model.mark(mark)

    @rule(
        person=st.sampled_from(PEOPLE),
        version=st.integers(5, 9),
        chat=st.none() | st.sampled_from(CHATS),
        anchors=st.lists(some_anchors, max_size=2),
        whole=st.booleans(),
    )
    def adopt(self, person: PersonId, version: int, chat: ChatId | None, anchors: list[Anchor], whole: bool) -> None:
        state: State = Chatting(chat, PersonId(99), NOW) if chat is not None else waiting(person)
        people: list[Participant] = [somebody(person, version, state)]
        newborn = self.store.newborn and not whole
        at_once(self.store.adopt(people, anchors=anchors, whole=whole))
        self.model.adopt(people, anchors)
        assert [self.store.newborn, self.opened().newborn] == [newborn, newborn]

    @rule(worker=st.sampled_from(WORKERS))
    def heartbeat(self, worker: WorkerId) -> None:
        if worker in self.evicted:
            with pytest.raises(Evicted):
                at_once(self.store.heartbeat(worker, {}, 60.0, b""))
        else:
            at_once(self.store.heartbeat(worker, {}, 60.0, b""))
            self.living.add(worker)

    @rule(heir=st.sampled_from(WORKERS), full=st.booleans())
    def inherit(self, heir: WorkerId, full: bool) -> None:
        if full and self.refused(self.store.inherit(heir)):
            return
        self.evicted |= {each for each in self.model.owners_of_all() if each not in (heir, *self.living)}
        assert at_once(self.store.inherit(heir)) == self.model.inherit(heir, self.living)

    @rule(upto=st.integers(0, 6))
    def trim(self, upto: int) -> None:
        at_once(self.store.trim_journal(upto, self.store.generation))
        self.model.trimmed = max(self.model.trimmed, min(upto, len(self.model.facts)))

    @rule(unique=st.sampled_from(FILES), bot=st.sampled_from([BOT, OTHER_BOT]), id_=st.sampled_from([None, "x", "y"]))
    def remember(self, unique: str, bot: Any, id_: str | None) -> None:
        at_once(self.store.remember_file(unique, bot, id_))
        self.model.files.pop((unique, bot), None)
        if id_ is not None:
            self.model.files[unique, bot] = id_

    @rule()
    def kill(self) -> None:
        self.store = self.opened()
        self.living, self.evicted = set(), set()
        self.cursors = {ADULTS: None, MINORS: None}
        for person in list(self.model.people):
            if at_once(self.store.load(person)) is None:
                assert self.model.may_vanish(person)
                del self.model.people[person]

    @rule(full=st.booleans())
    def wipe(self, full: bool) -> None:
        self.disk.full = full
        try:
            self.store.wipe()
        except LiveStoreLost:
            assert full
            return
        finally:
            self.disk.full = False
        assert self.refused(self.store.outbox(WORKERS[0]))
        at_once(self.store.adopt((), whole=True))
        self.model = Model()
        self.living, self.evicted = set(), set()

    @rule(full=st.booleans())
    def rewrite(self, full: bool) -> None:
        """Rewrite the log, like `sweep` if it has grown."""
        small, logged.REWRITE_BYTES, logged.REWRITE_FACTOR = (logged.REWRITE_BYTES, logged.REWRITE_FACTOR), 0, 0
        try:
            if not (full and self.refused(self.store.sweep())):
                at_once(self.store.sweep())
                assert len(self.disk.records) == 1
        finally:
            logged.REWRITE_BYTES, logged.REWRITE_FACTOR = small

    def refused(self, step: Awaitable[Any]) -> bool:
        """Try a step with a full disk. Returns whether it was refused: calls that write nothing are answered."""
        self.disk.full = True
        try:
            at_once(step)
        except LiveStoreLost:
            return True
        finally:
            self.disk.full = False
        return False

    # ------------------------------------------------------------------ what is seen

    @precondition(lambda self: hasattr(self, "store"))
    @invariant()
    def the_same_as_the_model_now_and_after_a_kill(self) -> None:
        for each in (self.store, self.opened()):
            self.compare(each)
        self.follow()

    def compare(self, store: MemoryStore) -> None:
        model = self.model
        for person in PEOPLE:
            for about in REFS:
                found, expected = at_once(store.load(person, about)), model.facts_of(person, about)
                if store is not self.store:
                    expected = self.without_vanished(found, expected)
                assert found == expected
        for chat in CHATS:
            for about in REFS:
                assert at_once(store.counterpart(chat, about)) == model.map.get((chat, about))
        assert at_once(store.open_chats(CHATS)) == model.open
        for worker in WORKERS:
            assert at_once(store.outbox(worker)) == model.outbox_of(worker)
        assert [at_once(store.is_preceded(each)) for each in ENTRIES] == [model.is_preceded(each) for each in ENTRIES]
        talks = [(talk, person) for talk in TALKS for person in PEOPLE]
        assert [at_once(store.told(*each)) for each in talks] == [model.is_told(*each) for each in talks]
        quiet = [(each.chat, each.speaker) for each in at_once(store.idle_chats(NOW + 60, 100))]
        assert quiet == list(model.speakers.items())
        numbered = list(enumerate(model.facts, 1))
        assert at_once(store.journal(0, 10_000)) == numbered[model.trimmed :]
        assert at_once(store.journal(model.trimmed + 1, 2)) == numbered[model.trimmed + 1 : model.trimmed + 3]
        for bot in (BOT, OTHER_BOT):
            numbers = {ref.update for ref in UPDATES}
            assert at_once(store.done(bot, numbers)) == {ref.update for ref in model.done if ref.bot == bot}
            assert [at_once(store.file_id(name, bot)) for name in FILES] == [
                model.files.get((name, bot)) for name in FILES
            ]
        waiting_now = model.tickets()
        feeds = [at_once(store.tickets(pool, None, 0)).changes for pool in (ADULTS, MINORS)]
        assert {change.person: change for feed in feeds for change in feed} == waiting_now
        figures = Figures(len(waiting_now), len(model.open), len(model.outbox), len(numbered[model.trimmed :]))
        assert at_once(store.figures()) == figures
        assert at_once(store.pools()) == {each.ticket.pool for each in waiting_now.values() if each.ticket}

    def without_vanished(self, found: Facts | None, expected: Facts | None) -> Facts | None:
        """The state that a store may show after a kill: idle people whom the records hold may be missing."""
        if expected is None or (found is None and self.model.may_vanish(expected.me.person)):
            return None
        partner = expected.partner
        if found is not None and found.partner is None and partner is not None:
            assert self.model.may_vanish(partner.person)
            return msgspec.structs.replace(expected, partner=None)
        return expected

    def follow(self) -> None:
        """A reader of the feed must know who waits."""
        for pool, known in self.feeds.items():
            feed = at_once(self.store.tickets(pool, self.cursors[pool], 0))
            self.cursors[pool] = feed.cursor
            if feed.whole:
                known.clear()
            for change in feed.changes:
                if change.ticket is None:
                    known.pop(change.person, None)
                else:
                    known[change.person] = change
            waiting_now = self.model.tickets()
            assert known == {
                person: change
                for person, change in waiting_now.items()
                if change.ticket is not None and change.ticket.pool == pool
            }


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=size(20, 80), stateful_step_count=25, deadline=None)


def test_a_person_whose_notice_is_unsent_gets_their_anchor_from_it_and_not_from_the_records() -> None:
    history = Histories()
    history.begin()
    about, ben = search_of(PEOPLE[1]), PEOPLE[1]
    history.model.commit(written := Commit(outbox=(ENTRIES["n3"],), owner=WORKERS[0]))
    at_once(history.store.commit(written))
    history.adopt(ben, 5, None, [Anchor(about, ben, at(1))], whole=False)
    history.the_same_as_the_model_now_and_after_a_kill()
    at_once(history.store.mark(mark := Mark(sent=("n3",), anchor=Anchor(about, ben, at(2)))))
    history.model.mark(mark)
    history.the_same_as_the_model_now_and_after_a_kill()
    assert history.model.anchors[about, ben] == at(2)


def test_the_anchor_of_a_third_person_in_a_chat_is_not_the_partners() -> None:
    """Records that contradict each other can put three people into one chat."""
    history = Histories()
    history.begin()
    for person in reversed(PEOPLE[:2]):
        history.adopt(person, 5, ChatId("c"), [], whole=False)
        history.the_same_as_the_model_now_and_after_a_kill()
