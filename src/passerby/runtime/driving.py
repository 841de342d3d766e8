"""Runs a coroutine without a task for as long as it awaits nothing but `Soon`s.

A task costs about as much as a decision: it is made, kept in two sets, and waits a turn of the event loop for each
step. Most relays need none: their facts are at hand, and the answers to their calls come as callbacks. So a coroutine
is begun in the turn in which it was called, and goes on in the very callback that brings what it waits for. If it
awaits anything else, a task takes over from there; the coroutine does not notice.

A driven step has no task: `asyncio.current_task()` is None even if it runs inside of a task's step. So a time-out that
forgot to ask for a task (`own_task`) raises, and never cancels somebody else's task.
"""

import asyncio
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from passerby.kernel.ids import UpdateRef
from passerby.ports.soon import DRIVING, NEEDS_TASK, Soon

T = TypeVar("T")


class StepRecorder(Protocol):
    """Notes which updates a step works on (see `flight_recorder`)."""

    def enter(self, refs: tuple[UpdateRef, ...]) -> bool: ...

    def leave(self) -> None: ...

    def follow(self, work: Coroutine[Any, Any, T], refs: tuple[UpdateRef, ...]) -> Coroutine[Any, Any, T]: ...


class NoRecorder:
    def enter(self, refs: tuple[UpdateRef, ...]) -> bool:
        return False

    def leave(self) -> None:
        pass

    def follow(self, work: Coroutine[Any, Any, T], refs: tuple[UpdateRef, ...]) -> Coroutine[Any, Any, T]:
        return work


class Home(Protocol):
    """Where driven coroutines are kept while they wait, and become tasks."""

    waiting: "set[Driven[Any]]"

    def take_over(self, driven: "Driven[Any]", rest: Coroutine[Any, Any, Any]) -> None:
        """Run the rest of a coroutine in a task."""
        ...


class Driven(Generic[T]):
    """`end` is the coroutine's result. If it is cancelled, there is none."""

    __slots__ = ("_home", "_loop", "_recorder", "_work", "end", "refs")

    def __init__(
        self,
        work: Coroutine[Any, Any, T],
        refs: tuple[UpdateRef, ...],
        loop: asyncio.AbstractEventLoop,
        recorder: StepRecorder,
        home: Home,
    ) -> None:
        self._work: Coroutine[Any, Any, T] | None = work
        self._loop = loop
        self._recorder = recorder
        self._home = home
        self.refs = refs
        self.end: Soon[T] = Soon()

    def step(self, answer: Soon[Any] | None = None) -> None:
        """Run the coroutine until it waits or ends. `answer`: what it has waited for."""
        work, loop, home = self._work, self._loop, self._home
        if work is None:
            return  # a task has taken over
        if answer is not None:
            home.waiting.discard(self)
        was_on = DRIVING.is_on
        outer = None if was_on else asyncio.current_task(loop)
        if outer is not None:
            asyncio.tasks._leave_task(loop, outer)  # noqa: SLF001  # documented under "Extending asyncio"
        DRIVING.is_on = True
        is_outer = self._recorder.enter(self.refs)
        value: Any = None
        try:
            waits_for = work.send(None)
        except StopIteration as end:
            waits_for, value = _ENDED, end.value
        except Exception as raised:  # noqa: BLE001  # whoever asks for the result gets it
            waits_for, value = _FAILED, raised
        finally:
            if is_outer:
                self._recorder.leave()
            DRIVING.is_on = was_on
            if outer is not None:
                asyncio.tasks._enter_task(loop, outer)  # noqa: SLF001
        if waits_for is _ENDED:
            self.end.settle(value)
        elif waits_for is _FAILED:
            self.end.fail(value)
        elif isinstance(waits_for, Soon):
            home.waiting.add(self)
            waits_for.then(self.step)
        else:
            self.leave(waits_for)

    def leave(self, waits_for: object = NEEDS_TASK) -> None:
        """Give the rest of the coroutine to a task, which first waits for `waits_for`."""
        work, self._work = self._work, None
        assert work is not None, "it is left once"
        self._home.take_over(self, Rest(work, waits_for))


_ENDED: Final = object()
_FAILED: Final = object()


class Rest(Coroutine[Any, Any, T]):
    """A coroutine that has run up to here. A task takes over, and first waits for what the coroutine waits for."""

    __slots__ = ("_waits_for", "_work")

    def __init__(self, work: Coroutine[Any, Any, T], waits_for: object) -> None:
        self._work = work
        self._waits_for: object = waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        return cast("Generator[Any, Any, T]", self)

    def __iter__(self) -> "Rest[T]":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        waits_for, self._waits_for = self._waits_for, NEEDS_TASK
        return self._work.send(value) if waits_for is NEEDS_TASK else waits_for

    def throw(self, kind: Any, value: Any = None, traceback: TracebackType | None = None) -> Any:
        self._waits_for = NEEDS_TASK
        return self._work.throw(kind if value is None else value)

    def close(self) -> None:
        self._work.close()
