"""Feeds for the background tasks: tickets, the journal and idle chats."""

from itertools import islice

from passerby.adapters.memory.history import Trimmed
from passerby.adapters.memory.logged import LoggedStore
from passerby.kernel.ids import PoolId
from passerby.ports.facts import Fact
from passerby.ports.idle_chats import IdleChat
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.tickets import TicketFeed


class MemoryFeeds(LoggedStore):
    """The roles Tickets, Journal and IdleChats."""

    async def tickets(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        self._check()
        tickets = self._state.tickets
        feed = await tickets.feed(pool, cursor, wait_s)
        if tickets is not self._state.tickets:
            raise LiveStoreLost("wiped meanwhile")
        return feed

    async def pools(self) -> set[PoolId]:
        self._check()
        return self._state.tickets.pools()

    async def journal(self, after: int, limit: int) -> list[tuple[int, Fact]]:
        self._check()
        journal = self._state.journal
        if not journal:
            return []
        skip = max(0, after + 1 - journal[0][0])
        found = list(islice(journal, skip, skip + limit))
        if found:
            await self._durable()
        return found

    async def trimmed(self) -> int:
        self._check()
        return self._state.trimmed

    async def trim_journal(self, upto: int, generation: str) -> None:
        self._check()
        if generation == self._state.generation:
            self._write(Trimmed(upto))
            self._state.trim(upto)

    async def idle_chats(self, since: float, limit: int) -> list[IdleChat]:
        self._check()
        return list(self._state.chats.idle(since, limit))
