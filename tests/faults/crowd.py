"""The people of a run together: they join, chat, listen, and are asked for their state at the end."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from random import Random
from time import time

from simulated_people.judge import judge
from simulated_people.phrases import Said, mark_in, words_of
from simulated_people.verdict import Fault, Line, Verdict
from tests.faults import evidence
from tests.faults.evidence import Journal
from tests.faults.people import Person
from tests.faults.sandbox import Sandbox
from tests.wording import opening

LOOK_EVERY_S = 1.0
CALM_S = 3.0
EXPECTED = {
    "chatting": (opening("search.in_chat"),),
    "searching": (opening("search.already"), "Partner found"),
    "idle": (opening("search.begun"), "Partner found"),
}
"""The possible answers to /search, by a person's state. A search that finds somebody at once has no other answer. One
that has lasted may end at any time, on a slow machine just then."""

MOVES = frozenset({Said.FOUND, Said.LEFT, Said.MOVED_ON, Said.SEARCHING, Said.ENDED, Said.CUT_OFF})


class Crowd:
    """All people, spread over the sandbox's bots."""

    def __init__(
        self,
        sandbox: Sandbox,
        number: int,
        seed: int,
        pause_s: float | None = None,
        *,
        leaves: bool = True,
        albums: bool = False,
        sisters: bool = False,
    ) -> None:
        self._sandbox = sandbox
        self._number = number
        self._seed = seed
        self._pause_s = pause_s
        self._leaves = leaves
        self._albums = albums
        self._knows_sisters = sisters
        self.people: list[Person] = []
        self._lines: Mapping[int, Sequence[Line]] = {}
        self.journal = Journal()

    @asynccontextmanager
    async def present(self) -> AsyncIterator[None]:
        """Create the people. Inside the block, they receive what is sent to them."""
        await self._sandbox.post("settings", {"journal_length": 2_000_000, "history_length": 100_000})
        bots = [bot["id"] for bot in await self._sandbox.get("bots")]
        for number in range(self._number):
            person = await self._sandbox.post("people", {"first_name": f"Person {number}"})
            rng = Random(f"{self._seed}:{number}")
            one = Person(self._sandbox, number, person["id"], bots[number % len(bots)], rng)
            one.leaves = self._leaves
            one.albums = self._albums
            if self._pause_s is not None:
                one.pause_s = self._pause_s
            self.people.append(one)
        async with asyncio.TaskGroup() as group:
            is_open = asyncio.Event()
            listening = group.create_task(self._listen(is_open))
            await is_open.wait()
            yield
            listening.cancel()

    async def _listen(self, is_open: asyncio.Event) -> None:
        people = {person.id: person for person in self.people}
        async for event in self._sandbox.events(people, is_open):
            if event["type"] == "message":
                people[event["person"]].hear(event["message"])

    async def join(self) -> None:
        await asyncio.gather(*(person.join() for person in self.people))
        await asyncio.gather(*(person.know(sister) for person, sister in self._sisters().items()))

    def _sisters(self) -> dict[Person, int]:
        """Two of three people of each bot know another bot of the fleet."""
        if not self._knows_sisters:
            return {}
        bots = list(dict.fromkeys(person.bot for person in self.people))
        return {
            person: bots[(number + 1) % len(bots)]
            for number, person in enumerate(self.people)
            if number // len(bots) % 3 != 2
        }

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Inside the block, people act by themselves. At the end each one finishes the current action."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for person in self.people:
                group.create_task(person.live(stop))
            try:
                yield
            finally:
                stop.set()

    @property
    def behind(self) -> int:
        """How many messages were written in chats and have not arrived. Stickers are never counted as arrived."""
        return sum(person.written - person.received for person in self.people)

    async def follow(self) -> None:
        await self.journal.follow(self._sandbox)

    async def albums(self) -> tuple[int, int]:
        """Return how many albums have arrived, and how many of them arrived in more than one piece."""
        pieces: dict[str, set[str]] = {}
        owner: dict[str, str] = {}
        phones = [await person.phone() for person in self.people]
        for message in chain.from_iterable(phones):
            marked = mark_in(words_of(message))
            if message["outgoing"] and "media_group_id" in message and marked is not None:
                owner[marked] = message["media_group_id"]
        for message in chain.from_iterable(phones):
            marked = mark_in(words_of(message))
            if not message["outgoing"] and marked in owner:
                pieces.setdefault(owner[marked], set()).add(message.get("media_group_id", marked))
        return len(pieces), sum(len(each) > 1 for each in pieces.values())

    async def verdict(self, faults: Sequence[Fault]) -> Verdict:
        self._lines = await evidence.phones(self.people, self._sandbox, self.journal)
        return judge(self._lines, faults)

    def latencies(self, people: Collection[int], since: float, until: float) -> list[float]:
        """Return how long messages that these people wrote in this time took to arrive, in seconds. As of the last
        look."""
        arrived = {
            line.mark: line.at
            for lines in self._lines.values()
            for line in reversed(lines)
            if line.mark is not None and not line.mine
        }
        return [
            arrived[line.mark] - line.at
            for person in people
            for line in self._lines[person]
            if line.mine and line.mark in arrived and since <= line.at <= until
        ]

    def moved(self, since: float, until: float) -> set[int]:
        """Return the people who were told about a new state in this time. As of the last look."""
        return {
            person
            for person, lines in self._lines.items()
            if any(line.notice in MOVES and since <= line.at <= until for line in lines)
        }

    @property
    def cut_off(self) -> int:
        """How many people were told that the connection was lost. As of the last look."""
        return sum(any(line.notice is Said.CUT_OFF for line in lines) for lines in self._lines.values())

    async def until_quiet(self, faults: Sequence[Fault], at_most_s: float) -> tuple[Verdict, float]:
        """Wait while nobody writes. Return the verdict once every message has its outcome, and how long that took."""
        begun = time()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.follow()
            took_s = time() - begun
            if took_s <= at_most_s and self._is_moving():  # a look takes long on a busy machine
                continue
            verdict = await self.verdict(faults)
            took_s = time() - begun
            settled = not (verdict.lost or verdict.unresolved or self.journal.in_hand) and self._is_calm()
            if settled or took_s > at_most_s:
                return verdict, took_s

    def _is_moving(self) -> bool:
        return bool(self.journal.in_hand) or time() - self._last_sent < LOOK_EVERY_S

    @property
    def _last_sent(self) -> float:
        return next((at for at, _, made in reversed(self.journal.requests) if made), 0.0)

    def _is_calm(self) -> bool:
        """Return whether nothing is on its way. After a lost connection messages count as answered, so this check waits
        longer."""
        return not self.cut_off or time() - self._last_sent > CALM_S

    async def question(self, partners: Mapping[int, int]) -> dict[int, str]:
        """People in chats write to each other once more. Then all ask for their state, idle people last, because asking
        begins a search.

        Returns: the people whose answer differs from what their phone says, with the difference.
        """
        told: dict[int, str] = {}
        people = {person.id: person for person in self.people}
        for person in self.people:
            if partners.get(partners.get(person.id, 0), 0) == person.id:
                other = people[partners[person.id]]
                words = f"still there, number {person.id % 1000}?"
                await person.say(words)
                if not await _arrives(other, words):
                    told[person.id] = f"{person.id} does not reach {other.id}, the partner from before"
        for state in ("chatting", "searching", "idle"):
            asked = [each for each in self.people if each.state == state]
            for person, answer in zip(asked, await _answers(asked, EXPECTED[state]), strict=True):
                if not any(expected in answer for expected in EXPECTED[state]):
                    told[person.id] = f"{person.id}, who was {state}, is told {answer[:60]!r}"
        return told


async def _answers(asked: Sequence[Person], expected: Sequence[str]) -> list[str]:
    return await asyncio.gather(*(person.ask("/search", *expected) for person in asked))


async def _arrives(person: Person, words: str) -> bool:
    try:
        await person.hears(words)
    except TimeoutError:
        return False
    return True
