"""Promise 1 over any history: people press anything in any order, and the store's responses interleave in any order.

The tests drive the runtime below Telegram, over the memory store behind a simulated network. Unlike the simulation,
they look into the store itself, after every single commit.
"""

import asyncio
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.adapters.memory import MemoryStore
from passerby.domain.budgets import Budget
from passerby.domain.matching.wishes import WIDEST_S
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.content import Content, Kind
from passerby.kernel.event import BotBlocked, BotUnblocked, Event, MessageReceived, Original
from passerby.kernel.ids import BotId, MessageId, PersonId, UpdateRef
from passerby.kernel.money import StarRow
from passerby.kernel.participant import Chatting, Gender, Participant, Profile, Searching
from passerby.kernel.rules import Rules
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import Arrival, BotIdentity, CommandList, OutgoingCall
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.worker import Worker
from passerby.runtime.worker_config import WorkerConfig
from tests.contract.records_memory import Disk, MemoryRecords
from tests.simulation.disk import SimDisk
from tests.simulation.planted import LastWriteWins
from tests.simulation.process import KEY
from tests.simulation.remote_store import RemoteStore
from tests.simulation.run import EPOCH_S, captured_log, close
from tests.simulation.virtual_time import SimProcess, VirtualClock, VirtualLoop
from tests.size import size
from tests.wording import catalogue

BOT = BotId(1_000_001)
PEOPLE = tuple(PersonId(number) for number in range(1, 7))
MINOR = PEOPLE[-1]
PLENTY = Budget(1e6, 1_000_000)


class Watched(MemoryStore):
    """Checks everybody after every commit. `wrong` is the last error it found."""

    wrong: str | None = None

    async def commit(self, commit: Commit) -> Committed:
        committed = await super().commit(commit)
        self.look()
        return committed

    def look(self) -> None:
        for person in self._state.people.values():
            state = person.state
            if isinstance(state, Chatting):
                other = self._state.people[state.partner]
                if other.person == person.person:
                    self.wrong = f"{person.person} talks to themselves"
                elif not isinstance(other.state, Chatting):
                    self.wrong = f"{person.person} is in a chat with {other.person}, who is in none"
                elif (other.state.chat, other.state.partner) != (state.chat, person.person):
                    self.wrong = f"{person.person} is in a chat with {other.person}, who is in another"
                elif MINOR in (person.person, other.person):
                    self.wrong = "a minor and an adult have met"

    def left_waiting(self) -> list[PersonId]:
        return [each.person for each in self._state.people.values() if isinstance(each.state, Searching)]


class NoTelegram:
    """Accepts everything, and delivers no updates."""

    def __init__(self) -> None:
        self.bots = (BOT,)
        self.last = 0

    async def identify(self, bot: BotId) -> BotIdentity:
        return BotIdentity(bot, "a_bot", "A bot")

    async def is_member(self, bot: BotId, channel: str, person: PersonId) -> bool:
        return True

    async def prepare(self, bot: BotId, menus: tuple[CommandList, ...]) -> None:
        pass

    def content_of(self, original: Original) -> Content | None:
        return original.content

    async def star_rows(self, bot: BotId, offset: int, limit: int) -> list[StarRow]:
        return []

    async def updates(self, bot: BotId, offset: int | None, limit: int, timeout_s: int) -> list[Arrival]:
        await asyncio.sleep(timeout_s or 1)
        return []

    async def send(self, outgoing: OutgoingCall) -> tuple[MessageId, ...]:
        self.last += 1
        return (MessageId(self.last),)

    async def aclose(self) -> None:
        pass


def known(person: PersonId) -> Participant:
    age = 16 if person == MINOR else 30
    profile = Profile(consented_at=EPOCH_S, age=age, age_given_at=EPOCH_S, gender=Gender.UNSAID, language="en")
    return Participant(person, 1, BOT, (BOT,), profile, seen_at=EPOCH_S)


def event(person: PersonId, verb: str, now: float, number: int) -> Event:
    match verb:
        case "block":
            return BotBlocked(person, BOT)
        case "unblock":
            return BotUnblocked(person, BOT)
        case _:
            content = Content(Kind.TEXT, verb)
            return MessageReceived(person, BOT, (MessageId(number),), (content,), sent_at=now, language="en")


VERBS = ("/search", "/search", "/search", "/next", "/stop", "/stop", "hello", "block", "unblock")
SETTLED_S = WIDEST_S + 5.0
"""By then everybody accepts everybody, and the matcher has looked at them."""

GAPS_S = (0.0, 0.0, 0.01, 0.03, 0.06)
Step = tuple[PersonId, str, float]
"""The person, the action, and how long it is until the next step."""


def live_through(
    steps: list[Step], seed: int, delay_s: float, *, late_answers: bool, store: type[Watched] = Watched
) -> str:
    """Play a history. Return what is wrong, or an empty string."""
    loop = VirtualLoop()
    clock = VirtualClock(loop, EPOCH_S)
    rng = Random(seed)
    process = SimProcess("the only one")
    inner = store(SimDisk().open(process), clock, rng)
    distant: Any = RemoteStore(inner, rng, delay_s, lambda: False, late_answers=late_answers)
    app = Worker(
        telegram=NoTelegram(),
        store=distant,
        records=MemoryRecords(Disk(people={person: known(person) for person in PEOPLE})),
        features=ALL,
        introduce=introduce,
        words=catalogue(),
        clock=clock,
        rng=rng,
        config=WorkerConfig(
            rules=Rules(minimum_age=16),
            key=KEY,
            bot_budget=PLENTY,
            chat_budget=PLENTY,
        ),
    )

    async def play() -> None:
        await app.start()
        for number, (person, verb, gap_s) in enumerate(steps, start=1):
            app.person_queues.put(Work(event(person, verb, clock.now(), number), (UpdateRef(BOT, number),)))
            await asyncio.sleep(gap_s)
        await asyncio.sleep(SETTLED_S)

    with captured_log() as log:
        loop.run_until_complete(loop.begin(process, play()))
        loop.kill(process)
    close(loop)
    if inner.wrong is not None:
        return inner.wrong
    waiting = [person for person in inner.left_waiting() if person != MINOR]
    if len(waiting) > 1:
        return f"{waiting} fit each other, and wait"
    return log.getvalue() if "broken" in log.getvalue() else ""


@pytest.mark.sized
@settings(max_examples=size(15, 200))
@given(
    st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(VERBS), st.sampled_from(GAPS_S)), max_size=60),
    st.integers(0, 1 << 32),
    st.sampled_from((0.0, 0.02, 0.1)),
    st.booleans(),
)
def test_pairs_are_always_symmetric_and_people_who_fit_are_paired(
    steps: list[Step], seed: int, delay_s: float, late_answers: bool
) -> None:
    assert not live_through(steps, seed, delay_s, late_answers=late_answers)


class Careless(Watched, LastWriteWins):
    """Accepts any commit, no matter which versions its decision was based on."""


def test_a_store_that_ignores_versions_breaks_pairs() -> None:
    def wrong_of(seed: int) -> str:
        rng = Random(seed)
        steps = [(rng.choice(PEOPLE), rng.choice(VERBS), rng.choice(GAPS_S)) for _ in range(60)]
        return live_through(steps, seed, 0.1, late_answers=False, store=Careless)

    assert any(map(wrong_of, range(100))), "or the property above would hold for anything"
