"""The memory store's state with its log: open, write, sync, rewrite.

Every change of the state is a record of the log (see `history`), and is written before the state is touched. A commit
is checked, logged and applied without an `await` in between; that makes it atomic. It then waits for the disk before it
returns, so nobody is told anything that a power cut could undo. All commits that wait at the same time share one sync.
Marks do not wait: they are synced within a second, and a lost mark costs a duplicate message.

Every change makes the log longer. If the log is much larger than the data, it is rewritten as one `Snapshot`. In a
quiet second this happens earlier, because then nobody has to wait for it.
"""

import errno
from collections import deque
from collections.abc import Iterable
from random import Random
from typing import Final

import msgspec

from passerby.adapters.memory.delivered import ROOM
from passerby.adapters.memory.frames import Hole
from passerby.adapters.memory.history import TOLD_BACK, Begun, Ended, Logged, Marked, Record, Snapshot, Trimmed, touches
from passerby.adapters.memory.leases import WorkerTable
from passerby.adapters.memory.log import Log
from passerby.adapters.memory.shared_budgets import Buckets
from passerby.adapters.memory.state import State
from passerby.adapters.memory.tickets import TicketPools
from passerby.kernel.ids import PersonId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.doubts import Doubts
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.soon import Soon

REWRITE_BYTES = 16 << 20
"""While the log grows, it is not rewritten below this size: replaying it takes well under a second."""

QUIET_BYTES = 256 << 10
QUIET_FACTOR = 2
"""The limits if nothing has been written since the last check."""

SMALL_BYTES = 1 << 20
SMALL_EVERY_S = 30.0
"""The quiet limits also hold if the last snapshot is this small, because writing another takes a few milliseconds.
But at most once in this time."""

REWRITE_FACTOR = 4
EXPIRE_EVERY_S = 60.0
CLOCK_SET_S = 60.0
"""If wall time and monotonic time differ by this much since the last check, somebody has set the machine's clock."""


class LoggedStore:
    """`rng` names the generations; `clock` dates what expires. `boot` names the time since the machine was started:
    until its next start, nothing that was written is lost."""

    def __init__(self, log: Log, clock: Clock, rng: Random, boot: str = "") -> None:
        self._log = log
        self._clock = clock
        self._rng = rng
        self._encoder = msgspec.msgpack.Encoder()
        self._worker_table = WorkerTable(int(clock.now() * 1000))
        self._expired_at = clock.monotonic()
        self._looked_at = clock.now(), clock.monotonic()
        self._refusal: LiveStoreLost | None = None
        self._compact_size = self._seen_size = 0
        self._rewritten_at = clock.monotonic()
        self._marks: list[tuple[Mark, Soon[None]]] = []
        """Not written yet. All marks of one turn of the event loop are written together."""
        self._delivered: deque[UpdateRef] = deque(maxlen=ROOM)
        """Updates that were delivered and are not noted beside the log yet."""
        self._touched_lately: deque[tuple[PersonId, ...]] = deque(maxlen=TOLD_BACK)
        self.generation = ""
        self._state: State
        self._begin_empty("", TicketPools())
        ended = self._replay_all(log.records())
        self.marks_since: str | None = None if self._doubts.is_damaged or self._doubts.is_unsure else boot
        if not ended:
            self._state.done.add_all(log.delivered(clock.now()), clock.now())
            self._note_delivered()  # the run before may have noted no more
        # The newest numbers of the journal may be lost, or somebody has put back a file that lacks them. So each run is
        # a generation, with numbers of its own.
        self.generation = self._new_name()
        self._state.begin(self.generation, newborn=self._state.newborn)
        self._write(Begun(self.generation, self._state.newborn))

    def _begin_empty(self, generation: str, tickets: TicketPools) -> None:
        self.generation = generation
        self._state = State(self._clock, generation, tickets)
        self._buckets = Buckets()
        self._doubts: Doubts = Doubts()
        self._refusing = False
        self._roll = set[WorkerId]()

    def _replay_all(self, records: Iterable[bytes | Hole]) -> bool:
        """Replay the log. Returns whether it is complete and was closed properly."""
        decoder = msgspec.msgpack.Decoder(Logged)
        what: Record | None = None
        hole: Hole | None = None
        is_damaged = False
        everybody, people = False, set[PersonId]()
        is_first = True
        for data in records:
            if isinstance(data, Hole):
                hole, what, is_damaged = data, None, True
                people.update(hole.people)
                continue
            try:
                logged = decoder.decode(data)
            except msgspec.DecodeError:  # valid, but not written by this release
                everybody, what, is_damaged = True, None, True
                continue
            what = logged.what
            if is_first and hole is None and not isinstance(what, Begun | Snapshot):
                # Somebody has emptied the file while we wrote to it. Nothing else says what was before this record.
                everybody = is_damaged = True
            is_first = False
            if hole is not None:
                # If the hole held a snapshot, or more records than the next one tells about, it may concern anybody.
                # If it has no bytes, the next record was written without knowing about it.
                everybody = everybody or not (hole.at and hole.size) or hole.lost is None or hole.lost > TOLD_BACK
                people.update(logged.touched)
                hole = None
            self._state.replay(what)
            if isinstance(what, Marked):
                self._delivered += what.delivered
            if isinstance(what, Snapshot):
                self._compact_size = len(data)
            self._touched_lately.append(touches(what))
        self._doubts = Doubts(everybody or hole is not None, frozenset(people), is_damaged)
        return isinstance(what, Ended) and not self._doubts

    def _new_name(self) -> str:
        return f"{self._rng.getrandbits(64):016x}"

    @property
    def is_superseded(self) -> bool:
        return False  # while it is open, no other process uses it

    @property
    def refusal(self) -> LiveStoreLost | None:
        """Why the last record could not be stored. None: nothing is wrong with the disk."""
        return self._refusal

    @property
    def newborn(self) -> bool:
        return self._state.newborn

    @property
    def doubts(self) -> Doubts:
        return self._doubts

    def distrust(self) -> None:
        """Somebody else has served with a copy of the files: nobody knows who has left whom."""
        self._doubts = self._doubts._replace(everybody=True)
        self.marks_since = None

    def wipe(self) -> None:
        """Lose everything and begin a new generation, like a server that comes back empty. For tests.

        Raises: LiveStoreLost, if the log cannot be written; then nothing was lost.
        """
        generation = self._new_name()
        try:
            self._log.rewrite([self._encoder.encode(Logged([], Begun(generation)))])
        except OSError as error:
            raise LiveStoreLost(type(error).__name__) from None
        self._compact_size = 0
        self._begin_empty(generation, self._state.tickets.successor())
        self.marks_since = generation
        self._refusing = True

    def _check(self) -> None:
        """Raises: LiveStoreLost, if the store was wiped and is not rebuilt yet."""
        if self._refusing:
            raise self._wiped()

    def _wiped(self) -> LiveStoreLost:
        return LiveStoreLost("wiped, and not yet rebuilt")

    async def sweep(self) -> None:
        """Expire (once a minute), sync, and rewrite the log if that saves space or repairs it. Call it every second."""
        self._check()
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._note_delivered()
        self._follow_clock(now, monotonic)
        if monotonic - self._expired_at >= EXPIRE_EVERY_S:
            self._expired_at = monotonic
            self._state.expire(now, monotonic)
            self._buckets.sweep(monotonic)
        if self._is_worth_rewriting():
            self._rewrite()
        elif self._refusal is not None:
            self._write(Trimmed(self._state.trimmed))  # changes nothing; tries whether the disk accepts writes again
        await self._durable()

    def _note_delivered(self) -> None:
        if self._delivered:
            self._log.note_delivered(tuple(self._delivered), self._clock.now())
            self._delivered.clear()

    def _follow_clock(self, now: float, monotonic: float) -> None:
        """If the machine's clock was set, move all dates along with it, because no time has passed.

        Otherwise done marks of seconds ago would be a year old, and updates on their way would be handled twice.
        """
        by_s = (now - self._looked_at[0]) - (monotonic - self._looked_at[1])
        self._looked_at = now, monotonic
        if abs(by_s) <= CLOCK_SET_S:
            return
        self._state.redate(by_s)
        self._rewrite()  # because the records of the log carry the former dates

    def _is_worth_rewriting(self) -> bool:
        size, is_quiet = self._log.size, self._log.size == self._seen_size
        self._seen_size = size
        is_cheap = self._compact_size <= SMALL_BYTES and self._clock.monotonic() - self._rewritten_at >= SMALL_EVERY_S
        return (
            self._log.is_broken
            or self._state.has_erased
            or size > max(REWRITE_BYTES, REWRITE_FACTOR * self._compact_size)
            or ((is_quiet or is_cheap) and size > max(QUIET_BYTES, QUIET_FACTOR * self._compact_size))
        )

    def _rewrite(self, *, keep_former: bool = False) -> None:
        snapshot = self._encoder.encode(Logged([], self._state.snapshot()))
        try:
            self._log.rewrite([snapshot], keep_former=keep_former)
        except OSError as error:
            raise _lost(error) from None
        self._state.has_erased = False
        self._compact_size = self._log.size
        self._rewritten_at = self._clock.monotonic()
        self._touched_lately.clear()

    def _write(self, record: Record) -> None:
        lately = [person for touched in self._touched_lately for person in touched]
        touched = touches(record)
        try:
            self._log.append(self._encoder.encode(Logged(lately, record)), touched)
        except OSError as error:
            self._refusal = _lost(error)
            raise self._refusal from None
        self._refusal = None
        self._touched_lately.append(touched)

    async def _durable(self) -> None:
        """Return when everything stored so far is on the disk."""
        try:
            await self._log.sync()
        except OSError as error:
            self._refusal = _lost(error)
            raise self._refusal from None

    async def aclose(self) -> None:
        try:
            if self._log.is_broken:
                self._rewrite()
            await self._durable()
            self._write(Ended())
            await self._durable()
        finally:
            self._log.close()


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
