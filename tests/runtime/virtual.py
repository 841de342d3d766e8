"""An event loop in which time passes only when nobody has anything to do. No test waits, and every run is the same.

When nothing is ready, the loop's clock jumps to the next timer. If there is no timer either, and no thread answers
within `PATIENCE_S`, all tasks would wait forever. That is a `Deadlock`, and the test shows where.
"""

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

PATIENCE_S = 60.0
EPOCH = 1_800_000_000.0
"""The wall clock's time when a loop begins, in Unix seconds."""

T = TypeVar("T")


class Deadlock(AssertionError):
    """Every task waits for something that will never happen."""


class _Jumping(selectors.BaseSelector):
    """Asks the real selector what is ready. Instead of waiting, it moves the clock forward."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None:
            self.now += timeout
            return []
        ready = self._real.select(PATIENCE_S)  # a thread may still answer
        if not ready:
            raise Deadlock("nothing is ready, and no timer is set")
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


RESOLUTION_S = 1e-7
"""A timer that is due within this time is due. After some months, two neighbouring times are further apart than the
nanosecond of the operating system, and such a timer would never be due."""


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        return self._jumping.now


class VirtualClock:
    """The product's clock over the running loop's time. Outside a loop it stands at `offset_s`."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> float:
        return EPOCH + self.monotonic()

    def monotonic(self) -> float:
        try:
            return asyncio.get_running_loop().time() + self.offset_s
        except RuntimeError:
            return self.offset_s

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in virtual time. Tasks still running at the end are cancelled."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


async def settled() -> None:
    """Let everything run that can run without time passing."""
    await asyncio.sleep(1e-6)
