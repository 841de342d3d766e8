"""Kills of the app at chosen steps: each call of it that changes something, in a store or at Telegram, is a step.

The process dies right before or right after the effect of such a call, and is started again. The players of the scene
go on as if nothing had happened, as people do.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Collection
from random import Random
from typing import Any, cast

from botapi_sandbox import Answer, Waiting, World
from passerby.runtime.staff.duty import StaffConfig
from tests.scenario.staff_stage import StaffStage
from tests.scenario.stage import ended
from tests.simulation.network import Network
from tests.simulation.virtual_time import SimProcess

WRITES = frozenset({"commit", "apply", "trim", "decide", "orders_done"})
"""The step that changes something that lasts. Reads change nothing; leases and figures are made again by the next
process."""


class Steps:
    """The app dies at the steps `at`, before or after their effect. `passed` counts all steps so far."""

    def __init__(self, at: Collection[int] = (), *, before: bool = False) -> None:
        self._at = at
        self.before = before
        self.passed = 0
        self.deaths: list[str] = []
        """The work of the app when it died."""

    def __call__(self, name: str) -> bool:
        """Whether the app dies at this step."""
        self.passed += 1
        dies = self.passed in self._at
        if dies:
            self.deaths.append(name)
        return dies


class SteppedStage(StaffStage):
    """Set `steps` as soon as kills may happen. `keep_alive` must run beside the scene.

    A dead worker is away for `away_s`. None dies again before it has started.
    """

    away_s = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.steps = Steps()
        self.place = cast("Any", _Opened(self.place, self))
        self.records_place = cast("Any", _Opened(self.records_place, self))
        self.network = _SteppedNetwork(self, self.world)
        self._dead: asyncio.Queue[asyncio.Task[bool]] = asyncio.Queue()
        self._restarting = 0

    def staff_config(self) -> StaffConfig:
        return dataclasses.replace(super().staff_config(), records=cast("Any", Stepped(self.staff, self)))

    def die_at_step(self, process: SimProcess) -> None:
        self._restarting += 1
        self._dead.put_nowait(self.die(process))

    async def keep_alive(self) -> None:
        """Start a worker again whenever one has died. Run until cancelled."""
        while True:
            await ended(await self._dead.get())
            await asyncio.sleep(self.away_s)
            await self.start_one()
            self._restarting -= 1

    def busy(self) -> bool:
        return self._restarting > 0 or super().busy()


class _Opened:
    """A place whose stores count the steps of whoever opens them."""

    def __init__(self, inner: Any, stage: SteppedStage) -> None:
        self._inner = inner
        self._stage = stage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def open(self) -> Any:
        return Stepped(self._inner.open(), self._stage)


class Stepped:
    """A store as the process sees it that is starting now."""

    def __init__(self, inner: Any, stage: SteppedStage) -> None:
        self._inner = inner
        self._stage = stage
        self._process = stage.process

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._stepping(name, found) if name in WRITES else found

    def _stepping(self, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **more: Any) -> Any:
            if self._process.dead:
                await _never()
            dies = self._process in self._stage.running and self._stage.steps(name)
            if dies and self._stage.steps.before:
                await self._end()
            done = await method(*args, **more)
            if dies:
                await self._end()
            return done

        return call

    async def _end(self) -> None:
        self._stage.die_at_step(self._process)
        await _never()


async def _never() -> None:
    """A dead process never gets further than here."""
    await asyncio.get_running_loop().create_future()


class _SteppedNetwork(Network):
    """A death at Telegram comes after the effect. Before it is the same as after the step before."""

    def __init__(self, stage: SteppedStage, world: World) -> None:
        super().__init__(world, asyncio.get_running_loop(), Random(2))  # type: ignore[arg-type]
        self._stage = stage

    async def exchange(
        self, process: SimProcess, ask: Callable[[], Answer | Waiting], *, sends: bool, timeout_s: float
    ) -> Answer:
        def asked() -> Answer | Waiting:
            done = ask()
            may_die = sends and not process.dead and not self._stage.steps.before and process in self._stage.running
            if may_die and self._stage.steps("telegram"):
                self._stage.die_at_step(process)
            return done

        return await super().exchange(process, asked, sends=sends, timeout_s=timeout_s)
