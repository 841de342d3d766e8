"""Tasks that nobody awaits, without losing one or its error.

The event loop keeps only weak references to tasks, and an exception in a task that nobody awaits is printed when it is
collected, if ever. `Background` holds every task until it ends, and hands an unexpected error to one place.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


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

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)

    async def aclose(self) -> None:
        """Cancel what still runs and wait for its end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
