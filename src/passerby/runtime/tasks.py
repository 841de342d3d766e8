"""Runs tasks that nobody awaits, and callbacks, without losing one or its error.

The event loop keeps only weak references to tasks, and an exception in a task that nobody awaits is printed when it is
collected, or never. `Background` holds every task until it ends, and hands an unexpected error to one place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from passerby.kernel.ids import UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.soon import Soon
from passerby.runtime.driving import Driven, NoRecorder, StepRecorder

T = TypeVar("T")

BROKEN_PAUSE_S = 1.0


class Background:
    """`on_error` gets whatever a task raises, cancellation excepted; it must not raise itself. `recorder` notes which
    updates a step of `begin` works on.
    """

    def __init__(self, on_error: Callable[[BaseException], None], recorder: StepRecorder | None = None) -> None:
        self._on_error = on_error
        self._recorder = recorder or NoRecorder()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self.is_closed = False
        """Nothing is called back any more."""
        self.on_close: list[Callable[[], None]] = []
        """Called at the end: gives up calls that have no task."""
        self.waiting: set[Driven[Any]] = set()
        """Coroutines that were begun, have no task, and wait for a `Soon`."""

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

    def begin(self, work: Awaitable[T], refs: tuple[UpdateRef, ...] = ()) -> Soon[T]:
        """Run a coroutine from now on, in this turn, without a task unless it needs one (see `driving`).

        `refs`: the updates that it works on. Returns its result; if it is cancelled, that never comes.
        """
        if isinstance(work, Soon):
            return work
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        # Whatever is awaitable here and no Soon is a coroutine; to ask would cost more than to begin it.
        driven: Driven[T] = Driven(work, refs, self._loop, self._recorder, self)  # type: ignore[arg-type]
        driven.step()
        return driven.end

    def take_over(self, driven: Driven[Any], rest: Coroutine[Any, Any, Any]) -> None:
        """Run the rest of a coroutine that was begun in a task."""
        assert self._loop is not None, "something was begun"
        task = self._loop.create_task(self._recorder.follow(rest, driven.refs))
        self._tasks.add(task)
        task.add_done_callback(partial(self._settle, driven.end))

    def _settle(self, end: Soon[T], task: "asyncio.Task[T]") -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            end.fail(error)
        else:
            end.settle(task.result())

    def when_done(self, awaited: Awaitable[T], then: Callable[[Soon[T]], object]) -> None:
        """Call `then` with the result: at once if it is here, without a task if it is a `Soon`.

        If the wait is cancelled, `then` is never called.
        """
        if isinstance(awaited, Soon):
            if awaited.is_done:
                then(awaited)
            else:
                awaited.then(partial(self.guarded, then))
        else:
            task = asyncio.ensure_future(awaited)
            self._tasks.add(task)
            task.add_done_callback(partial(self._pass_end, then))

    def _pass_end(self, then: Callable[[Soon[T]], object], task: "asyncio.Future[T]") -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        soon: Soon[T] = Soon()
        error = task.exception()
        if error is not None:
            soon.fail(error)
        else:
            soon.settle(task.result())
        self.guarded(then, soon)

    def guarded(self, callback: Callable[..., object], *arguments: object) -> None:
        """Call back, and hand what it raises to `on_error`. After the end, nothing is called back any more."""
        if self.is_closed:
            return
        try:
            callback(*arguments)
        except Exception as error:  # noqa: BLE001  # the supervisor of callbacks
            self._on_error(error)

    def report(self, error: BaseException) -> None:
        """Hand an error to `on_error`."""
        self._on_error(error)

    def next_turn(self, callback: Callable[..., object], *arguments: object) -> None:
        """Call back in the next turn of the event loop."""
        asyncio.get_running_loop().call_soon(self.guarded, callback, *arguments)

    def call_after(self, delay_s: float, callback: Callable[..., object], *arguments: object) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(max(0.0, delay_s), self.guarded, callback, *arguments)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)

    async def aclose(self) -> None:
        """Cancel the tasks that still run, and wait until they have ended."""
        self.is_closed = True
        for driven in tuple(self.waiting):
            driven.leave()
        self.waiting.clear()
        for give_up in self.on_close:
            give_up()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
