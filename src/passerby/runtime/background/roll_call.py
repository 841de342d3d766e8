"""The roll call of a new generation: nobody repairs or rebuilds anything before every living worker has answered.

A worker that answers says three things:

- None of its sends that were decided on before is still under way. From then on it checks each relay's chat in the new
  generation, and that check waits until the generation is sound. So once all have answered, no message can reach
  somebody who has been told meanwhile that the chat is over.
- A store that was wiped, or went back, has the notices and parked relays again that this worker has yet to send.
- The records have all facts that it stored in earlier generations (see `unrecorded`). So once all have answered, what
  the records say is complete, even if the store was wiped.

A worker that does not answer within the time that leases last is dead, or has stopped sending: its leases have run out.
But it may have stored facts that nobody else knows.

If no worker was alive when the store was wiped, only the records can be asked, and somebody may have restored an old
database meanwhile. Its people have left their chats since, and met others. So if the newest change in the records is
not recent, they count as incomplete. They do, too, if a process with a store of its own has crashed, and somebody has
deleted the store before the next start.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

from passerby.ports.clock import Clock
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStore
from passerby.ports.records import Records
from passerby.runtime.membership.heartbeat import TTL_S
from passerby.runtime.unrecorded import UnrecordedFacts

PATIENCE_S = TTL_S
RECENT_S = 600.0
"""How long the records may have heard of no change, and still be believed by a worker that knows no other.
A change that is further ahead than this does not count: somebody's clock was wrong."""


async def _nothing() -> None:
    """A worker that has nothing to send."""


class RollCallResult(NamedTuple):
    """`is_over`: everybody has answered, or had time to. `is_complete`: the records lack no fact of any worker."""

    is_over: bool
    is_complete: bool


class RollCall:
    """`members`: the workers that lived at the last heartbeat. `is_sending`: whether a send that was decided on in a
    generation other than this one is under way. `put_back` puts what this worker has yet to send into the outbox."""

    def __init__(
        self,
        worker: WorkerId,
        store: LiveStore,
        records: Records,
        clock: Clock,
        *,
        members: Callable[[], Collection[WorkerId]] = frozenset,
        is_sending: Callable[[str], bool] = lambda generation: False,
        put_back: Callable[[], Awaitable[None]] = _nothing,
        unrecorded: UnrecordedFacts | None = None,
        shared: bool = False,
        had_crashed: bool = False,
    ) -> None:
        self._worker = worker
        self._store = store
        self._records = records
        self._clock = clock
        self._members = members
        self._is_sending = is_sending
        self._put_back = put_back
        self._unrecorded = unrecorded or UnrecordedFacts()
        self._shared = shared
        self._had_crashed = had_crashed
        self._generation = self._first = store.generation
        self._since = clock.monotonic()
        self._handed_in = store.generation
        self._expected: frozenset[WorkerId] = frozenset()
        self._is_whole = True
        self._put_back_in = store.generation

    async def hand_in(self) -> None:
        """Store the facts of earlier generations in the records, once in each generation. Raises: RecordsLost.

        Storing a fact again in the records does no harm, and most of these are there already.
        """
        generation = self._store.generation
        if generation == self._handed_in:
            return
        self._unrecorded.forget_looks()
        last, facts = self._unrecorded.last, self._unrecorded.facts
        if facts:
            await self._records.apply(f"{generation}:{self._worker}", list(enumerate(facts, 1)))
        self._unrecorded.recorded(last)
        self._handed_in = generation

    async def answer(self) -> RollCallResult:
        """Answer for this worker, and find out who else has. Raises: LiveStoreLost, RecordsLost."""
        generation = self._store.generation
        if generation != self._generation:
            self._generation, self._since = generation, self._clock.monotonic()
            self._expected = frozenset(self._members())
            self._is_whole = self._unrecorded.is_whole
        await self.hand_in()
        may_wait = self._shared and self._clock.monotonic() - self._since < PATIENCE_S
        if self._is_sending(generation) and may_wait:
            return RollCallResult(is_over=False, is_complete=False)
        if generation != self._put_back_in:
            await self._put_back()
            self._put_back_in = generation
        answered, former = await self._store.answer_roll(self._worker if self._is_whole else None)
        if generation != self._store.generation:
            return RollCallResult(is_over=False, is_complete=False)
        missing = (self._expected | former) - answered
        if not self._expected and self._store.newborn:
            # We have just started, so we do not know who else is living.
            if not (await self._records.active()).people:
                return RollCallResult(is_over=True, is_complete=not missing)
            now = self._clock.now()
            changed_at = await self._records.changed_at(now + RECENT_S)
            is_recent = changed_at is not None and now - changed_at <= RECENT_S
            # Our own store is gone, and the run before could not tell the records everything.
            is_lost = self._had_crashed and not self._shared and generation == self._first
            return RollCallResult(not may_wait, not missing and is_recent and not is_lost)
        return RollCallResult(not missing or not may_wait, not missing)
