"""`LiveStore` for a fleet: every method is one script, called through the batcher, or a plain read. See `keys` for the
data.

Retries. When a connection breaks, calls under way may have been stored or not, and the batcher sends them once more. So
every script gives the same result when it runs twice:

- Reads, `adopt` (which skips people that the store holds), `mark`, `record_crash`, `trim_journal`, `sweep`,
  `remember_file`, `keep_memo`, `sight`, `heartbeat`, `take` (which returns a lease that the worker already
  holds), `give`, `leave` and `hold` do so by their nature. `reserve` may take twice, as the port says.
- `inherit`: each entry keeps the call that inherited it, and the answer is read after that.
- `commit`: the script also stores, for a minute, that this very call was stored. The retry then gets the answer that
  was lost. Otherwise a commit without updates could be stored twice, and a commit with updates would be called stale.

If the retry fails too, the caller gets `RedisUnreachable` and does not know the outcome. It is then safe to read and
decide again: either the versions have changed, or the updates are done (`ALREADY_DONE`). Entries of such a commit wait
in the outbox for the next read of `outbox`.

A failover to a replica may lose the newest acknowledged writes, unless the batcher waits for replicas: then a commit or
mark is acknowledged only when they have it. Another generation begins whenever something may be lost (rebirth.lua).

`generation` has GenerationClient, and says what happens after a wipe.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, Final

import msgspec

from passerby.adapters.redis import scripts, values
from passerby.adapters.redis.calls import Word
from passerby.adapters.redis.conducts import RedisConducts
from passerby.adapters.redis.doubts import RedisDoubts
from passerby.adapters.redis.errors import RedisWiped
from passerby.adapters.redis.generation import Generation
from passerby.adapters.redis.holds import Holds
from passerby.adapters.redis.keys import DONE_KEPT_S, DONE_RENEWED_S, Keys, bit_of, idle_chat_score
from passerby.adapters.redis.leases import RedisLeases
from passerby.adapters.redis.message_map import RedisMessageMap
from passerby.adapters.redis.outbox import PAGE, RedisOutbox
from passerby.adapters.redis.pubsub import PubSub
from passerby.adapters.redis.server_time import ServerTime
from passerby.adapters.redis.shared_budgets import RedisSharedBudgets
from passerby.adapters.redis.shared_calls import Loads, Marks
from passerby.adapters.redis.updates import RedisUpdates
from passerby.domain.popularity import PERIOD_S
from passerby.kernel.decision import Facts
from passerby.kernel.ids import NOWHERE, BotId, ChatId, MessageRef, PersonId, PoolId, search_of
from passerby.kernel.participant import Chatting, Idle, Participant
from passerby.ports.clock import Clock
from passerby.ports.facts import Fact
from passerby.ports.idle_chats import IdleChat
from passerby.ports.leases import Fence
from passerby.ports.live_store import Figures
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit, Committed
from passerby.ports.tickets import TicketFeed

IDLE_KEPT_S: Final = 600.0
HEARD_EVERY_S: Final = 60.0
GONE_KEPT: Final = 10_000
STORED_KEPT_S: Final = 60
FILE_KEPT_S: Final = 3 * 24 * 3600
SIGHTINGS_KEPT_S: Final = 2 * PERIOD_S
CHATS_KNOWN: Final = 100_000
JOURNAL_BOUND: Final = 1_000_000

_COMMITTED: Final = {1: Committed.YES, 0: Committed.STALE, 2: Committed.ALREADY_DONE}


class RedisStore(
    RedisLeases, RedisSharedBudgets, RedisMessageMap, RedisOutbox, RedisUpdates, RedisConducts, RedisDoubts
):
    """The port says what this promises. `generation` comes from begin.lua; `open_redis` makes a store.

    When the journal holds `journal_bound` facts, commits that would add more are refused.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        keys: Keys,
        clock: Clock,
        rng: Random,
        generation: Generation,
        *,
        replicas: int = 0,
        loose: bool = False,
        release: int | None = None,
        time: ServerTime | None = None,
        journal_bound: int = JOURNAL_BOUND,
    ) -> None:
        super().__init__(
            connect, keys, clock, rng, generation, replicas=replicas, loose=loose, release=release, time=time
        )
        self._loads = Loads(self._batcher, keys)
        self._marks = Marks(self._batcher, keys, self._time)
        self._holds = Holds(clock)
        self._pubsub = PubSub(connect, keys.pubsub, clock, self._holds.on_message)
        self._batcher.on_return = self._pubsub.renew
        self._journal_bound = journal_bound
        self._chats_seen: dict[PersonId, tuple[ChatId, PersonId]] = {}
        """The chat and partner that a person was last seen with. While these still hold, plain reads suffice."""

    async def load(self, person: PersonId, about: MessageRef | None = None) -> Facts | None:
        seen = self._chats_seen.get(person)
        if seen is not None:
            facts = await self._load_chatting(person, *seen, about)
            if facts is not None:
                return facts
            self._chats_seen.pop(person, None)
        return await self._load(person, about)

    async def _load_chatting(
        self, person: PersonId, chat: ChatId, partner: PersonId, about: MessageRef | None
    ) -> Facts | None:
        """Load a person who is still in the chat that they were last seen in. Returns None if they are not.

        The chat is read after the people. So if it is open, it was also open, and theirs, when they were read.
        """
        if self._expelled:
            await self._rejoin()
        if self._batcher.is_full:
            await self._batcher.room()
        generation = self._generation.name
        reading = self._loads.add(person, partner, chat)
        try:
            found = await self.counterpart(chat, about) if about is not None else None
            mine, theirs, anchors, read_in = await reading
        finally:
            reading.is_wanted = False
        if read_in != generation.encode():
            raise await self._expel(generation)
        if mine is None or anchors is None:
            return None
        me = values.participant(mine)
        state = me.state
        if not isinstance(state, Chatting) or state.chat != chat or state.partner != partner:
            return None
        other = values.participant(theirs) if theirs is not None else None
        anchor, partner_anchor = values.anchors_of(anchors, person, partner)
        return Facts(me, other, found, anchor, partner_anchor)

    async def _load(self, person: PersonId, about: MessageRef | None) -> Facts | None:
        """Load any person."""
        keys = self._keys
        known = (keys.store, keys.people, keys.chats, keys.idle)
        answer = await self._ask(scripts.LOAD, known, person, self._time.now(), HEARD_EVERY_S)
        if answer is None:
            return None
        me = values.participant(answer[0])
        state = me.state
        if isinstance(state, Idle):
            return Facts(me)
        chat = answer[2] or b""
        if not isinstance(state, Chatting):
            return Facts(me, anchor=values.anchors_of(chat, person)[0])
        self._remember_chat(person, state)
        found = await self.counterpart(state.chat, about) if about is not None else None
        partner = values.participant(answer[1]) if answer[1] is not None else None
        anchor, partner_anchor = values.anchors_of(chat, person, state.partner)
        return Facts(me, partner, found, anchor, partner_anchor)

    def _remember_chat(self, person: PersonId, state: Chatting) -> None:
        if len(self._chats_seen) >= CHATS_KNOWN:
            self._chats_seen.clear()
        self._chats_seen[person] = state.chat, state.partner

    async def tickets(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        if cursor is None or wait_s <= 0:
            return await self._look(pool, cursor)
        deadline = self._clock.monotonic() + wait_s
        with self._pubsub.changes(pool) as changed:
            while True:
                changed.clear()
                feed = await self._look(pool, cursor)
                left_s = deadline - self._clock.monotonic()
                if feed.changes or feed.whole or left_s <= 0:
                    return feed
                try:
                    async with asyncio.timeout(left_s):
                        await changed.wait()
                except TimeoutError:
                    pass

    async def _look(self, pool: PoolId, cursor: int | None) -> TicketFeed:
        keys = self._keys
        where = (keys.store, keys.waiting, keys.gone, keys.tickets)
        newest, whole, *found = await self._ask(scripts.FEED, where, pool, "" if cursor is None else cursor)
        changes = tuple(map(values.change, found[::2], found[1::2]))
        return TicketFeed(changes, int(newest), bool(whole))

    async def pools(self) -> set[PoolId]:
        (found,) = await self._read(("HKEYS", self._keys.pools))
        return {PoolId(pool.decode()) for pool in found}

    async def idle_chats(self, since: float, limit: int) -> list[IdleChat]:
        where = (self._keys.store, self._keys.chats, self._keys.idle_chats)
        found = await self._ask(scripts.IDLE_CHATS, where, idle_chat_score(self._time.of(since)) + 3, limit)
        chats = map(values.idle_chat, found[::3], found[1::3], found[2::3])
        return [msgspec.structs.replace(each, since=self._time.ours(each.since)) for each in chats]

    async def figures(self) -> Figures:
        keys = self._keys
        where = (keys.store, keys.waiting, keys.chats, keys.outbox, keys.journal)
        return Figures(*await self._ask(scripts.FIGURES, where))

    async def journal(self, after: int, limit: int) -> list[tuple[int, Fact]]:
        (rows,) = await self._read(("XRANGE", self._keys.journal, after + 1, "+", "COUNT", limit))
        return [(int(number.partition(b"-")[0]), values.fact(fields[1])) for number, fields in rows]

    async def trimmed(self) -> int:
        (number,) = await self._read(("HGET", self._keys.store, "trimmed"))
        return int(number or 0)

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        (found,) = await self._read(("HGET", self._keys.file(unique), bot))
        return found.decode() if found is not None else None

    async def adopt(
        self,
        participants: Sequence[Participant],
        *,
        anchors: Sequence[Anchor] = (),
        whole: bool = False,
        outdated: bool = False,
    ) -> None:
        if self._expelled and not whole:
            await self._rejoin()
        elif self._expelled and not self._generation.doubts:
            await self._begin()
            if self._generation.doubts:
                raise RedisWiped
        keys, now = self._keys, self._time.now()
        where = (
            *keys.of_people,
            keys.turns,
        )
        head = (now, keys.pubsub, GONE_KEPT)
        known = {(anchor.chat, anchor.person): anchor.at for anchor in anchors}
        generation = self._generation.name
        for at in range(0, max(1, len(participants)), PAGE):
            last = (2 if outdated else 1) if whole and at + PAGE >= len(participants) else 0
            words: list[Word] = [*head, last, idle_chat_score(now)]
            for put in participants[at : at + PAGE]:
                chat = put.state.chat if isinstance(put.state, Chatting) else search_of(put.person)
                words += (*values.put_words(put), values.message(known.get((chat, put.person), NOWHERE)))
            await self._ask_of(generation, scripts.ADOPT, where, words)
        if outdated:
            await self._refresh()
        elif whole and generation == self._generation.name:
            self._adopted()
            self._expelled = False

    async def commit(self, commit: Commit) -> Committed:
        keys, now = self._keys, self._time.now()
        maps = [each for chat in commit.ended for each in (*keys.maps(chat, now), keys.received(chat))]
        where = (
            *keys.of_people,
            keys.order,
            keys.turns,
            keys.epochs,
            keys.journal,
            keys.stored(self._call_name()),
            *map(keys.done, commit.updates),
            *maps,
        )
        words: list[Word] = [now, keys.pubsub, GONE_KEPT, DONE_KEPT_S, DONE_RENEWED_S, STORED_KEPT_S]
        words += (self._journal_bound, commit.owner, idle_chat_score(now))
        puts = [values.put_words(put) for put in commit.puts]
        puts += [values.seen_words(*seen) for seen in commit.seen]
        words += map(len, (commit.updates, commit.ended, puts, commit.outbox, commit.facts, commit.sent, maps))
        words += (len(commit.fences), int(commit.repairs))
        words += (bit_of(ref.update) for ref in commit.updates)
        words += commit.ended
        for put in puts:
            words += put
        for outgoing in commit.outbox:
            words += values.entry_words(outgoing)
        words += map(values.encoded, commit.facts)
        words += commit.sent
        for fence in commit.fences:
            words += fence
        return _COMMITTED[await self._ask(scripts.COMMIT, where, *words, repairs=commit.repairs)]

    async def mark(self, mark: Mark) -> None:
        if self._expelled:
            await self._rejoin()
        if self._batcher.is_full:
            await self._batcher.room()
        generation = self._generation.name
        try:
            await self._marks.add(mark, generation)
        except RedisWiped as wiped:
            raise await self._expel(generation) from wiped

    async def trim_journal(self, upto: int, generation: str) -> None:
        if generation != self._generation.name:
            return
        await self._ask(scripts.TRIM, (self._keys.store, self._keys.journal), upto, upto + 1)

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        words = (bot, file_id or "", FILE_KEPT_S)
        await self._batcher.call(scripts.REMEMBER, (self._keys.file(unique),), words)

    async def memos(self, names: Sequence[str]) -> dict[str, bytes]:
        if not names:
            return {}
        (found,) = await self._read(("HMGET", self._keys.memos, *names))
        return {name: bytes(value) for name, value in zip(names, found, strict=True) if value is not None}

    async def keep_memo(self, name: str, value: bytes | None, fence: Fence | None = None) -> None:
        keys = self._keys
        words: list[Word] = [name, int(value is not None), value or b"", int(fence is not None), *(fence or ())]
        await self._ask(scripts.MEMO, (keys.store, keys.memos, keys.epochs), *words)

    async def info(self, section: str) -> dict[str, str]:
        """A section of the server's INFO; empty if it does not tell. In a cluster, that of the node with our keys."""
        (told,) = await self._read(("INFO", section))
        text = told.decode("utf-8", "replace") if isinstance(told, bytes) else ""
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    async def sight(self, bits: Sequence[int]) -> int:
        keys = self._keys.sightings(self._time.now())
        seen: int = await self._batcher.call(scripts.SIGHT, keys, (SIGHTINGS_KEPT_S, *bits))
        return seen

    async def sweep(self) -> None:
        """Remove idle people who expired. Redis itself removes everything else that expires."""
        keys, now = self._keys, self._time.now()
        where = (keys.store, keys.people, keys.idle)
        while await self._ask(scripts.SWEEP, where, now, now - IDLE_KEPT_S, PAGE) >= PAGE:
            pass

    async def aclose(self) -> None:
        """Check that the store is still there, then close. There is nothing to save: every write is already sent."""
        try:
            await self._read()
        finally:
            await self.hang_up()

    async def hang_up(self) -> None:
        """Close the connections without asking the server anything."""
        await self._pubsub.aclose()
        await self._batcher.aclose()
