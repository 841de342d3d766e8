"""The honest fake of the records: no SQL, the same promise.

What was applied is on a `Disk`, which outlives the object: a crash is simulated by dropping the object and opening
another over the same disk. Atomicity is real: a batch is put together aside and then taken over in one step.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Idle, Participant
from passerby.ports.facts import ChatClosed, ChatOpened, Fact, PersonChanged
from passerby.ports.records import RecordsLost


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A chat as the records keep it; the same columns as in SQL."""

    user1: PersonId
    user2: PersonId
    bot1: BotId
    bot2: BotId
    opened_at: float
    active: bool = True
    closed_at: float | None = None
    closed_by: PersonId | None = None
    reason: str | None = None


@dataclass(slots=True)
class Disk:
    people: dict[PersonId, Participant] = field(default_factory=dict)
    chats: dict[ChatId, ChatRow] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)


class MemoryRecords:
    """Implements `passerby.ports.records.Records`. While `lost` is set, every call raises RecordsLost.

    While `mute` is set, `apply` stores and then raises: the commit that was not answered.
    """

    def __init__(self, disk: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self.lost = False
        self.mute = False

    async def people(self, persons: Sequence[PersonId]) -> dict[PersonId, Participant]:
        await self._io()
        return {person: self.disk.people[person] for person in persons if person in self.disk.people}

    async def active(self) -> list[Participant]:
        await self._io()
        return [person for person in self.disk.people.values() if not isinstance(person.state, Idle)]

    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]]) -> None:
        await self._io()
        new = Disk(dict(self.disk.people), dict(self.disk.chats), dict(self.disk.positions))
        for number, fact in entries:
            if number > new.positions.get(generation, 0):
                _store(new, fact)
                new.positions[generation] = number
        self.disk.people, self.disk.chats, self.disk.positions = new.people, new.chats, new.positions
        if self.mute:
            raise RecordsLost("no answer")

    async def applied(self, generation: str) -> int:
        await self._io()
        return self.disk.positions.get(generation, 0)

    async def aclose(self) -> None:
        pass

    async def _io(self) -> None:
        """A turn of the loop, as any call to a database takes at least."""
        await asyncio.sleep(0)
        if self.lost:
            raise RecordsLost("switched off")


def _store(disk: Disk, fact: Fact) -> None:
    match fact:
        case PersonChanged():
            disk.people[fact.participant.person] = fact.participant
        case ChatOpened():
            row = ChatRow(fact.first, fact.second, fact.first_bot, fact.second_bot, fact.at)
            disk.chats.setdefault(fact.chat, row)
        case ChatClosed():
            known = disk.chats.get(fact.chat)
            if known is not None and known.active:
                disk.chats[fact.chat] = replace(
                    known, active=False, closed_at=fact.at, closed_by=fact.by, reason=fact.reason
                )
