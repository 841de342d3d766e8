"""Begins and ends a task for each lease that the worker holds, and reports about the worker.

If a task cannot begin because of a bug, it is tried again with growing pauses for as long as we hold the lease.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Final

from passerby.kernel.ids import BotId, PoolId
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, LeaseName, bot_lease, duty_lease, pool_lease
from passerby.runtime.backoff import Backoff
from passerby.runtime.leased_tasks import LeasedTask, PollingTask
from passerby.runtime.membership.heartbeat import Wanted
from passerby.runtime.membership.report import Report
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.tasks import Background
from passerby.runtime.worker_config import WorkerConfig
from passerby.telemetry import logs, metrics

RECORDER, JANITOR, CLOCK, PERSONAL_DATA, MONEY, DEPARTURES, ALERTS = map(
    duty_lease, ("recorder", "janitor", "clock", "personal_data", "money", "departures", "alerts")
)

AGAIN: Final = Backoff(1.0, 60.0, 1.0, 1.25)
"""Nobody polls the bot meanwhile, so the pauses are those of its polls."""


class LeaseDuties:
    """See `membership.heartbeat.Callbacks`. `task_for` makes the task of a lease."""

    def __init__(
        self,
        bots: Iterable[BotId],
        pools: Iterable[PoolId],
        tokens: Tokens,
        task_for: Callable[[Fence], LeasedTask],
        background: Background,
        clock: Clock,
        rng: Random,
        config: WorkerConfig,
        more_duties: Iterable[LeaseName] = (),
    ) -> None:
        self._all_bots = tuple(sorted(bots))
        self._pools = set(pools)
        self._tokens = tokens
        self._task_for = task_for
        self._background = background
        self._clock = clock
        self._rng = rng
        self._config = config
        self._named_duties = (RECORDER, JANITOR, CLOCK, PERSONAL_DATA, MONEY, DEPARTURES, *more_duties)
        self._since = clock.now()
        self._tasks: dict[LeaseName, LeasedTask] = {}
        self._polling: dict[BotId, PollingTask] = {}
        self._retries: dict[LeaseName, asyncio.Task[None]] = {}
        self._is_stopping = False
        self.has_lapsed = asyncio.Event()
        """Set when this incarnation is over: another worker has what it held."""

    @property
    def polling(self) -> Mapping[BotId, PollingTask]:
        """The tasks of the bots whose leases we hold."""
        return self._polling

    def know_bots(self, bots: Iterable[BotId]) -> None:
        """Ask for the leases of these bots from now on, and of no others."""
        self._all_bots = tuple(sorted(bots))

    def know_pools(self, pools: Iterable[PoolId]) -> None:
        """Ask for the leases of these pools, too."""
        self._pools.update(pools)
        metrics.know_pools(self._pools)

    def stopping(self) -> None:
        """Report from now on that this worker is stopping."""
        self._is_stopping = True

    def wanted(self) -> Wanted:
        pools = map(pool_lease, sorted(self._pools))
        return Wanted(tuple(map(bot_lease, self._all_bots)), (*pools, *self._named_duties))

    def report(self) -> Report:
        lost, suspected = self._tokens.lost, self._tokens.suspected
        return Report(
            self._config.name,
            self._config.leads,
            self._is_stopping,
            self._since,
            metrics.snapshot(self._clock.now()),
            tuple(bot for bot in lost if bot in self._polling),
            self._config.home,
            (*lost, *suspected),
        )

    async def gained(self, fence: Fence) -> None:
        """Return when the task has begun, or when the first try has failed."""
        if not await self._begin(fence):
            self._retries[fence.lease] = self._background.spawn(self._retry(fence))

    async def _retry(self, fence: Fence) -> None:
        failures = 1
        await self._clock.sleep(AGAIN.pause_s(failures, self._rng))
        while not await self._begin(fence):
            failures += 1
            await self._clock.sleep(AGAIN.pause_s(failures, self._rng))
        logs.record("fleet.task_begun", **_names(fence.lease))

    async def _begin(self, fence: Fence) -> bool:
        try:
            await self._end_task(fence.lease)  # a try that failed may have begun something
            task = self._tasks[fence.lease] = self._task_for(fence)
            if isinstance(task, PollingTask):
                self._polling[task.bot] = task
            await task.begin()
        except Exception as error:  # noqa: BLE001  # the supervisor of leased tasks
            metrics.BUGS.add()
            logs.failed("fleet.task_not_begun", error, **_names(fence.lease))
            return False
        return True

    async def hand_over(self, fence: Fence) -> None:
        await self.end(fence.lease)

    async def end(self, lease: LeaseName) -> None:
        """End the task of the lease in good order. It does not begin again."""
        retry = self._retries.pop(lease, None)
        if retry is not None:
            retry.cancel()
            await asyncio.gather(retry, return_exceptions=True)
        await self._end_task(lease)

    async def _end_task(self, lease: LeaseName) -> None:
        task = self._tasks.pop(lease, None)
        if task is None:
            return
        try:
            await task.end()
        finally:
            if isinstance(task, PollingTask):
                self._polling.pop(task.bot, None)

    def lapsed(self, reason: str) -> None:
        self.has_lapsed.set()


def _names(lease: LeaseName) -> logs.Fields:
    kind, _, name = lease.partition(":")
    return {"bot": BotId(int(name))} if kind == "bot" else {"kind": lease}
