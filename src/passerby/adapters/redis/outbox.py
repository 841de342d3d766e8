"""The outbox in Redis: what still has to be sent, and which worker sends it. entries.lua describes the entries.

A commit or a mark adds and settles entries (see `store`).
"""

from collections.abc import Sequence
from typing import Any, Final

from passerby.adapters.redis import scripts, values
from passerby.adapters.redis.generation import GenerationClient
from passerby.adapters.redis.keys import EVICTED_KEPT_MS, PATIENCE_MS
from passerby.kernel.ids import ChatId, PersonId
from passerby.ports.leases import WorkerId
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.trails import Trail, trail_of

PAGE: Final = 500
BEFORE_PAGE: Final = 100
INHERITED_KEPT_S: Final = 3600


class RedisOutbox(GenerationClient):
    _unheard = ""
    """The last call of `inherit` whose answer was lost. The next one also returns what that call inherited."""

    async def outbox(self, owner: WorkerId) -> list[Outgoing]:
        return await self._entries(owner)

    async def inherit(self, heir: WorkerId) -> list[Outgoing]:
        keys = self._keys
        call, self._unheard = self._unheard or self._call_name(), ""
        try:
            where = (keys.store, keys.workers, keys.evicted, keys.outbox, keys.order, keys.turns, keys.stored(call))
            more = inherited = 1
            while more:
                words = (heir, call, PAGE, INHERITED_KEPT_S, EVICTED_KEPT_MS, PATIENCE_MS)
                more, inherited = await self._ask(scripts.INHERIT, where, *words)
            return await self._entries(heir, call) if inherited else []
        except BaseException:
            self._unheard = call
            raise

    async def is_preceded(self, entry: str) -> bool:
        where = (self._keys.store, self._keys.outbox, self._keys.turns)
        page: Any = (None, b"")
        while page := await self._ask(scripts.PRECEDED, where, entry, BEFORE_PAGE, page[1]):
            blob, ended_at, *blobs = page
            held = values.entry(blob)
            for other in map(values.entry, blobs):
                if other.bot == held.bot and not (isinstance(other, Notice) and other.lets_others_pass):
                    return True
            if not ended_at:
                break
        return False

    async def trail(self, person: PersonId) -> list[Trail]:
        return [each for each in await self.addressed_to(trail_of(person)) if isinstance(each, Trail)]

    async def addressed_to(self, person: PersonId) -> list[Outgoing]:
        where = (self._keys.store, self._keys.outbox, self._keys.turns)
        repairs = bool(self._generation.doubts)
        return list(map(values.entry, await self._ask(scripts.TRAIL, where, person, repairs=repairs)))

    async def owners_of(self, entries: Sequence[str]) -> dict[str, WorkerId]:
        found: dict[str, WorkerId] = {}
        for at in range(0, len(entries), PAGE):
            page = entries[at : at + PAGE]
            (held,) = await self._read(("HMGET", self._keys.outbox, *page), repairs=True)
            found |= {
                entry: WorkerId(head.partition(b"\t")[0].decode())
                for entry, head in zip(page, held, strict=True)
                if head is not None
            }
        return found

    async def told(self, chat: ChatId, person: PersonId) -> bool:
        where = (self._keys.store, self._keys.chats, self._keys.outbox, self._keys.turns)
        return bool(await self._ask(scripts.TOLD, where, chat, person))

    async def _entries(self, owner: WorkerId, call: str = "") -> list[Outgoing]:
        """Read all entries in pages, oldest first; with `call`, only those that this call of `inherit` took."""
        keys, entries, after = self._keys, list[Outgoing](), b""
        where = (keys.store, keys.outbox, keys.order)
        while page := await self._ask(scripts.OUTBOX, where, owner, after, PAGE, call):
            after = page[0]
            entries.extend(map(values.entry, page[1:]))
        return entries
