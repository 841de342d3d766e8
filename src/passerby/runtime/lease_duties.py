"""Begins and ends a task for each lease that the worker holds, and reports about the worker."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from passerby.kernel.ids import BotId, PoolId
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, LeaseName, bot_lease, duty_lease, pool_lease
from passerby.runtime.leased_tasks import LeasedTask, PollingTask
from passerby.runtime.membership.heartbeat import Wanted
from passerby.runtime.membership.report import Report
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.worker_config import WorkerConfig
from passerby.telemetry import metrics

RECORDER, JANITOR, CLOCK, PERSONAL_DATA, MONEY, DEPARTURES, ALERTS = map(
    duty_lease, ("recorder", "janitor", "clock", "personal_data", "money", "departures", "alerts")
)


class LeaseDuties:
    """See `membership.heartbeat.Callbacks`. `task_for` makes the task of a lease."""

    def __init__(
        self,
        bots: Iterable[BotId],
        pools: Iterable[PoolId],
        tokens: Tokens,
        task_for: Callable[[Fence], LeasedTask],
        clock: Clock,
        config: WorkerConfig,
        more_duties: Iterable[LeaseName] = (),
    ) -> None:
        self._all_bots = tuple(sorted(bots))
        self._pools = set(pools)
        self._tokens = tokens
        self._task_for = task_for
        self._clock = clock
        self._config = config
        self._named_duties = (RECORDER, JANITOR, CLOCK, PERSONAL_DATA, MONEY, DEPARTURES, *more_duties)
        self._since = clock.now()
        self._tasks: dict[LeaseName, LeasedTask] = {}
        self._polling: dict[BotId, PollingTask] = {}
        self._is_stopping = False
        self.has_lapsed = asyncio.Event()
        """Set when this incarnation is over: another worker has what it held."""

    @property
    def polling(self) -> Mapping[BotId, PollingTask]:
        """The tasks of the bots whose leases we hold."""
        return self._polling

    @property
    def held(self) -> Mapping[LeaseName, LeasedTask]:
        return self._tasks

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
        task = self._tasks[fence.lease] = self._task_for(fence)
        if isinstance(task, PollingTask):
            self._polling[task.bot] = task
        await task.begin()

    async def hand_over(self, fence: Fence) -> None:
        task = self._tasks.pop(fence.lease)
        await task.end()
        if isinstance(task, PollingTask):
            self._polling.pop(task.bot, None)

    def lapsed(self, reason: str) -> None:
        self.has_lapsed.set()
