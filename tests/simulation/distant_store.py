"""The memory store at the end of a wire, as a store of another process would be: every call takes a moment before and
after it has its effect, and while it is lost no call gets there. Only so can two decisions overtake each other.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from random import Random

from passerby.adapters.memory import MemoryStore
from passerby.kernel.decision import Facts
from passerby.kernel.ids import BotId, ChatId, MessageRef, PersonId, PoolId
from passerby.kernel.participant import Participant
from passerby.ports.facts import Fact
from passerby.ports.live_store import Commit, Committed, LiveStoreLost, Mark, Outgoing, TicketFeed


class Distant:
    """`passerby.ports.live_store.LiveStore`. A leg takes up to `delay_s`; `lost` says whether nobody can get there."""

    def __init__(self, inner: MemoryStore, rng: Random, delay_s: float, lost: Callable[[], bool]) -> None:
        self._inner = inner
        self._rng = rng
        self._delay_s = delay_s
        self._lost = lost

    async def _there(self) -> None:
        await asyncio.sleep(self._rng.random() * self._delay_s)
        if self._lost():
            raise LiveStoreLost("no connection")

    async def _back(self) -> None:
        await asyncio.sleep(self._rng.random() * self._delay_s)

    @property
    def generation(self) -> str:
        return self._inner.generation

    @property
    def newborn(self) -> bool:
        return self._inner.newborn

    async def load(self, person: PersonId, about: MessageRef | None = None) -> Facts | None:
        await self._there()
        facts = await self._inner.load(person, about)
        await self._back()
        return facts

    async def adopt(self, participants: Sequence[Participant]) -> None:
        await self._there()
        await self._inner.adopt(participants)
        await self._back()

    async def commit(self, commit: Commit) -> Committed:
        await self._there()
        committed = await self._inner.commit(commit)
        await self._back()
        return committed

    async def mark(self, mark: Mark) -> None:
        await self._there()
        await self._inner.mark(mark)
        await self._back()

    async def done(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        await self._there()
        done = await self._inner.done(bot, updates)
        await self._back()
        return done

    async def open_chats(self, chats: Iterable[ChatId]) -> set[ChatId]:
        await self._there()
        chats = await self._inner.open_chats(chats)
        await self._back()
        return chats

    async def tickets(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        await self._there()
        feed = await self._inner.tickets(pool, cursor, wait_s)
        await self._back()
        return feed

    async def pools(self) -> set[PoolId]:
        await self._there()
        return await self._inner.pools()

    async def outbox(self) -> list[Outgoing]:
        await self._there()
        return await self._inner.outbox()

    async def journal(self, after: int, limit: int) -> list[tuple[int, Fact]]:
        await self._there()
        return await self._inner.journal(after, limit)

    async def trim_journal(self, upto: int) -> None:
        await self._there()
        await self._inner.trim_journal(upto)

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        await self._there()
        return await self._inner.file_id(unique, bot)

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        await self._there()
        await self._inner.remember_file(unique, bot, file_id)

    async def sweep(self) -> None:
        await self._there()
        await self._inner.sweep()

    async def aclose(self) -> None:
        await self._inner.aclose()
