"""Tasks that nobody awaits, without losing one or its error.

The event loop keeps only weak references to tasks, and an exception in a task that nobody awaits is printed when it is
collected, or never. `Background` holds every task until it ends, and hands an unexpected error to one place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from passerby.ports.clock import Clock

BROKEN_PAUSE_S = 1.0


class Background:
    """`on_error` gets whatever a task raises, cancellation excepted; it must not raise itself."""

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep_going(self, work: Callable[[], Awaitable[None]], clock: Clock) -> asyncio.Task[None]:
        """Run `work` until it returns or is cancelled. If it raises, it starts again after a pause."""

        async def again_and_again() -> None:
            while True:
                try:
                    return await work()
                except Exception as error:  # noqa: BLE001  # the supervisor of long-running work
                    self._on_error(error)
                    await clock.sleep(BROKEN_PAUSE_S)

        return self.spawn(again_and_again())

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)

    async def aclose(self) -> None:
        """Cancel the tasks that still run, and wait until they have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
