"""Carries facts from the live store's journal to the records, in order, in batches.

A batch is what has gathered in 200 ms, or 500 entries if that is sooner. The batch is applied, then the journal is
trimmed up to it. Only the current batch is held here: while the records are away, the journal stays in the live store.
Applying is idempotent by position, so a batch with an unknown outcome is read and applied again.

No chat waits for this module.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Final

from passerby.ports.clock import Clock
from passerby.ports.facts import Fact
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records, RecordsLost
from passerby.runtime.backoff import Backoff
from passerby.telemetry import metrics
from passerby.telemetry.logs import name_of

BATCH: Final = 500
EVERY_S: Final = 0.2
_BACKOFF: Final = Backoff(0.2, 10.0, 0.5, 1.0)
_CALM_S: Final = 60.0
"""A store that is lost again within this time is not reported again."""

_COMPARE_AGAIN_S: Final = 2.0
"""The pause after a comparison that could not repair everybody, because they acted meanwhile."""


class Recorder:
    """One recorder is enough for a live store. Several do no harm, because the records count each entry once.

    `log` is called with a constant event name: "recorder.waiting" once when a store is lost, "recorder.resumed" when
    it is back. `on_behind` is awaited if the records have lost facts that the journal has already trimmed, and
    again until it returns True. Bugs (anything but a lost store) pass through `run` to its supervisor.
    """

    def __init__(
        self,
        store: LiveStore,
        records: Records,
        clock: Clock,
        rng: Random,
        log: Callable[..., object],
        *,
        batch: int = BATCH,
        every_s: float = EVERY_S,
        on_behind: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._rng = rng
        self._log = log
        self._batch = batch
        self._every_s = every_s
        self._on_behind = on_behind
        self._generation: str | None = None
        self._position = 0
        self._trimmed = 0
        self._failures = 0
        self._lost_at = 0.0
        self._back_at = float("-inf")
        self._is_told = False
        self._compare_at = float("inf")
        # `run` and `drain` may overlap at shutdown; batches may not.
        self._turn = asyncio.Lock()
        self._nap: asyncio.Task[None] | None = None
        self._poked = False

    @property
    def position(self) -> int:
        """The number of the last entry that the records are known to hold."""
        return self._position

    @property
    def waiting(self) -> bool:
        """Whether a store is lost, so that the journal waits."""
        return self._failures > 0

    def poke(self) -> None:
        """Look now instead of at the next round. A back-off is not shortened."""
        self._poked = True
        if self._nap is not None:
            self._nap.cancel()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            recorded = await self._attempt()
            if recorded is None:
                await self._clock.sleep(_BACKOFF.pause_s(self._failures, self._rng))
            elif recorded < self._batch:
                await self._rest()

    async def drain(self, timeout_s: float) -> bool:
        """Record what the journal holds, for a shutdown. False: some of it may not be stored, and waits in the journal.

        When the time is up, a store call that is under way is not awaited any more. A bug ends it at once: a stop must
        not fail because of what the journal keeps anyway.
        """
        deadline = self._clock.monotonic() + timeout_s
        while True:
            attempt = asyncio.ensure_future(self._attempt())
            limit = asyncio.ensure_future(self._clock.sleep(deadline - self._clock.monotonic()))
            await asyncio.wait((attempt, limit), return_when=asyncio.FIRST_COMPLETED)
            limit.cancel()
            error = attempt.exception() if attempt.done() and not attempt.cancelled() else None
            if error is not None:
                self._log("recorder.broken", level="error", error=name_of(error))
                return False
            recorded = attempt.result() if attempt.done() else None
            if recorded == 0:
                return True
            left_s = deadline - self._clock.monotonic()
            if left_s <= 0:
                return False
            if recorded is None:
                await self._clock.sleep(min(_BACKOFF.pause_s(self._failures, self._rng), left_s))

    async def _attempt(self) -> int | None:
        """Record one batch. Returns how many entries were waiting, up to a batch; None if a store is lost."""
        async with self._turn:
            try:
                recorded = await self._record()
            except (RecordsLost, LiveStoreLost) as lost:
                if not self._failures:
                    self._lost_at = self._clock.monotonic()
                    self._is_told = self._lost_at - self._back_at > _CALM_S
                    if self._is_told:
                        self._log("recorder.waiting", reason=_reason(lost))
                self._failures += 1
                self._generation = None  # what comes back may be older than what went away
                return None
            if self._failures:
                away_s = round(self._clock.monotonic() - self._lost_at, 1)
                if self._is_told:
                    self._log("recorder.resumed", attempt=self._failures + 1, duration_s=away_s)
                self._back_at = self._clock.monotonic()
                self._failures = 0
            return recorded

    async def _record(self) -> int:
        generation = self._store.generation
        if generation != self._generation:
            # At the start, after a store has begun another generation, and after one of the two was away.
            trimmed = await self._store.trimmed()
            self._position = await self._records.applied(generation)
            if self._position < trimmed:
                self._log("recorder.behind", reason="the database does not hold what it held before")
                self._compare_at = self._clock.monotonic()
            self._generation = generation
            self._trimmed = 0
        if self._clock.monotonic() >= self._compare_at and self._on_behind is not None:
            agreed = await self._on_behind()
            self._compare_at = float("inf") if agreed else self._clock.monotonic() + _COMPARE_AGAIN_S
        entries = await self._store.journal(self._position, self._batch)
        if self._store.generation != generation:
            return 0  # the store was wiped meanwhile, so the entries may be of either generation
        metrics.RECORDER_LAG.set(max(0.0, self._clock.now() - entries[0][1].at) if entries else 0.0)
        if entries:
            batch = _uncut(entries) if len(entries) >= self._batch else entries
            await self._records.apply(generation, batch, after=self._position)
            self._position = batch[-1][0]
            metrics.RECORDED.add(count=len(batch))
        if self._trimmed < self._position:
            await self._store.trim_journal(self._position, generation)
            self._trimmed = self._position
        return len(entries)

    async def _rest(self) -> None:
        """Wait for the next round or a poke. If a poke cancels the nap, the task group still ends normally."""
        if not self._poked:
            async with asyncio.TaskGroup() as group:
                self._nap = group.create_task(self._clock.sleep(self._every_s))
            self._nap = None
        self._poked = False


def _reason(lost: RecordsLost | LiveStoreLost) -> str:
    what = "the records are lost" if isinstance(lost, RecordsLost) else "the live store is lost"
    words = str(lost)
    return f"{what}: {words}" if " " in words else what


def _uncut(entries: Sequence[tuple[int, Fact]]) -> Sequence[tuple[int, Fact]]:
    """Leave out the last commit, because it may continue beyond the batch. Half of it could be half of a pair.

    All facts of a commit have the same time. If the whole batch has the same time, it is taken as it is.
    """
    last = entries[-1][1].at
    end = next((end for end in range(len(entries), 0, -1) if entries[end - 1][1].at != last), len(entries))
    return entries[:end]
