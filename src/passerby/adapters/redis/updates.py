"""Updates in Redis: which are done, and which a worker was working on when it ended."""

from collections import Counter
from collections.abc import Iterable

from passerby.adapters.redis import scripts
from passerby.adapters.redis.generation import GenerationClient
from passerby.adapters.redis.keys import DONE_KEPT_S, bit_of, block_of
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.done_marks import Known


class RedisUpdates(GenerationClient):
    async def done(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        return (await self.known(bot, updates)).done

    async def known(self, bot: BotId, updates: Iterable[int]) -> Known:
        asked = list(updates)
        keys = self._keys
        where = (keys.store, keys.crashes(bot), *(keys.done_block(bot, block_of(update)) for update in asked))
        bits, crashes = await self._ask(scripts.DONE, where, *map(bit_of, asked))
        done = {update for update, bit in zip(asked, bits, strict=True) if bit}
        if not crashes:
            return Known(done, {})
        counts = Counter(int(crash.partition(b" ")[0]) for crash in crashes)
        return Known(done, {update: counts[update] for update in asked if update in counts})

    async def record_crash(self, updates: Iterable[UpdateRef], crash: str) -> None:
        refs = tuple(updates)
        where = (self._keys.store, *(self._keys.crashes(ref.bot) for ref in refs))
        await self._ask(scripts.CRASH, where, DONE_KEPT_S, *(f"{ref.update} {crash}" for ref in refs))
