"""What sending uses: the message map, the outbox, trails and caches."""

from collections.abc import Iterable, Sequence

from passerby.adapters.memory.fleet import MemoryFleet
from passerby.adapters.memory.history import Entry, FileSeen, Inherited, Sighted
from passerby.kernel.decision import Counterpart
from passerby.kernel.ids import BotId, ChatId, MessageRef, PersonId
from passerby.ports.leases import WorkerId
from passerby.ports.message_map import Mark
from passerby.ports.outbox import Outgoing
from passerby.ports.trails import Trail, trail_of


class MemoryDelivering(MemoryFleet):
    """The roles MessageMap, Outbox, Trails and Caches."""

    async def counterpart(self, chat: ChatId, about: MessageRef) -> Counterpart | None:
        self._check()
        found = self._state.chats.get(chat)
        return found.find(about) if found is not None else None

    async def received_in(self, chats: Sequence[ChatId], about: MessageRef) -> ChatId | None:
        self._check()
        return self._state.chats.received_in(chats, about, self._clock.now())

    async def mark(self, mark: Mark) -> None:
        self._check()
        if mark.fences:
            self._check_fences(mark.fences)
        entry = Entry(self._clock.now(), mark, self._state.journal_end + 1)
        self._write(entry)
        self._state.apply(entry)

    async def told(self, chat: ChatId, person: PersonId) -> bool:
        self._check()
        return self._state.chats.is_told(chat, person) or not self._state.outbox.will_tell(chat, person)

    async def open_chats(self, chats: Iterable[ChatId]) -> set[ChatId]:
        self._check()
        return {chat for chat in chats if chat in self._state.chats}

    async def outbox(self, owner: WorkerId) -> list[Outgoing]:
        self._check()
        return self._state.outbox.of(owner)

    async def inherit(self, heir: WorkerId) -> list[Outgoing]:
        self._check()
        now, outbox = self._clock.monotonic(), self._state.outbox
        dead = outbox.owners(lambda owner: owner != heir and not self._worker_table.is_living(owner, now))
        if not dead:
            return []
        self._write(Inherited(dead, heir))
        self._worker_table.evict(dead)
        return outbox.hand_over(dead, heir)

    async def is_preceded(self, entry: str) -> bool:
        self._check()
        return self._state.outbox.is_preceded(entry)

    async def trail(self, person: PersonId) -> list[Trail]:
        return [each for each in await self.addressed_to(trail_of(person)) if isinstance(each, Trail)]

    async def addressed_to(self, person: PersonId) -> list[Outgoing]:
        if not self._doubts:
            self._check()
        return self._state.outbox.addressed_to(person)

    async def owners_of(self, entries: Sequence[str]) -> dict[str, WorkerId]:
        return self._state.outbox.owners_of(entries)

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        self._check()
        return self._state.files.get((unique, bot))

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        self._check()
        self._write(FileSeen(unique, bot, file_id))
        self._state.see_file(unique, bot, file_id)

    async def sight(self, marks: Sequence[int]) -> int:
        self._check()
        at, sightings = self._clock.now(), self._state.sightings
        if not sightings.has(marks, at):
            self._write(Sighted(at, list(marks)))
            sightings.note(marks, at)
        return sightings.least(marks, at)
