"""All people of a test: makes them, lets them join and chat, listens to their phones, and judges."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from passerby.ports.clock import Clock
from simulated_people.book import Book
from simulated_people.control import Entry, Sandbox, SandboxFault
from simulated_people.farms import Style
from simulated_people.habits import Habits
from simulated_people.judge import judge
from simulated_people.people import Person, State
from simulated_people.phrases import mark_in
from simulated_people.seen import Confirmations, Event, Shown, lines_of
from simulated_people.verdict import Fault, Verdict

FOLLOW_S: Final = 0.5
JOURNAL_LENGTH: Final = 1_000_000
MADE_AT_ONCE: Final = 500
JOINING_AT_ONCE: Final = 200
"""How many people answer the first questions at the same time."""
DISPERSING_TRIES: Final = 50


class Crowd:
    """People who are spread evenly over `bots`. The first `farmers` of them are accounts of a farm."""

    def __init__(
        self,
        sandbox: Sandbox,
        clock: Clock,
        habits: Habits,
        seed: int,
        *,
        farm: Style | None = None,
        farmers: int = 0,
    ) -> None:
        self.book = Book(farmers=farmers)
        self._farm = farm
        self.people: list[Person] = []
        self.confirmations = Confirmations()
        self.joined = 0
        self.outside: set[str] = set()
        """The marks of messages that reached people outside this test."""
        self._sandbox = sandbox
        self._clock = clock
        self._habits = habits
        self._seed = seed
        self._by_id: dict[int, Person] = {}
        self._unread: deque[tuple[Person, Shown, float]] = deque()
        self._stickers = asyncio.Event()

    @asynccontextmanager
    async def present(self, number: int, bots: Sequence[int]) -> AsyncIterator[None]:
        """During the block, `number` people exist and listen to their phones. Raises: SandboxFault."""
        before = await self._sandbox.get("settings")
        journal = {"journal_length": max(before["journal_length"], JOURNAL_LENGTH)}
        await self._sandbox.post("settings", journal)
        # Events before this test are not judged.
        self.confirmations.last = (await self._sandbox.journal(1 << 62)).last
        for first in range(0, number, MADE_AT_ONCE):
            names = [{"first_name": f"Person {each}"} for each in range(first, min(number, first + MADE_AT_ONCE))]
            made = await self._sandbox.post("people", names)
            for place, described in enumerate(made, first):
                self._add(place, described["id"], bots[place % len(bots)])
        opened = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._listen(opened)),
                    group.create_task(self._sandbox.carry()),
                    group.create_task(self._read_stickers()),
                    group.create_task(self._follow()),
                ]
                async with asyncio.timeout(20):
                    await opened.wait()
                yield
                for task in tasks:
                    task.cancel()
        finally:
            await self._leave_as_found(before["journal_length"])

    async def _leave_as_found(self, journal_length: int) -> None:
        try:
            await self._sandbox.post("settings", {"journal_length": journal_length})
        except SandboxFault:
            return  # it is gone, and its settings with it

    def _add(self, number: int, id_: int, bot: int) -> None:
        rng = Random(f"{self._seed}:{number}")  # noqa: S311  # habits, not secrecy
        person = Person(
            self._sandbox,
            self.book,
            self._clock,
            self._habits,
            number=number,
            id_=id_,
            bot=bot,
            rng=rng,
            style=self._farm if number < self.book.farmers else None,
        )
        self.people.append(person)
        self._by_id[id_] = person

    async def _listen(self, opened: asyncio.Event) -> None:
        async for event in self._sandbox.events(opened):
            self._hear(event)

    def _hear(self, event: Event) -> None:
        person = self._by_id.get(event.person)
        if person is None:
            # A person who was there before this test.
            message = event.message
            if message is not None and not message.outgoing and (reached := mark_in(message.words)) is not None:
                self.outside.add(reached)
            return
        person.hear(event, self._clock.now())
        while person.unread:
            self._unread.append((person, *person.unread.popleft()))
            self._stickers.set()

    async def _read_stickers(self) -> None:
        """Read stickers one after the other, so that a sent one is known before it arrives on another phone."""
        while True:
            self._stickers.clear()
            while self._unread:
                person, line, heard = self._unread[0]
                assert line.file_id is not None
                content = await self._sandbox.file(line.file_id)
                if line.mine and line.mark is not None:
                    self.book.stickers[content] = line.mark
                line.mark = line.mark or self.book.stickers.get(content)
                if line.mark is not None:
                    person.read(line, heard)
                self._unread.popleft()
            await self._stickers.wait()

    async def _follow(self) -> None:
        while True:
            await self.follow()
            await self._clock.sleep(FOLLOW_S)

    async def follow(self) -> None:
        """Read the new entries of the journal."""
        seen = self.confirmations
        page = await self._sandbox.journal(seen.last)
        if page.entries and page.first > seen.last + 1:
            seen.missed += page.first - seen.last - 1
        for entry in page.entries:
            # Pages may overlap if there is another reader.
            if entry.n > seen.last:
                seen.last = entry.n
                self._take(entry)

    def _take(self, entry: Entry) -> None:
        seen = self.confirmations
        match entry.kind:
            case "queued":
                seen.queued(entry.bot, entry.update_id, entry.message_id * (entry.update == "message"), entry.at)
            case "confirmed":
                seen.confirmed(entry.bot, entry.update_ids)
            case "dropped":
                seen.dropped += len(entry.update_ids)
                seen.confirmed(entry.bot, entry.update_ids)
            case "request":
                self.book.counts["requests"] += 1
                seen.floods += entry.status == 429

    async def join(self) -> None:
        """Let all people answer the first questions."""
        room = asyncio.Semaphore(JOINING_AT_ONCE)

        async def joins(person: Person) -> None:
            async with room:
                await person.join()
            self.joined += 1

        async with asyncio.TaskGroup() as group:
            for person in self.people:
                group.create_task(joins(person))

    @asynccontextmanager
    async def living(self, arrivals: Sequence[float], *, stay: bool) -> AsyncIterator[None]:
        """During the block, people search and chat. Person n comes at `arrivals[n]`. After it, they do nothing."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(person.live(at, stays=stay))
                for person, at in zip(self.people, arrivals, strict=False)
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    def states(self) -> Counter[State]:
        return Counter(person.state for person in self.people)

    @property
    def in_hand(self) -> int:
        """The number of updates that wait at Telegram or are not finished."""
        return len(self.confirmations.pending)

    async def verdict(self, faults: Sequence[Fault]) -> Verdict:
        """The verdict at this moment. Nobody may write at the same time."""
        await self.follow()
        while self._unread:
            await self._clock.sleep(0.02)
        lines = lines_of({person.id: person.phone for person in self.people}, self.confirmations, self.outside)
        return judge(lines, faults)

    def close(self) -> None:
        for person in self.people:
            person.close()

    async def disperse(self) -> None:
        """End all chats and searches, so that people of the next test do not meet these."""
        active = (State.SEARCHING, State.CHATTING)
        for person in self.people:
            if person.state in active:
                person.say("/stop")
        for _ in range(DISPERSING_TRIES):
            if not any(person.state in active for person in self.people):
                return
            await self._clock.sleep(0.2)

    async def until_quiet(
        self, faults: Sequence[Fault], at_most_s: float, stop: asyncio.Event
    ) -> tuple[Verdict, float]:
        """Wait until every message has an end. Nobody writes any more. Returns the verdict and the time waited."""
        began = self._clock.now()
        self.close()
        while True:
            await self._clock.sleep(1.0)
            verdict = await self.verdict(faults)
            took_s = self._clock.now() - began
            ended = not (verdict.lost or verdict.unresolved or self.in_hand or self._sandbox.waiting)
            if ended or took_s > at_most_s or stop.is_set():
                return verdict, took_s
