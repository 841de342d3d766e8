"""`LiveStore` for a fleet: every method is one script, called through the pipe. What is where: `keys`.

Asking twice. When a connection breaks, what was under way may have been stored or not, and the pipe asks once more. So
every script comes to the same when it runs twice:

- Reads, `adopt` (which passes over who is held), `mark`, `trim_journal`, `sweep`, `remember_file`: of their own nature.
- `commit`: the script stores with it, for a minute, that this very call was stored, and answers the second time what
  the answer was that got lost. Without that, a commit that ends nobody's update could be stored twice, and one that was
  stored would be called stale.

When the second try fails as well, the caller gets `RedisUnreachable` and does not know. Whoever then reads again and
decides anew is safe: the versions have moved on, or the updates are done already (`ALREADY_DONE`). What such a commit
put into the outbox waits there for whoever reads `outbox` next.

A failover to a replica may lose what was acknowledged just before, unless the pipe waits for replicas. Numbers are not
given twice even so (greet.lua): those of the journal may leave some out where the server has changed. Then only a read
may tell of what a failover still can lose: a commit or mark is not acknowledged before replicas have it.

Lives. Every script checks the generation. On a server that has been wiped it refuses (`RedisWiped`), a new life is
begun, and from then on this store refuses everything until the records have been adopted, by it or by another process.
A store that is opened on a new life takes part in it from the start, as the port says.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count
from random import Random
from typing import Any, Final, NamedTuple

from passerby.adapters.redis import scripts, values
from passerby.adapters.redis.errors import RedisWiped
from passerby.adapters.redis.greeting import greeted
from passerby.adapters.redis.keys import (
    DONE_KEPT_S,
    DONE_RENEWED_S,
    Keys,
    bit_of,
    day_of,
    map_kept_s,
)
from passerby.adapters.redis.news import News
from passerby.adapters.redis.pipe import Pipe, Word
from passerby.adapters.redis.scripts import Script
from passerby.kernel.decision import Counterpart, Facts
from passerby.kernel.ids import NOWHERE, BotId, ChatId, MessageRef, PersonId, PoolId
from passerby.kernel.participant import Chatting, Participant
from passerby.ports.clock import Clock
from passerby.ports.facts import Fact
from passerby.ports.live_store import Commit, Committed, Mark, Outgoing, TicketFeed

IDLE_KEPT_S: Final = 600.0
HEARD_EVERY_S: Final = 60.0
TOMBSTONES: Final = 10_000
STORED_KEPT_S: Final = 60
FILE_KEPT_S: Final = 3 * 24 * 3600
PAGE: Final = 500
CHATS_KNOWN: Final = 100_000

_COMMITTED: Final = {1: Committed.YES, 0: Committed.STALE, 2: Committed.ALREADY_DONE}


class Life(NamedTuple):
    generation: str
    newborn: bool


def begin_words(clock: Clock, rng: Random) -> tuple[str, int]:
    """What begin.lua takes. Changes are counted on from the time, so that a reader of an earlier life is behind."""
    return f"{rng.getrandbits(64):016x}", int(clock.now() * 10_000)


def life_of(answer: Any) -> Life:
    generation, adopted = answer
    return Life(generation.decode(), not adopted)


class RedisStore:
    """See the port for what it promises. `life` is what begin.lua said; `open_redis` makes one of these."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        keys: Keys,
        clock: Clock,
        rng: Random,
        life: Life,
        *,
        pipe: Pipe | None = None,
    ) -> None:
        self._pipe = pipe or Pipe(greeted(connect, keys))
        self._news = News(connect, keys.news, clock)
        self._keys = keys
        self._clock = clock
        self._rng = rng
        self._life = life
        self._expelled = False
        self._name = f"{rng.getrandbits(64):016x}"
        self._calls = count()
        # Where a person was last seen chatting: lets a look at a message go out together with the look at the person.
        self._chat_of: dict[PersonId, ChatId] = {}

    @property
    def generation(self) -> str:
        return self._life.generation

    @property
    def newborn(self) -> bool:
        return self._life.newborn

    @property
    def busy(self) -> bool:
        """Whether an answer of the server is awaited."""
        return self._pipe.busy

    # ------------------------------------------------------------------ reading

    async def load(self, person: PersonId, about: MessageRef | None = None) -> Facts | None:
        known = self._chat_of.get(person) if about is not None else None
        if about is None or known is None:
            answer, found = await self._load(person), None
        else:
            answer, found = await asyncio.gather(self._load(person), self.counterpart(known, about))
        if answer is None:
            return None
        me = values.participant(answer[0])
        state = me.state
        if not isinstance(state, Chatting):
            return Facts(me)
        if known != state.chat:
            self._remember_chat(person, state.chat)
            found = await self.counterpart(state.chat, about) if about is not None else None
        partner, anchors = answer[1], answer[2]
        return Facts(
            me,
            values.participant(partner) if partner is not None else None,
            found,
            values.anchor_of(person, anchors) if anchors else None,
        )

    async def _load(self, person: PersonId) -> Any:
        keys = self._keys
        known = (keys.life, keys.people, keys.chats, keys.idle)
        return await self._ask(scripts.LOAD, known, person, self._clock.now(), HEARD_EVERY_S)

    def _remember_chat(self, person: PersonId, chat: ChatId) -> None:
        if len(self._chat_of) >= CHATS_KNOWN:
            self._chat_of.clear()
        self._chat_of[person] = chat

    async def counterpart(self, chat: ChatId, about: MessageRef) -> Counterpart | None:
        keys, day = self._keys, day_of(self._clock.now())
        where = (keys.life, keys.chats, keys.map(chat, day), keys.map(chat, day - 1))
        found = await self._ask(scripts.COUNTERPART, where, chat, values.message(about))
        return values.counterpart(found) if found is not None else None

    async def done(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        asked = list(updates)
        where = (self._keys.life, *(self._keys.done_in(bot, update) for update in asked))
        bits = await self._ask(scripts.DONE, where, *map(bit_of, asked))
        return {update for update, bit in zip(asked, bits, strict=True) if bit}

    async def open_chats(self, chats: Iterable[ChatId]) -> set[ChatId]:
        asked = list(chats)
        if not asked:
            return set()
        found = await self._read(self._keys.chats, "HMGET", *asked)
        return {chat for chat, anchors in zip(asked, found, strict=True) if anchors is not None}

    async def tickets(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        if cursor is None or wait_s <= 0:
            return await self._look(pool, cursor)
        deadline = self._clock.monotonic() + wait_s
        with self._news.ear(pool) as heard:
            while True:
                heard.clear()
                feed = await self._look(pool, cursor)
                left_s = deadline - self._clock.monotonic()
                if feed.changes or feed.whole or left_s <= 0:
                    return feed
                try:
                    async with asyncio.timeout(left_s):
                        await heard.wait()
                except TimeoutError:
                    pass

    async def _look(self, pool: PoolId, cursor: int | None) -> TicketFeed:
        keys = self._keys
        where = (keys.life, keys.waiting, keys.gone, keys.tickets)
        newest, whole, *found = await self._ask(scripts.FEED, where, pool, "" if cursor is None else cursor)
        changes = tuple(map(values.change, found[::2], found[1::2]))
        return TicketFeed(changes, int(newest), bool(whole))

    async def pools(self) -> set[PoolId]:
        return {PoolId(pool.decode()) for pool in await self._read(self._keys.pools, "HKEYS")}

    async def outbox(self) -> list[Outgoing]:
        keys, entries, after = self._keys, list[Outgoing](), b"0"
        while page := await self._ask(scripts.OUTBOX, (keys.life, keys.outbox, keys.order), after, PAGE):
            after = page[0]
            entries.extend(map(values.entry, page[1:]))
        return entries

    async def journal(self, after: int, limit: int) -> list[tuple[int, Fact]]:
        rows = await self._read(self._keys.journal, "XRANGE", after + 1, "+", "COUNT", limit)
        return [(int(number.partition(b"-")[0]), values.fact(fields[1])) for number, fields in rows]

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        found = await self._read(self._keys.file(unique), "HGET", bot)
        return found.decode() if found is not None else None

    # ------------------------------------------------------------------ writing

    async def adopt(self, participants: Sequence[Participant]) -> None:
        if self._expelled:
            self._life = await self._begin()
        keys = self._keys
        where = (keys.life, keys.people, keys.chats, keys.idle, keys.waiting, keys.gone, keys.tickets, keys.pools)
        head = (self._clock.now(), keys.news, TOMBSTONES)
        generation = self._life.generation
        for at in range(0, max(1, len(participants)), PAGE):
            some = participants[at : at + PAGE]
            last = int(at + PAGE >= len(participants))
            words: list[Word] = [*head, last, values.message(NOWHERE), len(some)]
            for put in some:
                words += values.put_words(put)
            await self._ask_of(generation, scripts.ADOPT, where, words)
        self._life = Life(generation, newborn=False)
        self._expelled = False

    async def commit(self, commit: Commit) -> Committed:
        keys, now = self._keys, self._clock.now()
        maps = [each for chat in commit.ended for each in keys.maps(chat, now)]
        where = (
            keys.life,
            keys.people,
            keys.chats,
            keys.idle,
            keys.waiting,
            keys.gone,
            keys.tickets,
            keys.pools,
            keys.outbox,
            keys.order,
            keys.journal,
            keys.stored(f"{self._name}:{next(self._calls)}"),
            *map(keys.done, commit.updates),
            *maps,
        )
        words: list[Word] = [now, keys.news, TOMBSTONES, DONE_KEPT_S, DONE_RENEWED_S, STORED_KEPT_S]
        words += map(len, (commit.updates, commit.ended, commit.puts, commit.outbox, commit.facts, commit.sent, maps))
        words += (bit_of(ref.update) for ref in commit.updates)
        words += commit.ended
        for put in commit.puts:
            words += values.put_words(put)
        for outgoing in commit.outbox:
            words += (outgoing.id, values.encoded(outgoing))
        words += map(values.encoded, commit.facts)
        words += commit.sent
        return _COMMITTED[await self._ask(scripts.COMMIT, where, *words)]

    async def mark(self, mark: Mark) -> None:
        keys, now, anchor = self._keys, self._clock.now(), mark.anchor
        where = (
            keys.life,
            keys.chats,
            keys.outbox,
            keys.order,
            keys.map(mark.chat or ChatId(""), day_of(now)),
            *map(keys.done, mark.updates),
        )
        words: list[Word] = [DONE_KEPT_S, DONE_RENEWED_S, map_kept_s(now), mark.chat or ""]
        words += (anchor.chat, anchor.person, values.message(anchor.at)) if anchor is not None else ("", "", "")
        words += (len(mark.updates), len(mark.sent), 2 * len(mark.pairs) if mark.chat is not None else 0)
        words += (bit_of(ref.update) for ref in mark.updates)
        words += mark.sent
        for pair in mark.pairs:
            words += values.pair_words(pair)
        await self._ask(scripts.MARK, where, *words)

    async def trim_journal(self, upto: int) -> None:
        await self._ask(scripts.TRIM, (self._keys.life, self._keys.journal), upto, upto + 1)

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        words = (bot, file_id or "", FILE_KEPT_S)
        await self._pipe.call(scripts.REMEMBER, (self._keys.file(unique),), words)

    async def sweep(self) -> None:
        """Idle people. All else that expires does so by itself."""
        keys, now = self._keys, self._clock.now()
        where = (keys.life, keys.people, keys.idle)
        while await self._ask(scripts.SWEEP, where, now, now - IDLE_KEPT_S, PAGE) >= PAGE:
            pass

    async def aclose(self) -> None:
        """Nothing is held back here, so there is nothing to save; but whether the store is there is still said."""
        try:
            await self._read(self._keys.life, "HLEN")
        finally:
            await self.hang_up()

    async def hang_up(self) -> None:
        """End the connections and ask nothing."""
        await self._news.aclose()
        await self._pipe.aclose()

    # ------------------------------------------------------------------ asking, and lives

    async def _read(self, key: bytes, command: str, *args: Word) -> Any:
        return await self._ask(scripts.READ, (self._keys.life, key), command, *args)

    async def _ask(self, script: Script, keys: Sequence[bytes], *args: Word) -> Any:
        if self._expelled:
            await self._rejoin()
        return await self._ask_of(self._life.generation, script, keys, args)

    async def _ask_of(self, generation: str, script: Script, keys: Sequence[bytes], args: Iterable[Word]) -> Any:
        try:
            return await self._pipe.call(script, keys, (generation, *args))
        except RedisWiped:
            if generation == self._life.generation:
                self._expelled = True
                self._life = await self._begin()
            raise

    async def _rejoin(self) -> None:
        """Go on in the new life, if its records have been adopted. Raises RedisWiped."""
        self._life = await self._begin()
        if self._life.newborn:
            raise RedisWiped
        self._expelled = False

    async def _begin(self) -> Life:
        answer = await self._pipe.call(scripts.BEGIN, (self._keys.life,), begin_words(self._clock, self._rng))
        return life_of(answer)
