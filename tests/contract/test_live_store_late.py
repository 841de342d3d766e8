"""The live store's contract for many clients at once, whose answers come late, in any order, or never.

Each test is a crowd of clients that behave like the runtime: read, decide, commit, and repeat if an answer was lost or
the call was cancelled. The tests check the store after all clients have finished.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from random import Random
from typing import Any

import msgspec
import pytest

from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.ports.leases import Evicted, Fence, Fenced, WorkerId, bot_lease
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit, Committed
from passerby.ports.shared_budgets import Account
from passerby.ports.tickets import TicketChange
from tests.contract.live_late import Late
from tests.contract.live_places import PLACES, Place
from tests.contract.live_values import (
    ADULTS,
    ANN,
    BOT,
    CHAT,
    at,
    copied,
    couple,
    fact,
    notice,
    somebody,
    telling,
    update,
    waiting,
)

LONG = 1e6
SEEDS = range(3)
GIVES_UP = 0.15
"""The share of calls that are cancelled while the answer is on its way."""


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest) -> Place:
    return PLACES[request.param](request)


class Crowd:
    """Clients of one store, or of several stores of one place. Each store is a process."""

    def __init__(self, store: LiveStore, seed: int) -> None:
        self.rng = Random(seed)
        self.late = Late(store, self.rng, forgets=0.1)
        self.store: LiveStore = self.late  # type: ignore[assignment]

    async def until_answered(self, ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Repeat the call after a lost answer or a cancellation."""
        while True:
            asking = asyncio.ensure_future(ask())
            if self.rng.random() < GIVES_UP:
                for _ in range(self.rng.randrange(12)):
                    await asyncio.sleep(0)
                asking.cancel()
            try:
                return await asking
            except (LiveStoreLost, asyncio.CancelledError):
                await asyncio.sleep(0)

    async def all_at_once(self, clients: Iterable[Coroutine[Any, Any, Any]]) -> None:
        await asyncio.gather(*clients)
        await self.late.quiet()


def crowded(body: Callable[[Crowd, LiveStore], Awaitable[None]]) -> Any:
    @pytest.mark.parametrize("seed", SEEDS)
    def test(place: Place, seed: int) -> None:
        async def main() -> None:
            store = place.open()
            await body(Crowd(store, seed), store)

        place.run(main())

    test.__name__ = body.__name__
    test.__doc__ = body.__doc__
    return test


def told_of(number: int, to: PersonId) -> Notice:
    return msgspec.structs.replace(notice(f"of {number}", to), anchors=None)


@crowded
async def test_each_update_takes_effect_once_however_often_it_is_tried(crowd: Crowd, store: LiveStore) -> None:
    """The person's change, the notice and the fact: all of them or none."""
    people = [PersonId(number) for number in range(1, 4)]
    await store.commit(Commit(tuple(map(somebody, people))))
    updates = {number: people[number % len(people)] for number in range(1, 25)}

    async def client(number: int, person: PersonId) -> None:
        async def attempt() -> Committed:
            facts = await crowd.store.load(person)
            assert facts is not None
            put = msgspec.structs.replace(facts.me, version=facts.me.version + 1)
            return await crowd.store.commit(
                Commit((put,), (), (told_of(number, person),), (fact(number),), (update(number),))
            )

        while await crowd.until_answered(attempt) is Committed.STALE:
            pass

    await crowd.all_at_once(client(*each) for each in updates.items())
    assert await store.done(BOT, range(100)) == set(updates)
    entries = await store.journal(0, 1000)
    assert Counter(each for _, each in entries) == Counter(map(fact, updates))
    assert [number for number, _ in entries] == sorted({number for number, _ in entries})
    assert Counter(each.id for each in await store.outbox(WorkerId(""))) == Counter(f"of {each}" for each in updates)
    held = await store.stored(people)
    counts = Counter(updates.values())
    assert {person: each.participant.version for person, each in held.items()} == {
        person: 1 + counts[person] for person in people
    }


@crowded
async def test_people_paired_and_parted_at_once_are_never_in_half_a_chat(crowd: Crowd, store: LiveStore) -> None:
    people = [PersonId(number) for number in range(1, 9)]
    await store.commit(Commit(tuple(somebody(each, 1, waiting(each)) for each in people)))
    known: dict[PersonId, TicketChange] = {}
    over = asyncio.Event()

    async def reader() -> None:
        cursor: int | None = None
        last = False
        while not last:
            last = over.is_set()
            feed = await crowd.until_answered(lambda at=cursor: crowd.store.tickets(ADULTS, at, 0))  # type: ignore[misc]
            cursor = feed.cursor
            if feed.whole:
                known.clear()
            known.update((change.person, change) for change in feed.changes)
            await asyncio.sleep(0)

    async def read(person: PersonId) -> Participant:
        facts = await crowd.store.load(person)
        assert facts is not None
        return facts.me

    async def client(number: int) -> None:
        rng = Random(number)

        async def attempt() -> object:
            one, other = [await read(each) for each in rng.sample(people, 2)]
            if isinstance(one.state, Searching) and isinstance(other.state, Searching):
                chat = ChatId(f"{number}-{rng.random()}")
                puts = (next_of(one, Chatting(chat, other.person, 0)), next_of(other, Chatting(chat, one.person, 0)))
                return await crowd.store.commit(Commit(puts))
            if isinstance(one.state, Chatting):
                partner = await read(one.state.partner)
                if isinstance(partner.state, Chatting) and partner.state.chat == one.state.chat:
                    idle = (next_of(one, Idle()), next_of(partner, waiting(partner.person)))
                    return await crowd.store.commit(Commit(idle, (one.state.chat,)))
                return None
            return await crowd.store.commit(Commit((next_of(one, waiting(one.person)),)))

        for _ in range(12):
            await crowd.until_answered(attempt)

    following = asyncio.ensure_future(reader())
    await crowd.all_at_once(map(client, range(6)))
    over.set()
    await following
    now = {person: each.participant for person, each in (await store.stored(people)).items()}
    chats: dict[ChatId, set[PersonId]] = defaultdict(set)
    for person, me in now.items():
        if isinstance(me.state, Chatting):
            chats[me.state.chat] |= {person, me.state.partner}
            partner = now[me.state.partner]
            assert isinstance(partner.state, Chatting)
            assert (partner.state.chat, partner.state.partner) == (me.state.chat, person)
    assert all(len(pair) == 2 for pair in chats.values())
    assert await store.open_chats(chats) == set(chats)
    assert (await store.figures()).chats == len(chats), "and no other is open"
    searching = {person for person, me in now.items() if isinstance(me.state, Searching)}
    feed = await store.tickets(ADULTS, None, 0)
    assert {change.person for change in feed.changes} == searching
    assert {change.person for change in known.values() if change.ticket is not None} == searching
    assert all(known[person].version == now[person].version for person in searching)


def next_of(me: Participant, state: Any) -> Participant:
    return msgspec.structs.replace(me, version=me.version + 1, state=state)


@crowded
async def test_a_write_under_a_lease_never_follows_a_write_under_a_later_lease(crowd: Crowd, store: LiveStore) -> None:
    lease = bot_lease(BOT)
    workers = [WorkerId(f"worker {number}") for number in range(4)]
    written = iter(range(10_000))
    epoch_of: dict[int, int] = {}

    async def client(worker: WorkerId) -> None:
        async def attempt() -> None:
            await crowd.store.heartbeat(worker, {}, LONG, b"")
            epoch = await crowd.store.take(worker, lease, LONG)
            if epoch is None:
                return
            for _ in range(2):
                number = next(written)
                epoch_of[number] = epoch
                try:
                    await crowd.store.commit(Commit(facts=(fact(number),), fences=(Fence(lease, epoch),)))
                except Fenced:
                    return
            await crowd.store.give(worker, lease, epoch)

        for _ in range(8):
            await crowd.until_answered(attempt)

    await crowd.all_at_once(map(client, workers))
    facts = {fact(number): epoch for number, epoch in epoch_of.items()}
    epochs = [facts[each] for _, each in await store.journal(0, 10_000)]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) > 1


@crowded
async def test_no_outbox_entry_is_lost_or_doubled_while_owners_come_and_go(crowd: Crowd, store: LiveStore) -> None:
    names = iter(range(10_000))
    put, settled = set[str](), set[str]()

    async def client(worker: WorkerId) -> None:
        async def add(entry: str) -> None:
            put.add(entry)
            await crowd.store.commit(Commit(outbox=(notice(entry),), owner=worker))

        async def inherit() -> None:
            await crowd.store.heartbeat(worker, {}, LONG, b"")
            await crowd.store.inherit(worker)

        async def settle() -> None:
            for entry in (await crowd.store.outbox(worker))[:1]:
                settled.add(entry.id)
                await crowd.store.mark(Mark(sent=(entry.id,)))

        async def leave() -> None:
            await crowd.store.leave(worker)

        for turn in range(6):
            name = f"{next(names)}"
            await crowd.until_answered(lambda name=name: add(name))  # type: ignore[misc]
            for step in crowd.rng.sample((inherit, settle, leave), 2 if turn % 2 else 1):
                try:
                    await crowd.until_answered(step)
                except Evicted:
                    return

    workers = [WorkerId(f"worker {number}") for number in range(4)]
    await crowd.all_at_once(map(client, workers))
    # A cancelled put may be stored after the entry was settled. Then the entry is there again, as the port allows.
    heir = WorkerId("heir")
    for worker in workers:
        await store.leave(worker)
    await store.heartbeat(heir, {}, LONG, b"")
    await store.inherit(heir)
    left = [each.id for each in await store.outbox(heir)]
    assert Counter(left) == Counter(set(left))
    assert put - settled <= set(left) <= put
    assert (await store.figures()).outbox == len(left)
    await store.mark(Mark(sent=tuple(left)))
    assert await store.outbox(heir) == []
    assert [each for each in put if await store.is_preceded(each)] == []


@crowded
async def test_marks_give_the_same_result_in_any_order_and_repeated(crowd: Crowd, store: LiveStore) -> None:
    await store.commit(Commit(couple(), outbox=(telling("told", ANN), *(notice(f"{each}") for each in range(8)))))
    marks = [Mark((update(each),), (f"{each}",), CHAT, (copied(each, 100 + each),), speaker=ANN) for each in range(8)]
    marks += [
        Mark(sent=("told",), anchor=Anchor(CHAT, ANN, at(50 + each)), facts=(fact(50 + each),)) for each in range(3)
    ]
    await crowd.all_at_once(crowd.until_answered(lambda each=each: crowd.store.mark(each)) for each in marks * 2)  # type: ignore[misc]
    assert await store.outbox(WorkerId("")) == []
    assert await store.done(BOT, range(50)) == set(range(8))
    for number in range(8):
        assert await store.counterpart(CHAT, at(number)) is not None
    facts = await store.load(ANN)
    assert facts is not None
    assert facts.anchor in {at(50), at(51), at(52)}
    assert facts.anchor is not None
    assert [each for _, each in await store.journal(0, 10)] == [fact(facts.anchor.message)], "of the first one alone"


@crowded
async def test_a_budget_is_not_exceeded_if_answers_are_lost(crowd: Crowd, store: LiveStore) -> None:
    granted: list[int] = []

    async def client() -> None:
        async def attempt() -> None:
            granted.append((await crowd.store.reserve(Account(BOT), 0.0001, 50, 3)).granted)

        for _ in range(4):
            await crowd.until_answered(attempt)

    await crowd.all_at_once(client() for _ in range(10))
    assert 0 < sum(granted) <= 50
    assert (await store.reserve(Account(BOT), 0.0001, 50, 50)).granted == 0
