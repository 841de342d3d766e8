"""`LiveStore` for one process.

Everything is a dict, and everything that changes one is a record of the log, written before the dicts are touched. So
the store after a crash is the log replayed: `_replay` and the live path share `_apply`, and there is no other way in.

A commit is checked, logged and applied without an `await` in between; that is the whole of its atomicity.

The log grows by what happens and is rewritten to what is (one `Snapshot`) when it has grown large beside it.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from random import Random

import msgspec

from passerby.adapters.memory.done import Block, DoneMarks
from passerby.adapters.memory.log import Log
from passerby.adapters.memory.tickets import Tickets
from passerby.kernel.decision import Counterpart, Facts
from passerby.kernel.ids import NOWHERE, BotId, ChatId, MessageRef, PersonId, PoolId, UpdateRef
from passerby.kernel.participant import Chatting, Idle, Participant
from passerby.ports.clock import Clock
from passerby.ports.facts import Fact
from passerby.ports.live_store import Commit, Committed, Copied, LiveStoreLost, Mark, Outgoing, TicketFeed

REWRITE_BYTES = 16 << 20
"""Below this a log is never rewritten: replaying it takes well under a second."""

REWRITE_FACTOR = 4
MAP_TURN_S = 24 * 3600.0
"""Half the age that a pair of the message map may reach (48 h): every turn the older half goes."""

EXPIRE_EVERY_S = 60.0
IDLE_KEPT_S = 600.0
FILES_KEPT = 100_000


class ChatMap(msgspec.Struct):
    """What is remembered of an open chat: which message is whose copy, in two halves by age, and the anchors."""

    turned_at: float
    young: dict[MessageRef, Counterpart] = {}
    old: dict[MessageRef, Counterpart] = {}
    anchors: dict[PersonId, MessageRef] = {}

    def turn(self, now: float) -> None:
        """Let go of what is too old. In steps from the chat's beginning, so that a replay comes to the same."""
        while now - self.turned_at >= MAP_TURN_S:
            self.old, self.young, self.turned_at = self.young, {}, self.turned_at + MAP_TURN_S

    def find(self, about: MessageRef) -> Counterpart | None:
        return self.young.get(about) or self.old.get(about)


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    generation: str


class Entry(msgspec.Struct, frozen=True, tag="entry"):
    """A commit or a mark, and when (Unix seconds)."""

    at: float
    what: Commit | Mark


class Adopted(msgspec.Struct, frozen=True, tag="adopted"):
    people: list[Participant]


class Trimmed(msgspec.Struct, frozen=True, tag="trimmed"):
    upto: int


class FileSeen(msgspec.Struct, frozen=True, tag="file"):
    unique: str
    bot: BotId
    file_id: str | None


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """Everything. Instead of all that happened before it."""

    generation: str
    journal_end: int
    journal: list[tuple[int, Fact]]
    people: list[Participant]
    chats: dict[ChatId, tuple[float, list[Copied], list[Copied], list[tuple[PersonId, MessageRef]]]]
    outbox: list[Outgoing]
    done: list[Block]
    files: list[tuple[str, BotId, str]]
    newborn: bool = False


Record = Begun | Entry | Adopted | Trimmed | FileSeen | Snapshot


class MemoryStore:
    """See the port for what it promises. `rng` names the store's life; `clock` dates what expires."""

    def __init__(self, log: Log, clock: Clock, rng: Random) -> None:
        self._log = log
        self._clock = clock
        self._encoder = msgspec.msgpack.Encoder()
        self._generation = ""
        self._people: dict[PersonId, Participant] = {}
        self._touched: dict[PersonId, float] = {}
        self._dirty: dict[PersonId, int] = {}
        self._chats: dict[ChatId, ChatMap] = {}
        self._tickets = Tickets()
        self._outbox: dict[str, Outgoing] = {}
        self._done = DoneMarks()
        self._journal: deque[tuple[int, Fact]] = deque()
        self._journal_end = 0
        self._files: dict[tuple[str, BotId], str] = {}
        self._expired_at = clock.monotonic()
        self._newborn = True
        self._compact_size = 0
        decoder = msgspec.msgpack.Decoder(Record)
        for record in log.records():
            self._replay(decoder.decode(record), len(record))
        if not self._generation:
            self._generation = f"{rng.getrandbits(64):016x}"
            self._write(Begun(self._generation))

    @property
    def generation(self) -> str:
        return self._generation

    @property
    def newborn(self) -> bool:
        return self._newborn

    # ------------------------------------------------------------------ reading

    async def load(self, person: PersonId, about: MessageRef | None = None) -> Facts | None:
        me = self._people.get(person)
        if me is None:
            return None
        self._touched[person] = self._clock.monotonic()
        state = me.state
        if not isinstance(state, Chatting):
            return Facts(me)
        chat = self._chats.get(state.chat)
        counterpart = chat.find(about) if chat is not None and about is not None else None
        anchor = chat.anchors.get(person) if chat is not None else None
        return Facts(me, self._people.get(state.partner), counterpart, anchor)

    async def counterpart(self, chat: ChatId, about: MessageRef) -> Counterpart | None:
        found = self._chats.get(chat)
        return found.find(about) if found is not None else None

    async def done(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        return {update for update in updates if UpdateRef(bot, update) in self._done}

    async def open_chats(self, chats: Iterable[ChatId]) -> set[ChatId]:
        return {chat for chat in chats if chat in self._chats}

    async def tickets(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        return await self._tickets.feed(pool, cursor, wait_s)

    async def pools(self) -> set[PoolId]:
        return self._tickets.pools()

    async def outbox(self) -> list[Outgoing]:
        return list(self._outbox.values())

    async def journal(self, after: int, limit: int) -> list[tuple[int, Fact]]:
        if not self._journal:
            return []
        skip = max(0, after + 1 - self._journal[0][0])
        return list(islice(self._journal, skip, skip + limit))

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        return self._files.get((unique, bot))

    # ------------------------------------------------------------------ writing

    async def adopt(self, participants: Sequence[Participant]) -> None:
        strangers = [each for each in participants if each.person not in self._people]
        busy = [each for each in strangers if not isinstance(each.state, Idle)]
        if busy or self._newborn:
            self._write(Adopted(busy))  # the idle are in the records as well
        self._newborn = False
        self._welcome(strangers)

    async def commit(self, commit: Commit) -> Committed:
        updates = commit.updates
        if updates and all(ref in self._done for ref in updates):
            return Committed.ALREADY_DONE
        for put in commit.puts:
            held = self._people.get(put.person)
            if (held.version if held is not None else 0) != put.version - 1:
                return Committed.STALE
        entry = Entry(self._clock.now(), commit)
        self._write(entry)
        self._apply(entry)
        return Committed.YES

    async def mark(self, mark: Mark) -> None:
        entry = Entry(self._clock.now(), mark)
        self._write(entry)
        self._apply(entry)

    async def trim_journal(self, upto: int) -> None:
        self._write(Trimmed(upto))
        self._trim(upto)

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        self._write(FileSeen(unique, bot, file_id))
        self._see_file(unique, bot, file_id)

    async def sweep(self) -> None:
        """Expire (once a minute), sync, and rewrite the log where it is worth it. Meant to be called every second."""
        monotonic = self._clock.monotonic()
        if monotonic - self._expired_at >= EXPIRE_EVERY_S:
            self._expired_at = monotonic
            self._expire(self._clock.now(), monotonic - IDLE_KEPT_S)
        try:
            if self._log.size > max(REWRITE_BYTES, REWRITE_FACTOR * self._compact_size):
                self._log.rewrite([self._encoder.encode(self._snapshot())])
                self._compact_size = self._log.size
            await self._log.sync()
        except OSError as error:
            raise LiveStoreLost(type(error).__name__) from None

    def _expire(self, now: float, idle_before: float) -> None:
        self._done.sweep(now)
        for chat in self._chats.values():
            chat.turn(now)
        for person in [person for person, at in self._touched.items() if at < idle_before]:
            if isinstance(self._people[person].state, Idle) and person not in self._dirty:
                del self._people[person], self._touched[person]

    async def aclose(self) -> None:
        try:
            await self._log.sync()
        except OSError as error:
            raise LiveStoreLost(type(error).__name__) from None
        finally:
            self._log.close()

    def _write(self, record: Record) -> None:
        try:
            self._log.append(self._encoder.encode(record))
        except OSError as error:
            raise LiveStoreLost(type(error).__name__) from None

    # ------------------------------------------------------------------ applying, now and in a replay

    def _apply(self, entry: Entry) -> None:
        match entry.what:
            case Commit() as commit:
                self._apply_commit(commit, entry.at)
            case Mark() as mark:
                self._apply_mark(mark, entry.at)

    def _apply_commit(self, commit: Commit, at: float) -> None:
        for ref in commit.updates:
            self._done.add(ref, at)
        for chat in commit.ended:
            self._chats.pop(chat, None)
        self._take_in(commit.puts)
        for outgoing in commit.outbox:
            self._outbox[outgoing.id] = outgoing
        for id_ in commit.sent:
            self._outbox.pop(id_, None)
        for fact in commit.facts:
            self._journal_end += 1
            self._journal.append((self._journal_end, fact))
        for put in commit.puts:
            self._dirty[put.person] = self._journal_end

    def _apply_mark(self, mark: Mark, at: float) -> None:
        for ref in mark.updates:
            self._done.add(ref, at)
        for id_ in mark.sent:
            self._outbox.pop(id_, None)
        if mark.pairs and mark.chat is not None and (chat := self._chats.get(mark.chat)) is not None:
            chat.turn(at)
            _remember(chat.young, mark.pairs)
        anchor = mark.anchor
        if anchor is not None and (chat := self._chats.get(anchor.chat)) is not None:
            chat.anchors.setdefault(anchor.person, anchor.at)

    def _take_in(self, people: Iterable[Participant]) -> None:
        touched = self._clock.monotonic()
        for person in people:
            before = self._people.get(person.person)
            self._people[person.person] = person
            self._touched[person.person] = touched
            self._tickets.note(before, person)
            if isinstance(person.state, Chatting) and person.state.chat not in self._chats:
                self._chats[person.state.chat] = ChatMap(turned_at=person.state.opened_at)

    def _welcome(self, people: Iterable[Participant]) -> None:
        """Take in people of the records, which do not know by what message they were told of their chat."""
        self._take_in(people)
        for person in people:
            if isinstance(person.state, Chatting):
                self._chats[person.state.chat].anchors.setdefault(person.person, NOWHERE)

    def _trim(self, upto: int) -> None:
        while self._journal and self._journal[0][0] <= upto:
            self._journal.popleft()
        for person in [person for person, number in self._dirty.items() if number <= upto]:
            del self._dirty[person]

    def _see_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        self._files.pop((unique, bot), None)
        if file_id is not None:
            self._files[unique, bot] = file_id
            if len(self._files) > FILES_KEPT:
                del self._files[next(iter(self._files))]

    def _replay(self, record: Record, size: int) -> None:
        match record:
            case Begun(generation=generation):
                self._generation = generation
            case Entry() as entry:
                self._apply(entry)
            case Adopted(people=people):
                self._newborn = False
                self._welcome(people)
            case Trimmed(upto=upto):
                self._trim(upto)
            case FileSeen(unique=unique, bot=bot, file_id=file_id):
                self._see_file(unique, bot, file_id)
            case Snapshot() as snapshot:
                self._restore(snapshot)
                self._compact_size = size

    # ------------------------------------------------------------------ snapshots

    def _snapshot(self) -> Snapshot:
        def flat(half: dict[MessageRef, Counterpart]) -> list[Copied]:
            return [Copied(source, copy.at, copy.print) for source, copy in half.items() if copy.mine]

        return Snapshot(
            self._generation,
            self._journal_end,
            list(self._journal),
            [each for each in self._people.values() if not isinstance(each.state, Idle) or each.person in self._dirty],
            {
                id_: (chat.turned_at, flat(chat.young), flat(chat.old), list(chat.anchors.items()))
                for id_, chat in self._chats.items()
            },
            list(self._outbox.values()),
            self._done.dump(),
            [(unique, bot, file_id) for (unique, bot), file_id in self._files.items()],
            self._newborn,
        )

    def _restore(self, snapshot: Snapshot) -> None:
        def pairs(flat: list[Copied]) -> dict[MessageRef, Counterpart]:
            half: dict[MessageRef, Counterpart] = {}
            _remember(half, flat)
            return half

        self._generation = snapshot.generation
        self._newborn = snapshot.newborn
        self._journal_end = snapshot.journal_end
        self._journal.extend(snapshot.journal)
        self._take_in(snapshot.people)
        self._dirty = {each.person: snapshot.journal_end for each in snapshot.people}
        self._chats = {
            id_: ChatMap(turned_at, pairs(young), pairs(old), dict(anchors))
            for id_, (turned_at, young, old, anchors) in snapshot.chats.items()
        }
        self._outbox = {outgoing.id: outgoing for outgoing in snapshot.outbox}
        self._done.restore(snapshot.done)
        self._files = {(unique, bot): file_id for unique, bot, file_id in snapshot.files}


def _remember(half: dict[MessageRef, Counterpart], pairs: Iterable[Copied]) -> None:
    for pair in pairs:
        half[pair.source] = Counterpart(pair.copy, mine=True, print=pair.print)
        half[pair.copy] = Counterpart(pair.source, mine=False)
