"""Cleans up what no other part does: outbox entries that no living worker sends, commits that were never answered, a
store that was wiped.

    inherit    the unsent entries of workers that died or left. One worker does it for all.
    recheck    entries of our own commits, or inherited ones, whose answer was lost. Every worker, for itself.
    rebuild    fill a new or wiped store with the people who are searching or chatting, and their anchors. Every worker
               may do it; several at once do no harm. Nothing else goes on before it is done.
    check      whether the live store and the records agree (see `reconciler`). One worker does it for all.
    sweep      remove what has expired. One worker does it for all.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from passerby.dialogue.keyboards import state_of
from passerby.kernel.participant import Chatting, Searching
from passerby.ports.clock import Clock
from passerby.ports.doubts import Doubts, StoredPerson
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.records import Records, RecordsDamaged, RecordsLost
from passerby.runtime.background.reconciler import Reconciler
from passerby.runtime.background.roll_call import RollCall
from passerby.telemetry import logs, metrics

INHERIT_EVERY_S = 2.0
SWEEP_EVERY_S = 1.0
ROLL_EVERY_S = 0.1
"""How often a worker looks whether all others have answered the roll call."""

LOOK_EVERY_S = 1.0
"""Also the time between the two looks of `recheck`: a commit is answered by then."""

CHECK_EVERY_S = 600.0
CHECK_AGAIN_S = 10.0
"""The pause after a check that failed or left something unsettled."""

CLAIM_S = 10.0
"""How long one worker may take to compare the stores before another one tries."""

UNCERTAIN_S = 15.0
"""How long after a commit without an answer the outbox is looked at: longer than one can be on its way."""

TakeUp = Callable[[Iterable[Outgoing]], Awaitable[None]]


class Janitor:
    """`take_up` sends entries that are not being sent. `uncertain_at` is when a commit was last left without an answer.

    `inheritance` is held while entries become ours and go to `take_up`. `faults` reports a lost store, and is shared
    with other users of the store. `alone`: no other process uses the live store.
    """

    def __init__(
        self,
        worker: WorkerId,
        store: LiveStore,
        records: Records,
        clock: Clock,
        take_up: TakeUp,
        is_known: Callable[[str], bool],
        uncertain_at: Callable[[], float],
        inheritance: Callable[[], AbstractContextManager[None]] = nullcontext,
        faults: logs.Faults | None = None,
        roll_call: RollCall | None = None,
        *,
        alone: bool = False,
    ) -> None:
        self._worker = worker
        self._store = store
        self._records = records
        self._clock = clock
        self._take_up = take_up
        self._is_known = is_known
        self._uncertain_at = uncertain_at
        self._reconciler = Reconciler(worker, store, records, clock, self._tell, self._note_unanswered, alone=alone)
        self.doubt = self._reconciler.doubt
        self.doubt_everybody = self._reconciler.doubt_everybody
        self._untold: list[Outgoing] | None = []
        self._checked_at = float("-inf")
        self._inheritance = inheritance
        self._unanswered_at = float("-inf")
        self._nobodys: set[str] = set()
        self._was_doubtful = False
        """Whether the store had doubts at the start."""
        self._generation = store.generation
        self._faults = faults or logs.Faults(clock.monotonic)
        self._steps = logs.Faults()
        self._is_waiting = False
        self._roll_call = roll_call or RollCall(worker, store, records, clock)

    async def serve_all(self) -> None:
        """Do what one worker does for the whole fleet, until cancelled."""
        last_inherited = float("-inf")
        while True:
            try:
                if self._clock.monotonic() - last_inherited >= INHERIT_EVERY_S:
                    last_inherited = self._clock.monotonic()
                    await self.inherit()
                    await self._measure()
                await self._store.sweep()
                if self._clock.monotonic() - self._checked_at >= CHECK_EVERY_S:
                    await self.check()
            except LiveStoreLost as error:
                self._faults.began("store", "store.lost", **logs.fields_of(error))
            else:
                self._faults.over("store", "store.back")
            await self._clock.sleep(SWEEP_EVERY_S)

    async def serve_itself(self) -> None:
        """Do what every worker does, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            while not await self.rebuild() and self._is_waiting:
                await self._clock.sleep(ROLL_EVERY_S)
            try:
                await self.recheck()
            except LiveStoreLost:
                continue  # the next read or write reports it

    async def inherit(self) -> None:
        with self._inheritance():
            try:
                entries = await self._store.inherit(self._worker)
                if entries:
                    logs.record("janitor.inherited", count=len(entries))
                    await self._take_up(await self._without_stale(entries))
            except LiveStoreLost:
                self._note_unanswered()
                raise

    async def _without_stale(self, entries: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """Leave out notices that tell somebody a state which is over.

        After a repair, its own notice is newer, and enough. After damage, the mark that such a notice was sent may be
        what is missing. It would come again, and say for example that the connection was lost to somebody who has a new
        partner by now. It was sent for certain if the notice of their present state was: notices keep their order.
        """
        repaired = {notice.to for notice in self._untold or () if isinstance(notice, Notice)}
        told = [each for each in entries if isinstance(each, Notice) and state_of(each.keyboard) is not None]
        stored = await self._store.stored(sorted({each.to for each in told})) if self._was_doubtful and told else {}
        over = {each.id for each in told if _is_over(each, stored.get(each.to))}
        untold = {each.to for each in told if each.id not in over}
        stale = {each.id for each in told if each.to in repaired or (each.id in over and each.to not in untold)}
        if stale:
            await self._store.mark(Mark(sent=tuple(stale)))
        return [each for each in entries if each.id not in stale]

    async def recheck(self) -> None:
        """Take up entries that were in our part of the outbox at two looks, while nothing here was sending them.

        This happens after a commit without an answer, if the store is lost while entries are taken up, and in a new
        generation: a store that has gone back in time has entries again that were already sent.
        """
        if self._store.generation != self._generation:
            self._generation = self._store.generation
            self._note_unanswered()
        if self._clock.monotonic() - max(self._uncertain_at(), self._unanswered_at) > UNCERTAIN_S:
            self._nobodys.clear()
            return
        strays = [entry for entry in await self._store.outbox(self._worker) if not self._is_known(entry.id)]
        found = [entry for entry in strays if entry.id in self._nobodys]
        self._nobodys = {entry.id for entry in strays}
        if found:
            logs.record("janitor.found", count=len(found))
            try:
                await self._take_up(found)
            except LiveStoreLost:
                self._note_unanswered()
                raise

    def _note_unanswered(self) -> None:
        """Some entries may be ours, and nothing here sends them."""
        self._unanswered_at = self._clock.monotonic()

    async def rebuild(self) -> bool:
        """Make a store that is new or damaged ready for use, with the help of the records.

        Returns whether it is ready, as far as is known. Raises: RecordsDamaged, while the process starts.
        """
        try:
            if not self._store.newborn and not self._store.doubts:
                await self._roll_call.hand_in()
                return True
            found = await self._adopt()
        except (LiveStoreLost, RecordsLost) as error:
            if isinstance(error, RecordsDamaged) and self._is_starting:
                raise
            self._steps.began("rebuild", "runtime.not_rebuilt", **logs.fields_of(error))
            return False
        if found is None:
            return False
        self._steps.over("rebuild", "runtime.rebuilding")
        if found:
            logs.record("runtime.rebuilt", count=found)
        return True

    async def _adopt(self) -> int | None:
        """Returns how many people were adopted; None if something is still unsettled."""
        generation = self._store.generation
        self._is_waiting = False
        roll = await self._roll_call.answer()
        self._is_waiting = not roll.is_over
        if not roll.is_over or self._store.generation != generation:
            return None
        if self._store.doubts:
            if not await self._store.claim_doubts(self._worker, CLAIM_S):
                return None
            self._was_doubtful = self._is_starting
            self._steps.began("damage", "store.doubtful", reason=_doubt(self._store.doubts))
            if not await self._reconciler.reconcile() or self._store.generation != generation:
                return None
            await self._store.adopt((), whole=True)
            self._steps.over("damage", "store.settled")
            self._checked_at = self._clock.monotonic()
            return 0
        active = await self._records.active()
        if self._store.generation != generation or not self._store.newborn:
            return None
        anchors = [Anchor(*told) for told in active.told]
        await self._store.adopt(active.people, anchors=anchors, whole=True, outdated=not roll.is_complete)
        if not roll.is_complete:
            return None
        return len(active.people)

    async def _tell(self, notices: Iterable[Outgoing]) -> None:
        if self._untold is None:
            await self._take_up(notices)
        else:
            self._untold.extend(notices)

    async def release(self) -> None:
        """Send the notices of repairs from now on. At the start they come after the inherited ones, which are older.
        Otherwise somebody would be told of a partner after being told that the chat is over."""
        untold, self._untold = self._untold, None
        self._was_doubtful = False
        if untold:
            await self._take_up(untold)

    @property
    def _is_starting(self) -> bool:
        return self._untold is not None

    async def check(self) -> bool:
        """Compare the live store with the records. Returns whether they agree now.

        Raises: LiveStoreLost; RecordsDamaged, while the process starts.
        """
        now = self._clock.monotonic()
        self._checked_at = now - CHECK_EVERY_S + CHECK_AGAIN_S
        try:
            agreed = await self._reconciler.reconcile()
        except RecordsLost as error:
            if isinstance(error, RecordsDamaged) and self._is_starting:
                raise
            return False
        if agreed:
            self._checked_at = now
        return agreed

    async def _measure(self) -> None:
        figures = await self._store.figures()
        metrics.WAITING.set(figures.waiting)
        metrics.CHATS.set(figures.chats)
        metrics.OUTBOX.set(figures.outbox)
        metrics.JOURNAL.set(figures.journal)


def _is_over(notice: Notice, reader: StoredPerson | None) -> bool:
    """Whether the state that a notice tells its reader is over."""
    if reader is None:
        return False
    match reader.participant.state:
        case Chatting() as state:
            began_at = state.opened_at
        case Searching() as state:
            began_at = state.ticket.since
        case state:
            began_at = notice.made_at
    return state_of(notice.keyboard) is not type(state) or notice.made_at < began_at


def _doubt(doubts: Doubts) -> str:
    """One sentence for the operator's log."""
    if doubts.everybody:
        return "the live store is damaged, and nobody knows whom it concerns: every chat ends; the damaged file is kept"
    if doubts.people:
        return f"the live store is damaged: people that it concerns: {len(doubts.people)}; the damaged file is kept"
    if doubts.is_older:
        return "the live store has lost its newest writes, or may have: every chat ends"
    return "the live store may have lost something: it is compared with the records"
