"""Makes one call out of many: the reads of all relays of one turn of the event loop, and all their marks.

A call takes more callers until it leaves. So the busier the lines are, the more callers share a call.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from passerby.adapters.redis import scripts, values
from passerby.adapters.redis.batcher import BATCH, Batcher
from passerby.adapters.redis.calls import Call, Command, SharedAnswer, Word
from passerby.adapters.redis.keys import (
    DONE_KEPT_S,
    DONE_RENEWED_S,
    Keys,
    bit_of,
    block_of,
    day_of,
    idle_chat_score,
    map_kept_s,
)
from passerby.adapters.redis.server_time import ServerTime
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.ports.leases import Fence, Fenced
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.packed_pairs import MOST, packed


class Chatters(NamedTuple):
    """Two people and a chat, as the store holds them; None where it holds nothing. The chat was read last."""

    mine: bytes | None
    theirs: bytes | None
    chat: bytes | None
    generation: bytes


class _Loads(Call):
    __slots__ = ("_keys", "answers", "chats", "people")

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys
        self.people: list[PersonId] = []
        self.chats: list[ChatId] = []
        self.answers: list[SharedAnswer[Chatters]] = []

    @property
    def callers(self) -> int:
        return len(self.answers)

    @property
    def is_wanted(self) -> bool:
        return any(answer.is_wanted for answer in self.answers)

    def commands(self) -> Sequence[Command]:
        return ("HMGET", self._keys.people, *self.people), ("HMGET", self._keys.chats, *self.chats)

    def give(self, answer: Any) -> None:
        people, chats, generation = answer
        for at, waiting in enumerate(self.answers):
            waiting.give(Chatters(people[2 * at], people[2 * at + 1], chats[at], generation))

    def fail(self, error: Exception) -> None:
        for waiting in self.answers:
            waiting.lose(error)


class Loads:
    def __init__(self, batcher: Batcher, keys: Keys) -> None:
        self._batcher = batcher
        self._keys = keys
        self._open: _Loads | None = None

    def add(self, person: PersonId, partner: PersonId, chat: ChatId) -> SharedAnswer[Chatters]:
        """Read two people and a chat."""
        call = self._open
        if call is None or call.packed or len(call.answers) >= BATCH:
            call = self._open = _Loads(self._keys)
        waiting: SharedAnswer[Chatters] = SharedAnswer()
        call.people += (person, partner)
        call.chats.append(chat)
        call.answers.append(waiting)
        if len(call.answers) == 1:
            self._batcher.put(call)
        else:
            self._batcher.joined()
        return waiting


class _Marks(Call):
    """Marks for one generation. mark.lua explains the words."""

    __slots__ = ("_groups", "_keys", "_time", "answers", "generation", "marks", "retries")

    def __init__(self, keys: Keys, time: ServerTime, generation: str, retries: "Marks") -> None:
        super().__init__(scripts.MARK)
        self._keys = keys
        self._time = time
        self._groups: list[int] = []
        self.generation = generation
        self.marks: list[Mark] = []
        self.answers: list[SharedAnswer[None]] = []
        self.retries = retries

    @property
    def callers(self) -> int:
        return len(self.answers)

    @property
    def is_wanted(self) -> bool:
        return any(answer.is_wanted for answer in self.answers)

    def commands(self) -> Sequence[Command]:
        keys, now = self._keys, self._time.now()
        day, score = day_of(now), idle_chat_score(now) + 1
        groups: dict[tuple[Fence, ...], int] = {}
        blocks: dict[tuple[int, BotId, int], list[int]] = {}
        chats: dict[ChatId, int] = {}
        maps: dict[tuple[int, ChatId], list[bytes]] = {}
        words: list[Word] = []
        settled: list[Word] = []
        anchors: list[Word] = []
        anchored = 0
        for mark, answer in zip(self.marks, self.answers, strict=True):
            if not answer.is_wanted:  # cancelled
                self._groups.append(0)
                continue
            group = groups.setdefault(mark.fences, len(groups) + 1)
            self._groups.append(group)
            for bot, update in mark.updates:
                blocks.setdefault((group, bot, block_of(update)), []).append(bit_of(update))
            chat = mark.chat
            if chat is not None and (mark.pairs or mark.speaker is not None):
                number = chats.setdefault(chat, len(chats) + 1)
                if mark.speaker is not None:
                    words += (group, number, mark.speaker, score)
                if mark.pairs:
                    maps.setdefault((group, chat), []).extend(map(packed, mark.pairs))
            for entry in mark.sent:
                settled += (group, entry)
            if mark.anchor is not None:
                anchor, anchored = mark.anchor, anchored + 1
                anchors += (group, anchor.chat, anchor.person, values.message(anchor.at), len(mark.facts))
                anchors += map(values.encoded, mark.facts)
        where = [
            keys.store,
            keys.chats,
            keys.idle_chats,
            keys.epochs,
            keys.outbox,
            keys.order,
            keys.turns,
            keys.journal,
        ]
        where += (keys.done_block(bot, block) for _, bot, block in blocks)
        where += (keys.map(chat, day) for _, chat in maps)
        where.append(keys.never)
        command: list[Word] = ["EVALSHA", scripts.MARK.sha, len(where), *where]
        command += (self.generation, DONE_KEPT_S, DONE_RENEWED_S, map_kept_s(now), MOST)
        command += (len(groups), len(blocks), len(chats), len(words) // 4, len(maps), len(settled) // 2, anchored)
        for fences in groups:
            command.append(len(fences))
            for fence in fences:
                command += fence
        for (group, _, _), bits in blocks.items():
            command += (group, len(bits), *bits)
        command += chats
        command += words
        for (group, chat), pairs in maps.items():
            command += (group, chats[chat], len(pairs), *pairs)
        command += settled
        command += anchors
        return (tuple(command),)

    def give(self, answer: Any) -> None:
        refused = frozenset(answer)
        for waiting, group in zip(self.answers, self._groups, strict=True):
            if group in refused:
                waiting.lose(Fenced())
            else:
                waiting.give(None)

    def fail(self, error: Exception) -> None:
        if len(self.marks) > 1 and not isinstance(error, LiveStoreLost):  # one mark's bug must not affect the others
            for mark, waiting in zip(self.marks, self.answers, strict=True):
                if waiting.is_wanted:
                    self.retries.alone(mark, waiting, self.generation)
            return
        for waiting in self.answers:
            waiting.lose(error)


class Marks:
    def __init__(self, batcher: Batcher, keys: Keys, time: ServerTime) -> None:
        self._batcher = batcher
        self._keys = keys
        self._time = time
        self._open: _Marks | None = None

    def add(self, mark: Mark, generation: str) -> SharedAnswer[None]:
        """Store a mark. Raises: Fenced."""
        call = self._open
        if call is None or call.packed or len(call.answers) >= BATCH or call.generation != generation:
            call = self._open = _Marks(self._keys, self._time, generation, self)
        waiting: SharedAnswer[None] = SharedAnswer()
        call.marks.append(mark)
        call.answers.append(waiting)
        if len(call.answers) == 1:
            self._batcher.put(call)
        else:
            self._batcher.joined()
        return waiting

    def alone(self, mark: Mark, waiting: SharedAnswer[None], generation: str) -> None:
        """Store a mark in a call of its own."""
        call = _Marks(self._keys, self._time, generation, self)
        call.marks.append(mark)
        call.answers.append(waiting)
        self._batcher.put(call)
