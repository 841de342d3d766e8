"""The roles that deliveries use: the message map, the outbox, trails and caches."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from passerby.adapters.memory.history import FileSeen, Inherited, Marked, Sighted
from passerby.adapters.memory.membership import MemoryMembership
from passerby.kernel.decision import Counterpart
from passerby.kernel.ids import BotId, ChatId, MessageRef, PersonId
from passerby.ports.leases import Fenced, WorkerId
from passerby.ports.message_map import Mark
from passerby.ports.outbox import Outgoing
from passerby.ports.soon import Soon
from passerby.ports.trails import Trail, trail_of


class MemoryDelivery(MemoryMembership):
    """The roles MessageMap, Outbox, Trails and Caches."""

    async def counterpart(self, chat: ChatId, about: MessageRef) -> Counterpart | None:
        self._check()
        found = self._state.chats.get(chat)
        return found.find(about) if found is not None else None

    async def received_in(self, chats: Sequence[ChatId], about: MessageRef) -> ChatId | None:
        self._check()
        return self._state.chats.received_in(chats, about, self._clock.now())

    def mark(self, mark: Mark) -> Soon[None]:
        stored: Soon[None] = Soon()
        if not self._marks:
            self._next_turn(self._write_marks)
        self._marks.append((mark, stored))
        return stored

    def _next_turn(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)

    def _write_marks(self) -> None:
        """Store the marks of this turn with one write for all.

        Each is stored or refused by itself: a mark whose lease is somebody else's does not affect the others. If the
        write fails, none of them is stored, and each caller tries again.
        """
        waiting, self._marks = self._marks, []
        batch: list[tuple[Mark, Soon[None]]] = []
        for mark, stored in waiting:
            if mark.fences and self._is_fenced(mark.fences):
                stored.fail(Fenced())
            else:
                batch.append((mark, stored))
        if batch:
            self._write_batch(batch)

    def _write_batch(self, batch: Sequence[tuple[Mark, Soon[None]]]) -> None:
        error: Exception | None = None
        try:
            self._check()
            marked = Marked(self._clock.now(), [mark for mark, _ in batch], self._state.journal_end + 1)
            self._write(marked)
            self._state.apply(marked)
            self._delivered += marked.delivered
        except Exception as raised:  # noqa: BLE001  # every caller gets it
            error = raised
        for _, stored in batch:
            if error is not None:
                stored.fail(error)
            else:
                stored.settle(None)

    async def aclose(self) -> None:
        self._write_marks()
        await super().aclose()

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

    async def sight(self, bits: Sequence[int]) -> int:
        self._check()
        at, sightings = self._clock.now(), self._state.sightings
        if not sightings.has(bits, at):
            self._write(Sighted(at, list(bits)))
            sightings.note(bits, at)
        return sightings.least(bits, at)
