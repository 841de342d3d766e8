"""The message map in Redis, as far as it is read. A mark adds pairs, and a commit ends a chat (see `store`)."""

from collections.abc import Iterable, Sequence
from typing import Final

from passerby.adapters.redis import scripts
from passerby.adapters.redis.generation import GenerationClient
from passerby.adapters.redis.keys import day_of
from passerby.kernel.decision import Counterpart
from passerby.kernel.ids import ChatId, MessageRef
from passerby.ports.packed_pairs import SIZE, found_in, is_among, side

PAIRS: Final = 256


class RedisMessageMap(GenerationClient):
    async def counterpart(self, chat: ChatId, about: MessageRef) -> Counterpart | None:
        keys, day = self._keys, day_of(self._time.now())
        where = (keys.store, keys.chats, keys.map(chat, day), keys.map(chat, day - 1))
        pair = await self._ask(scripts.COUNTERPART, where, chat, side(about), SIZE, PAIRS)
        return found_in(pair, about) if pair is not None else None

    async def received_in(self, chats: Sequence[ChatId], about: MessageRef) -> ChatId | None:
        if not chats:
            return None
        found = await self._read(*(("GET", self._keys.received(chat)) for chat in chats))
        return next((chat for chat, copies in zip(chats, found, strict=True) if is_among(copies or b"", about)), None)

    async def open_chats(self, chats: Iterable[ChatId]) -> set[ChatId]:
        asked = list(chats)
        if not asked:
            return set()
        (found,) = await self._read(("HMGET", self._keys.chats, *asked))
        return {chat for chat, anchors in zip(asked, found, strict=True) if anchors is not None}
