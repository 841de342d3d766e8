"""An event loop whose time is a number, and processes on it that can be killed.

Nothing is waited for: when no callback is ready, time jumps to the next timer. No sockets, no threads, no sleeping; so
a run is as long as its work, and the same every time.

A `Life` is a pretended process: whatever runs in a context that carries it belongs to it. Killing a life is `kill -9`:
none of its callbacks runs again, no `except`, no `finally`. What it had handed to the world outside (timers set from
another context) goes on.
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
"""Every timer takes at least so long, as it would on a machine: a wait of less than a float can add would never end."""


class Deadlock(AssertionError):
    """Nothing is ready, no timer is set, and the run is not over."""


class Life:
    """One process from its start to its kill."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.stash: list[Handle] | None = None
        """While it is paused: what would run now, if it were not."""
        self.tasks: list[Task[Any]] = []
        self.at_death: list[Callable[[], None]] = []
        """What the outside does when the process is gone: a server sees its connections close."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


class _Jump:
    """In a selector's place: instead of waiting for sockets, time moves."""

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
        self._graves: list[Life] = []
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
        life = context.get(LIFE)
        if life is not None and life.dead:
            handle.cancel()
        elif life is not None and life.stash is not None:
            life.stash.append(handle)
        else:
            self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> TimerHandle:
        context = copy_context() if context is None else context
        when = max(when, self._now_s + LEAST_S)
        handle = TimerHandle(when, callback, args, self, context)
        life = context.get(LIFE)
        if life is not None and life.dead:
            handle.cancel()
        else:
            heappush(self._scheduled, handle)
            handle._scheduled = True  # type: ignore[attr-defined]
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: Context | None = None
    ) -> TimerHandle:
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    # ------------------------------------------------------------------ processes

    def begin(self, life: Life, work: Coroutine[Any, Any, Any]) -> Task[Any]:
        """Run `work`, and whatever it starts, as the process `life`."""
        context = copy_context()
        context.run(LIFE.set, life)
        return self.create_task(work, context=context)

    def kill(self, life: Life) -> None:
        """End a process at once. A callback of its own that is running now runs on to its next await, unheard."""
        if life.dead:
            return
        life.dead = True
        for handle in (*self._ready, *self._scheduled):
            if _life_of(handle) is life:
                handle.cancel()
        for tell in life.at_death:
            tell()
        self._graves.append(life)

    def pause(self, life: Life) -> None:
        """SIGSTOP: nothing of a process runs, and time passes without it. What had left it goes on."""
        if life.dead or life.stash is not None:
            return
        life.stash = []
        for queue in (self._ready, self._scheduled):
            for handle in [handle for handle in queue if _life_of(handle) is life]:
                queue.remove(handle)
                life.stash.append(handle)
        heapify(self._scheduled)

    def resume(self, life: Life) -> None:
        """SIGCONT: all that was due meanwhile is due now."""
        stash, life.stash = life.stash or [], None
        for handle in stash:
            if handle.cancelled():
                continue
            if isinstance(handle, TimerHandle):
                heappush(self._scheduled, handle)
                handle._scheduled = True  # type: ignore[attr-defined]
            else:
                self._ready.append(handle)

    def evict(self) -> None:
        """After the run: close what the dead processes left open, so that Python does not complain of it.

        This runs their `finally` after all. Nothing of it is heard: their callbacks are dropped, and what they hold of
        the world outside does not act for the dead.
        """
        for life in self._graves:
            _close(life)


def _make_task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None, **more: Any
) -> Task[Any]:
    task = Task(work, loop=loop, context=context, **more)
    life = LIFE.get() if context is None else context.get(LIFE)
    if life is not None:
        life.tasks.append(task)
    return task


def _life_of(handle: Handle) -> Life | None:
    context: Context = handle._context  # type: ignore[attr-defined]
    return None if handle.cancelled() else context.get(LIFE)


def _close(life: Life) -> None:
    grave = copy_context()
    grave.run(LIFE.set, life)
    for task in life.tasks:
        if not task.done():
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            # Whatever a `finally` makes of its end, nobody is there to see it.
            with suppress(Exception):
                grave.run(task.get_coro().close)


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
