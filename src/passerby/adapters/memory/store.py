"""`LiveStore` for one process.

Everything is a dict, and everything that changes one is a record of the log (see `history`), written before the dicts
are touched. So the store after a crash is the log replayed: `_replay` and the live path share `_apply`, and there is no
other way in.

A commit is checked, logged and applied without an `await` in between; that is the whole of its atomicity. Then it waits
for the disk before it returns, so nobody is told anything that a power cut could undo. All commits that wait at the
same time share one sync. Marks do not wait: they are synced within a second, and a lost one costs a duplicate.

Every change makes the log grow. When it is much larger than the data, it is rewritten as one `Snapshot`; in a quiet
second earlier than that, because then nobody has to wait.
"""

import errno
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Final

import msgspec

from passerby.adapters.memory.chats import Chats
from passerby.adapters.memory.crashes import Crashes
from passerby.adapters.memory.done import DoneMarks
from passerby.adapters.memory.history import (
    TOLD_BACK,
    Adopted,
    Begun,
    Crashed,
    Ended,
    Entry,
    FileSeen,
    Inherited,
    Logged,
    Record,
    Sighted,
    Snapshot,
    Trimmed,
    touches,
)
from passerby.adapters.memory.leases import WorkerTable
from passerby.adapters.memory.log import Hole, Log
from passerby.adapters.memory.outbox import OutboxEntries
from passerby.adapters.memory.shared_budgets import Buckets
from passerby.adapters.memory.sightings import Sightings
from passerby.adapters.memory.tickets import Tickets
from passerby.kernel.decision import Counterpart, Facts
from passerby.kernel.ids import BotId, ChatId, MessageRef, PersonId, PoolId, UpdateRef
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.ports.clock import Clock
from passerby.ports.done_marks import Known
from passerby.ports.doubts import Doubts, Held
from passerby.ports.facts import Fact
from passerby.ports.idle_chats import IdleChat
from passerby.ports.leases import Fence, Fenced, LeaseName, Members, WorkerId
from passerby.ports.live_store import Figures, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Outgoing
from passerby.ports.participants import Commit, Committed
from passerby.ports.shared_budgets import Account, Grant
from passerby.ports.tickets import TicketFeed
from passerby.ports.trails import Trail, trail_of

REWRITE_BYTES = 16 << 20
"""A smaller log is not rewritten while it grows: replaying it takes well under a second."""

QUIET_BYTES = 256 << 10
QUIET_FACTOR = 2
"""The same limit if nothing has been written since the last check."""

SMALL_BYTES = 1 << 20
SMALL_EVERY_S = 30.0
"""And where the last snapshot is small, so that writing another takes a few milliseconds: at most so often."""

REWRITE_FACTOR = 4
EXPIRE_EVERY_S = 60.0
CLOCK_SET_S = 60.0
"""The clock was set if wall time and monotonic time have passed so differently since the last look."""

IDLE_KEPT_S = 600.0
FILES_KEPT = 100_000
JOURNAL_BOUND: Final = 1_000_000
"""Facts. As many as come in some hours of a hundred a second; about half a gigabyte."""


class MemoryStore:
    """See the port for what it promises. `rng` names the store's generation; `clock` dates what expires.

    A journal of `journal_bound` facts takes no commit that brings more. Marks may bring theirs: there are no more of
    those than notices of commits that were taken.
    """

    def __init__(self, log: Log, clock: Clock, rng: Random, *, journal_bound: int = JOURNAL_BOUND) -> None:
        self._log = log
        self._clock = clock
        self._rng = rng
        self._journal_bound = journal_bound
        self._encoder = msgspec.msgpack.Encoder()
        self._tickets = Tickets()
        self._worker_table = WorkerTable(int(clock.now() * 1000))
        self._expired_at = clock.monotonic()
        self._looked_at = clock.now(), clock.monotonic()
        self._refused = False
        self._compact_size = self._seen_size = 0
        self._rewritten_at = clock.monotonic()
        self._touched_lately: deque[tuple[PersonId, ...]] = deque(maxlen=TOLD_BACK)
        self._be_empty("")
        ended = self._replay_all(log.records())
        if not ended:
            # The newest numbers of the journal may be lost, so a new generation begins, with numbers of its own.
            self._generation = self._new_name()
            self._trimmed = 0
            self._write(Begun(self._generation, self._newborn))

    def _replay_all(self, records: Iterable[bytes | Hole]) -> bool:
        """Replay the log. Returns whether it is complete and was closed in good order."""
        decoder = msgspec.msgpack.Decoder(Logged)
        what: Record | None = None
        hole: Hole | None = None
        is_damaged = False
        everybody, people = False, set[PersonId]()
        for data in records:
            if isinstance(data, Hole):
                hole, what, is_damaged = data, None, True
                continue
            try:
                logged = decoder.decode(data)
            except msgspec.DecodeError:  # valid, but not written by this release
                everybody, what, is_damaged = True, None, True
                continue
            what = logged.what
            if hole is not None:
                # The hole held a snapshot, or more records than the next one tells about: nobody knows whom it
                # concerns.
                everybody = everybody or hole.at == 0 or hole.lost is None or hole.lost > TOLD_BACK
                people.update(logged.touched)
                hole = None
            self._replay(what, len(data))
            self._touched_lately.append(touches(what))
        self._doubts = Doubts(everybody or hole is not None, frozenset(people), is_damaged)
        return isinstance(what, Ended) and not self._doubts

    def _be_empty(self, generation: str) -> None:
        self._generation = generation
        self._newborn = True
        self._refusing = False
        self._people: dict[PersonId, Participant] = {}
        self._touched: dict[PersonId, float] = {}
        self._dirty: dict[PersonId, int] = {}
        self._chats = Chats()
        self._outbox = OutboxEntries()
        self._done = DoneMarks()
        self._crashes = Crashes()
        self._journal: deque[tuple[int, Fact]] = deque()
        self._journal_end = 0
        self._trimmed = 0
        self._doubts = Doubts()
        self._files: dict[tuple[str, BotId], str] = {}
        self._sightings = Sightings()
        self._buckets = Buckets()

    def _new_name(self) -> str:
        return f"{self._rng.getrandbits(64):016x}"

    @property
    def generation(self) -> str:
        return self._generation

    @property
    def newborn(self) -> bool:
        return self._newborn

    @property
    def doubts(self) -> Doubts:
        return self._doubts

    def wipe(self) -> None:
        """Lose everything and begin a new generation, as a server does that comes back empty: for trying what happens
        then.

        Raises: LiveStoreLost, if the log cannot be written; then nothing was lost.
        """
        generation = self._new_name()
        try:
            self._log.rewrite([self._encoder.encode(Logged([], Begun(generation)))])
        except OSError as error:
            raise LiveStoreLost(type(error).__name__) from None
        self._compact_size = 0
        self._be_empty(generation)
        self._refusing = True
        self._tickets = self._tickets.successor()

    def _check(self) -> None:
        """Whether we are of use. Raises: LiveStoreLost."""
        if self._refusing:
            raise LiveStoreLost("wiped, and not yet rebuilt")

    # ------------------------------------------------------------------ reading

    async def load(self, person: PersonId, about: MessageRef | None = None) -> Facts | None:
        self._check()
        me = self._people.get(person)
        if me is None:
            return None
        self._touched[person] = self._clock.monotonic()
        state = me.state
        if not isinstance(state, Chatting):
            return Facts(me, anchor=self._chats.search_anchor(person)) if isinstance(state, Searching) else Facts(me)
        partner, chat = self._people.get(state.partner), self._chats.get(state.chat)
        if chat is None:
            return Facts(me, partner)
        counterpart = chat.find(about) if about is not None else None
        return Facts(me, partner, counterpart, chat.anchors.get(person), chat.anchors.get(state.partner))

    async def counterpart(self, chat: ChatId, about: MessageRef) -> Counterpart | None:
        self._check()
        found = self._chats.get(chat)
        return found.find(about) if found is not None else None

    async def done(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        self._check()
        found = {update for update in updates if UpdateRef(bot, update) in self._done}
        if found:
            await self._durable()  # a commit may not be synced yet, and Telegram is told next
        return found

    async def claim_doubts(self, worker: WorkerId, ttl_s: float) -> bool:
        return True  # nobody else is here

    async def everybody(self) -> list[Held]:
        return list((await self.held(tuple(self._people))).values())

    async def held(self, persons: Sequence[PersonId]) -> dict[PersonId, Held]:
        people = self._people
        return {each: Held(people[each], each not in self._dirty) for each in persons if each in people}

    async def known(self, bot: BotId, updates: Iterable[int]) -> Known:
        updates = tuple(updates)
        return Known(await self.done(bot, updates), self._crashes.of(bot, updates))

    async def open_chats(self, chats: Iterable[ChatId]) -> set[ChatId]:
        self._check()
        return {chat for chat in chats if chat in self._chats}

    async def idle_chats(self, since: float, limit: int) -> list[IdleChat]:
        self._check()
        return list(self._chats.quiet(since, limit))

    async def told(self, chat: ChatId, person: PersonId) -> bool:
        self._check()
        return self._chats.is_told(chat, person) or not self._outbox.will_tell(chat, person)

    async def tickets(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        self._check()
        tickets = self._tickets
        feed = await tickets.feed(pool, cursor, wait_s)
        if tickets is not self._tickets:
            raise LiveStoreLost("wiped meanwhile")
        return feed

    async def pools(self) -> set[PoolId]:
        self._check()
        return self._tickets.pools()

    async def outbox(self, owner: WorkerId) -> list[Outgoing]:
        self._check()
        return self._outbox.of(owner)

    async def is_preceded(self, entry: str) -> bool:
        self._check()
        return self._outbox.is_preceded(entry)

    async def trail(self, person: PersonId) -> list[Trail]:
        self._check()
        return [each for each in self._outbox.addressed_to(trail_of(person)) if isinstance(each, Trail)]

    async def journal(self, after: int, limit: int) -> list[tuple[int, Fact]]:
        self._check()
        if not self._journal:
            return []
        skip = max(0, after + 1 - self._journal[0][0])
        found = list(islice(self._journal, skip, skip + limit))
        if found:
            await self._durable()
        return found

    async def trimmed(self) -> int:
        self._check()
        return self._trimmed

    async def figures(self) -> Figures:
        self._check()
        return Figures(self._tickets.waiting, len(self._chats), len(self._outbox), len(self._journal))

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        self._check()
        return self._files.get((unique, bot))

    # ------------------------------------------------------------------ writing

    async def adopt(
        self, participants: Sequence[Participant], *, anchors: Sequence[Anchor] = (), whole: bool = False
    ) -> None:
        if not whole:
            self._check()
        at = self._clock.now()
        strangers = [each for each in participants if each.person not in self._people]
        busy = [each for each in strangers if not isinstance(each.state, Idle)]
        if busy or (whole and self._newborn):
            self._write(Adopted(at, busy, list(anchors), whole))  # the idle are in the records as well
        self._welcome(strangers, anchors, at)
        if whole:
            self._newborn = False
            if self._doubts:
                self._rewrite(keep_former=True)
                self._doubts = Doubts()
        if self._refusing:
            self._refusing = False
            epoch = max(self._worker_table.epoch, int(at * 1000))
            self._worker_table = WorkerTable(epoch, wiped_at=self._clock.monotonic())

    async def commit(self, commit: Commit) -> Committed:
        self._check()
        if commit.fences:
            self._check_fences(commit.fences)
        updates = commit.updates
        if updates and all(ref in self._done for ref in updates):
            await self._durable()
            return Committed.ALREADY_DONE
        replaced = () if commit.repairs else ((put.person, put.version - 1) for put in commit.puts)
        for person, version in (*replaced, *commit.seen):
            held = self._people.get(person)
            if (held.version if held is not None else 0) != version:
                return Committed.STALE
        if commit.facts and len(self._journal) + len(commit.facts) > self._journal_bound:
            raise LiveStoreLost("the journal is full")
        entry = Entry(self._clock.now(), commit, self._journal_end + 1)
        self._write(entry)
        self._apply(entry)
        if commit.puts or commit.outbox:
            await self._durable()
        return Committed.YES

    async def mark(self, mark: Mark) -> None:
        self._check()
        if mark.fences:
            self._check_fences(mark.fences)
        entry = Entry(self._clock.now(), mark, self._journal_end + 1)
        self._write(entry)
        self._apply(entry)

    def _check_fences(self, fences: Iterable[Fence]) -> None:
        for fence in fences:
            if self._worker_table.is_fenced(fence):
                raise Fenced

    async def inherit(self, heir: WorkerId) -> list[Outgoing]:
        self._check()
        now = self._clock.monotonic()
        dead = self._outbox.owners(lambda owner: owner != heir and not self._worker_table.is_living(owner, now))
        if not dead:
            return []
        self._write(Inherited(dead, heir))
        self._worker_table.evict(dead)
        return self._outbox.hand_over(dead, heir)

    async def trim_journal(self, upto: int, generation: str) -> None:
        self._check()
        if generation == self._generation:
            self._write(Trimmed(upto))
            self._trim(upto)

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        self._check()
        self._write(FileSeen(unique, bot, file_id))
        self._see_file(unique, bot, file_id)

    async def sight(self, marks: Sequence[int]) -> int:
        self._check()
        at = self._clock.now()
        if not self._sightings.has(marks, at):
            self._write(Sighted(at, list(marks)))
            self._sightings.note(marks, at)
        return self._sightings.least(marks, at)

    async def record_crash(self, updates: Iterable[UpdateRef], crash: str) -> None:
        self._check()
        crashed = Crashed(self._clock.now(), list(updates), crash)
        self._write(crashed)
        self._crashes.add(crashed.refs, crash, crashed.at)

    async def sweep(self) -> None:
        """Expire (once a minute), sync, and rewrite the log if that saves space or repairs it. Meant to be called every
        second."""
        self._check()
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._heed_clock(now, monotonic)
        if monotonic - self._expired_at >= EXPIRE_EVERY_S:
            self._expired_at = monotonic
            self._expire(now, monotonic)
        if self._is_worth_rewriting():
            self._rewrite()
        elif self._refused:
            self._write(Trimmed(self._trimmed))  # whether the disk takes something again
        await self._durable()

    def _heed_clock(self, now: float, monotonic: float) -> None:
        """If the machine's clock was set, move what expires along with it: no time has passed, so nothing is older.

        Otherwise done marks of seconds ago would be a year old, and what is on its way would be done twice.
        """
        by_s = (now - self._looked_at[0]) - (monotonic - self._looked_at[1])
        self._looked_at = now, monotonic
        if abs(by_s) <= CLOCK_SET_S:
            return
        self._done.redate(by_s)
        self._crashes.redate(by_s)
        self._chats.redate(by_s)
        self._rewrite()  # because the records of the log carry the former dates

    def _is_worth_rewriting(self) -> bool:
        size, is_quiet = self._log.size, self._log.size == self._seen_size
        self._seen_size = size
        is_cheap = self._compact_size <= SMALL_BYTES and self._clock.monotonic() - self._rewritten_at >= SMALL_EVERY_S
        return (
            self._log.is_broken
            or size > max(REWRITE_BYTES, REWRITE_FACTOR * self._compact_size)
            or ((is_quiet or is_cheap) and size > max(QUIET_BYTES, QUIET_FACTOR * self._compact_size))
        )

    def _rewrite(self, *, keep_former: bool = False) -> None:
        snapshot = self._encoder.encode(Logged([], self._snapshot()))
        try:
            self._log.rewrite([snapshot], keep_former=keep_former)
        except OSError as error:
            raise _lost(error) from None
        self._compact_size = self._log.size
        self._rewritten_at = self._clock.monotonic()
        self._touched_lately.clear()

    async def _durable(self) -> None:
        """Return when everything that is stored so far is on the disk."""
        try:
            await self._log.sync()
        except OSError as error:
            raise _lost(error) from None

    def _expire(self, now: float, monotonic: float) -> None:
        self._done.sweep(now)
        self._crashes.sweep(now)
        self._chats.turn(now)
        self._buckets.sweep(monotonic)
        idle_before = monotonic - IDLE_KEPT_S
        for person in [person for person, at in self._touched.items() if at < idle_before]:
            if isinstance(self._people[person].state, Idle) and person not in self._dirty:
                del self._people[person], self._touched[person]

    async def aclose(self) -> None:
        try:
            await self._durable()
            self._write(Ended())
            await self._durable()
        finally:
            self._log.close()

    def _write(self, record: Record) -> None:
        lately = [person for touched in self._touched_lately for person in touched]
        try:
            self._log.append(self._encoder.encode(Logged(lately, record)))
        except OSError as error:
            self._refused = True
            raise _lost(error) from None
        self._refused = False
        self._touched_lately.append(touches(record))

    # ------------------------------------------------------------------ leases and shared budgets

    async def heartbeat(self, worker: WorkerId, held: Mapping[LeaseName, int], ttl_s: float, report: bytes) -> Members:
        self._check()
        now = self._clock.monotonic()
        return self._worker_table.members(self._worker_table.heartbeat(worker, held, ttl_s, report, now), now)

    async def take(self, worker: WorkerId, lease: LeaseName, ttl_s: float) -> int | None:
        self._check()
        return self._worker_table.take(worker, lease, ttl_s, self._clock.monotonic())

    async def give(self, worker: WorkerId, lease: LeaseName, epoch: int) -> None:
        self._check()
        self._worker_table.give(worker, lease, epoch)

    async def leave(self, worker: WorkerId) -> None:
        self._check()
        self._worker_table.leave(worker)

    async def members(self) -> Members:
        self._check()
        return self._worker_table.members(frozenset(), self._clock.monotonic())

    async def reserve(self, account: Account, rate_per_s: float, burst: int, wanted: int) -> Grant:
        self._check()
        return self._buckets.reserve(account, rate_per_s, burst, wanted, self._clock.monotonic())

    async def hold(self, account: Account, wait_s: float) -> None:
        self._check()
        self._buckets.hold(account, wait_s, self._clock.monotonic())

    def is_held(self, account: Account) -> bool:
        return self._buckets.is_held(account, self._clock.monotonic())

    # ------------------------------------------------------------------ applying, now and in a replay

    def _apply(self, entry: Entry) -> None:
        # The same number as the first time, unless earlier facts were lost to damage.
        self._journal_end = entry.number - 1
        match entry.what:
            case Commit() as commit:
                self._apply_commit(commit, entry.at)
            case Mark() as mark:
                self._apply_mark(mark, entry.at)

    def _apply_commit(self, commit: Commit, at: float) -> None:
        for ref in commit.updates:
            self._done.add(ref, at)
        for chat in commit.ended:
            self._chats.end(chat)
        self._take_in(commit.puts, at)
        for outgoing in commit.outbox:
            self._outbox.put(outgoing, commit.owner)
        for id_ in commit.sent:
            self._outbox.settle(id_)
        self._tell_records(commit.facts)
        for put in commit.puts:
            self._dirty[put.person] = self._journal_end

    def _apply_mark(self, mark: Mark, at: float) -> None:
        for ref in mark.updates:
            self._done.add(ref, at)
        for id_ in mark.sent:
            self._outbox.settle(id_)
        if mark.chat is not None:
            self._chats.hear(mark.chat, mark.pairs, mark.speaker, at)
        if mark.anchor is not None and self._chats.anchor(mark.anchor):
            self._tell_records(mark.facts)

    def _tell_records(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._journal_end += 1
            self._journal.append((self._journal_end, fact))

    def _take_in(self, people: Iterable[Participant], at: float) -> None:
        touched = self._clock.monotonic()
        for person in people:
            before = self._people.get(person.person)
            self._people[person.person] = person
            self._touched[person.person] = touched
            self._tickets.note(before, person)
            self._chats.note(person, at)

    def _welcome(self, people: Sequence[Participant], anchors: Sequence[Anchor], at: float) -> None:
        self._take_in(people, at)
        self._chats.welcome(people, anchors)

    def _trim(self, upto: int) -> None:
        self._trimmed = max(self._trimmed, upto)
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
            case Begun(generation=generation, newborn=newborn):
                self._generation, self._newborn, self._trimmed = generation, newborn, 0
            case Ended():
                pass
            case Entry() as entry:
                self._apply(entry)
            case Adopted(at=at, people=people, anchors=anchors, whole=whole):
                self._welcome(people, anchors, at)
                self._newborn = self._newborn and not whole
            case Inherited(owners=owners, heir=heir):
                self._outbox.hand_over(owners, heir)
            case Trimmed(upto=upto):
                self._trim(upto)
            case FileSeen(unique=unique, bot=bot, file_id=file_id):
                self._see_file(unique, bot, file_id)
            case Sighted(at=at, marks=marks):
                self._sightings.note(marks, at)
            case Crashed(at=at, refs=refs, crash=crash):
                self._crashes.add(refs, crash, at)
            case Snapshot() as snapshot:
                self._restore(snapshot)
                self._compact_size = size

    # ------------------------------------------------------------------ snapshots

    def _snapshot(self) -> Snapshot:
        chats, searches = self._chats.dump()
        return Snapshot(
            self._generation,
            self._newborn,
            self._journal_end,
            self._trimmed,
            list(self._journal),
            [each for each in self._people.values() if not isinstance(each.state, Idle) or each.person in self._dirty],
            list(self._dirty.items()),
            chats,
            searches,
            self._outbox.dump(),
            self._done.dump(),
            [(unique, bot, file_id) for (unique, bot), file_id in self._files.items()],
            self._sightings.dump(),
            self._crashes.dump(),
        )

    def _restore(self, snapshot: Snapshot) -> None:
        self._generation = snapshot.generation
        self._newborn = snapshot.newborn
        self._journal_end, self._trimmed = snapshot.journal_end, snapshot.trimmed
        self._journal.extend(snapshot.journal)
        self._take_in(snapshot.people, 0.0)
        self._dirty = dict(snapshot.uncarried)
        self._chats.restore(snapshot.chats, snapshot.searches)
        self._outbox.restore(snapshot.outbox)
        self._done.restore(snapshot.done)
        self._crashes.restore(snapshot.crashes)
        self._files = {(unique, bot): file_id for unique, bot, file_id in snapshot.files}
        self._sightings.restore(snapshot.sightings)


_REFUSALS: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file may not grow any more",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk reports an error",
}


def _lost(error: OSError) -> LiveStoreLost:
    """A sentence for the operator about the disk's refusal."""
    known = _REFUSALS.get(error.errno or 0)
    return LiveStoreLost(known or f"the disk refuses: {error.strerror or type(error).__name__}")
