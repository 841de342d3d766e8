"""Random histories of writes by two processes, with lost answers: the store always agrees with a simple model."""

import asyncio
from collections.abc import Awaitable
from itertools import product
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from passerby.adapters.redis import RedisStore, open_redis
from passerby.kernel.ids import ChatId, PersonId, UpdateRef, search_of
from passerby.kernel.participant import Chatting, Idle, Participant, State
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import Figures
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit, Committed
from passerby.ports.tickets import TicketChange
from tests.adapters.redis.stores import Wire
from tests.contract.live_model import Model
from tests.contract.live_values import ADULTS, BOT, MINORS, NOW, OTHER_BOT, at, copied, fact, somebody, telling, waiting
from tests.contract.servers import Valkey
from tests.runtime.virtual import VirtualClock
from tests.size import size

T = TypeVar("T")
PEOPLE = [PersonId(number) for number in range(1, 5)]
CHATS = [ChatId(name) for name in "abc"]
REFS = [at(1), at(2), at(1, OTHER_BOT), at(10, OTHER_BOT), at(11, OTHER_BOT)]
UPDATES = [UpdateRef(bot, number) for bot in (BOT, OTHER_BOT) for number in (1, 2, 1500, 4096, 2**40)]
NAMES = ["n1", "n2", "n3"]
WORKERS = [WorkerId(name) for name in ("w1", "w10")]
HEIR = WorkerId("w2")
ABOUT = [*CHATS, *map(search_of, PEOPLE)]

some_updates = st.lists(st.sampled_from(UPDATES), max_size=2).map(tuple)
some_names = st.lists(st.sampled_from(NAMES), max_size=1).map(tuple)
some_pairs = st.lists(
    st.builds(lambda source, print_: copied(source, 9 + source, print_), st.integers(1, 2), st.integers(0, 3)),
    max_size=2,
).map(tuple)
some_faults = st.sampled_from([None, None, None, "lose_request", "lose_answer"])


class Histories(RuleBasedStateMachine):
    def __init__(self, url: str, redis: Redis) -> None:
        super().__init__()
        self.redis = redis
        self.wire = Wire(url)
        self.runner = asyncio.Runner()
        self.stores: list[RedisStore] = []

    def now(self, step: Awaitable[T]) -> T:
        async def main() -> T:
            return await step

        return self.runner.run(main())

    @initialize()
    def begin(self) -> None:
        self.redis.flushall()
        self.model = Model()
        self.couples = dict[ChatId, tuple[PersonId, PersonId]]()
        self.laid = self.wire.laid()
        url = self.now(self.laid.__aenter__())
        self.stores = [self.now(open_redis(url, VirtualClock(), Random(seed))).store for seed in (1, 2)]
        self.feeds: dict[Any, dict[PersonId, TicketChange]] = {ADULTS: {}, MINORS: {}}
        self.cursors: dict[Any, int | None] = {ADULTS: None, MINORS: None}

    def teardown(self) -> None:
        for store in self.stores:
            self.now(store.hang_up())
        if self.stores:
            self.now(self.laid.__aexit__(None, None, None))
        self.runner.close()

    @rule(
        which=st.integers(0, 1),
        who=st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True),
        state=st.sampled_from(["idle", "adult", "minor", "chat"]),
        chat=st.sampled_from(CHATS),
        off=st.sampled_from([0, 0, 0, 0, 1, -1]),
        outbox=some_names,
        facts=st.integers(0, 2),
        updates=some_updates,
        sent=some_names,
        owner=st.sampled_from(WORKERS),
        to=st.sampled_from(PEOPLE),
        fault=some_faults,
    )
    def commit(
        self,
        which: int,
        who: list[PersonId],
        state: str,
        chat: ChatId,
        off: int,
        outbox: tuple[str, ...],
        facts: int,
        updates: tuple[UpdateRef, ...],
        sent: tuple[str, ...],
        owner: WorkerId,
        to: PersonId,
        fault: str | None,
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
            tuple(telling(name, to, chat) for name in outbox if all(each.id != name for each in self.model.outbox)),
            tuple(fact(len(self.model.facts) + number) for number in range(facts)),
            updates,
            tuple(name for name in sent if name not in outbox),
            owner,
        )
        self.break_with(fault)
        said = self.now(self.stores[which].commit(written))
        assert said is self.model.commit(written)
        if said is Committed.YES:
            for each in ended:
                self.couples.pop(each, None)
            self.note_couples(puts)

    @rule(
        which=st.integers(0, 1),
        updates=some_updates,
        sent=some_names,
        chat=st.none() | st.sampled_from(CHATS),
        pairs=some_pairs,
        anchor=st.none() | st.builds(Anchor, st.sampled_from(ABOUT), st.sampled_from(PEOPLE), st.sampled_from(REFS)),
        facts=st.lists(st.builds(fact, st.integers(0, 9)), max_size=2).map(tuple),
        speaker=st.none() | st.sampled_from(PEOPLE),
        fault=some_faults,
    )
    def mark(self, which: int, fault: str | None, **values: Any) -> None:
        mark = Mark(**values)
        couple = self.couples.get(mark.chat) if mark.chat is not None else None
        if mark.speaker is not None and (couple is None or mark.speaker not in couple):
            return
        self.break_with(fault)
        self.now(self.stores[which].mark(mark))
        self.model.mark(mark)

    @rule(
        which=st.integers(0, 1),
        person=st.sampled_from(PEOPLE),
        version=st.integers(5, 9),
        chat=st.none() | st.sampled_from(CHATS),
        fault=some_faults,
    )
    def adopt(self, which: int, person: PersonId, version: int, chat: ChatId | None, fault: str | None) -> None:
        state: State = Chatting(chat, PersonId(99), NOW) if chat is not None else waiting(person)
        people: list[Participant] = [somebody(person, version, state)]
        self.break_with(fault)
        self.now(self.stores[which].adopt(people))
        if person not in self.model.people:
            self.note_couples(people)
        self.model.adopt(people)

    @rule(which=st.integers(0, 1), heir=st.sampled_from([HEIR, WORKERS[0]]), fault=some_faults)
    def inherit(self, which: int, heir: WorkerId, fault: str | None) -> None:
        self.break_with(fault)
        assert self.now(self.stores[which].inherit(heir)) == self.model.inherit(heir, ())

    @rule(which=st.integers(0, 1), upto=st.integers(0, 6), fault=some_faults)
    def trim(self, which: int, upto: int, fault: str | None) -> None:
        self.break_with(fault)
        self.now(self.stores[which].trim_journal(upto, self.stores[which].generation))
        self.model.trimmed = max(self.model.trimmed, min(upto, len(self.model.facts)))

    def note_couples(self, people: list[Participant]) -> None:
        for each in people:
            if isinstance(each.state, Chatting):
                self.couples.setdefault(each.state.chat, (each.person, each.state.partner))

    def break_with(self, fault: str | None) -> None:
        if fault is not None:
            setattr(self.wire, fault, True)

    @precondition(lambda self: bool(self.stores))
    @invariant()
    def the_same_as_the_model_for_each_process(self) -> None:
        for store in self.stores:
            self.now(self.compare(store))
        self.now(self.follow(self.stores[0]))

    async def compare(self, store: RedisStore) -> None:
        model = self.model
        asked = [(person, about) for person in PEOPLE for about in REFS]
        found = await asyncio.gather(*(store.load(person, about) for person, about in asked))
        assert found == [model.facts_of(person, about) for person, about in asked]
        places = [(chat, about) for chat in CHATS for about in REFS]
        copies = await asyncio.gather(*(store.counterpart(chat, about) for chat, about in places))
        assert copies == [model.map.get(place) for place in places]
        assert await store.open_chats(CHATS) == model.open
        for owner in (*WORKERS, HEIR):
            assert await store.outbox(owner) == model.outbox_of(owner)
        for name in NAMES:
            assert await store.is_preceded(name) == model.is_preceded(name)
        for about, person in product(ABOUT, PEOPLE):
            assert await store.told(about, person) == model.is_told(about, person)
        idle = await store.idle_chats(NOW + 1e6, 10)
        assert {each.chat: each.speaker for each in idle} == model.speakers
        assert {each.chat: each.people for each in idle} == self.couples
        assert await store.figures() == Figures(
            len(model.tickets()), len(model.open), len(model.outbox), len(model.facts) - model.trimmed
        )
        assert await store.journal(0, 10_000) == list(enumerate(model.facts, 1))[model.trimmed :]
        for bot in (BOT, OTHER_BOT):
            done = await store.done(bot, {ref.update for ref in UPDATES})
            assert done == {ref.update for ref in model.done if ref.bot == bot}
        waiting_now = model.tickets()
        feeds = [(await store.tickets(pool, None, 0)).changes for pool in (ADULTS, MINORS)]
        assert {change.person: change for feed in feeds for change in feed} == waiting_now
        assert await store.pools() == {each.ticket.pool for each in waiting_now.values() if each.ticket}

    async def follow(self, store: RedisStore) -> None:
        for pool, known in self.feeds.items():
            feed = await store.tickets(pool, self.cursors[pool], 0)
            assert feed.whole == (self.cursors[pool] is None)
            self.cursors[pool] = feed.cursor
            for change in feed.changes:
                if change.ticket is None:
                    known.pop(change.person, None)
                else:
                    known[change.person] = change
            assert known == {
                person: change
                for person, change in self.model.tickets().items()
                if change.ticket is not None and change.ticket.pool == pool
            }


@pytest.mark.sized
@pytest.mark.services
def test_the_store_agrees_with_the_model_in_any_history(valkey: Valkey, by_hand: Redis) -> None:
    once = settings(
        max_examples=size(6, 15), stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(lambda: Histories(valkey.url, by_hand), settings=once)
