"""An event loop with virtual time, and simulated processes on it that can be killed.

The loop never waits: when no callback is ready, time jumps to the next timer. There are no sockets, threads or sleeps.
So a run takes only as long as its work, and is the same every time.

A `SimProcess` is a simulated process. A context carries it; whatever runs in such a context belongs to the process.
Killing it works like `kill -9`: none of its callbacks runs again, and no `except` or `finally` does. Timers that it set
in another context, like requests that have left it, continue.
"""

import asyncio
from asyncio import BaseEventLoop, Handle, Task, TimerHandle
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from heapq import heapify, heappush
from typing import Any, NoReturn

RESOLUTION_S = 1e-9
LEAST_S = 1e-6
"""Every timer takes at least this long, as on a real machine. A shorter wait would not change the time, because a float
cannot represent the sum, so the loop would never end."""


class Deadlock(AssertionError):
    """Nothing is ready, no timer is set, and the run is not over."""


class SimProcess:
    """One process from its start to its kill."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.stash: list[Handle] | None = None
        """While it is paused: the handles that would otherwise run."""
        self.tasks: list[Task[Any]] = []
        self.on_kill: list[Callable[[], None]] = []
        """Callbacks for the outside when the process is killed: a server notices that connections close."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


PROCESS: ContextVar[SimProcess | None] = ContextVar("process", default=None)


class _Jump:
    """Replaces the selector: time moves forward instead of waiting for sockets."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout_s: float | None) -> list[NoReturn]:
        if timeout_s is None:
            raise Deadlock("nothing is ready and no timer is set")
        if timeout_s > 0:
            self._loop.advance(timeout_s)
        return []


class VirtualLoop(BaseEventLoop):
    """Seconds count from zero."""

    _ready: Any
    _scheduled: Any

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._clock_resolution = RESOLUTION_S
        self._selector = _Jump(self)
        self._killed: list[SimProcess] = []
        self.complaints: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, complaint: self.complaints.append(complaint))
        self.set_task_factory(_make_task)  # type: ignore[arg-type]

    def time(self) -> float:
        return self._now_s

    def advance(self, delay_s: float) -> None:
        self._now_s += delay_s

    def _process_events(self, events: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        raise AssertionError("a thread cannot be simulated")

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]
        context = copy_context() if context is None else context
        handle = Handle(callback, args, self, context)
        process = context.get(PROCESS)
        if process is not None and process.dead:
            handle.cancel()
        elif process is not None and process.stash is not None:
            process.stash.append(handle)
        else:
            self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> TimerHandle:
        context = copy_context() if context is None else context
        when = max(when, self._now_s + LEAST_S)
        handle = TimerHandle(when, callback, args, self, context)
        process = context.get(PROCESS)
        if process is not None and process.dead:
            handle.cancel()
        else:
            heappush(self._scheduled, handle)
            handle._scheduled = True  # type: ignore[attr-defined]
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: Context | None = None
    ) -> TimerHandle:
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def begin(self, process: SimProcess, work: Coroutine[Any, Any, Any]) -> Task[Any]:
        """Run `work`, and everything it starts, as this process."""
        context = copy_context()
        context.run(PROCESS.set, process)
        return self.create_task(work, context=context)

    def kill(self, process: SimProcess) -> None:
        """Kill a process at once. A callback that is running now continues to its next await, without effect."""
        if process.dead:
            return
        process.dead = True
        for handle in (*self._ready, *self._scheduled):
            if _process_of(handle) is process:
                handle.cancel()
        for tell in process.on_kill:
            tell()
        self._killed.append(process)

    def pause(self, process: SimProcess) -> None:
        """SIGSTOP: nothing of the process runs, but time passes. Requests that have left it continue."""
        if process.dead or process.stash is not None:
            return
        process.stash = []
        for queue in (self._ready, self._scheduled):
            for handle in [handle for handle in queue if _process_of(handle) is process]:
                queue.remove(handle)
                process.stash.append(handle)
        heapify(self._scheduled)

    def resume(self, process: SimProcess) -> None:
        """SIGCONT: everything that was due meanwhile is due now."""
        stash, process.stash = process.stash or [], None
        for handle in stash:
            if handle.cancelled():
                continue
            if isinstance(handle, TimerHandle):
                heappush(self._scheduled, handle)
                handle._scheduled = True  # type: ignore[attr-defined]
            else:
                self._ready.append(handle)

    def evict(self) -> None:
        """After the run, close what the dead processes left open, so that Python does not complain about it.

        This does run their `finally` blocks, but without effect: their callbacks are dropped, and their objects in the
        world outside ignore dead processes.
        """
        for process in self._killed:
            _close(process)


def _make_task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None, **more: Any
) -> Task[Any]:
    task = Task(work, loop=loop, context=context, **more)
    process = PROCESS.get() if context is None else context.get(PROCESS)
    if process is not None:
        process.tasks.append(task)
    return task


def _process_of(handle: Handle) -> SimProcess | None:
    context: Context = handle._context  # type: ignore[attr-defined]
    return None if handle.cancelled() else context.get(PROCESS)


def _close(process: SimProcess) -> None:
    context = copy_context()
    context.run(PROCESS.set, process)
    for task in process.tasks:
        if not task.done():
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            # Errors in a `finally` block do not matter here.
            with suppress(Exception):
                context.run(task.get_coro().close)


class VirtualClock:
    """`passerby.ports.clock.Clock` on a virtual loop."""

    def __init__(self, loop: VirtualLoop, epoch_s: float) -> None:
        self._loop = loop
        self._epoch_s = epoch_s

    def now(self) -> float:
        return self._epoch_s + self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(max(0.0, delay_s))
