"""A future that needs no task. A call that often has its result at once returns one.

A method that is declared to return an `Awaitable` may return a coroutine or a `Soon`. Code that can wait awaits it. The
hot path checks `is_done`, or leaves a callback with `then`.

A coroutine can run without a task, too, as long as it awaits nothing but `Soon`s: the runtime *drives* it (see
`runtime.driving`). When it has to wait for anything else, it becomes a task. Code that needs a task before that, such
as `asyncio.timeout`, asks for it with `own_task`.
"""

import asyncio
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")


class Driving:
    """`is_on`: the code that runs now is a step of a driven coroutine."""

    __slots__ = ("is_on",)

    def __init__(self) -> None:
        self.is_on = False


DRIVING: Final = Driving()
NEEDS_TASK: Final = object()
"""The value that a driven coroutine yields to become a task."""


class Soon(Generic[T]):
    """Settled once. Callbacks that were added before run then, in order. One that is added later runs at once.

    They must not raise.
    """

    __slots__ = ("_then", "_value", "error", "is_done")

    def __init__(self) -> None:
        self.is_done = False
        self._value: Any = None
        self.error: BaseException | None = None
        """Why it failed; None if it did not, or is not done."""
        self._then: Callable[[Soon[T]], object] | list[Callable[[Soon[T]], object]] | None = None
        """Nearly always there is one, so a list is made only for more."""

    @staticmethod
    def of(value: T) -> "Soon[T]":
        """Return a result that is here."""
        soon: Soon[T] = Soon()
        soon.is_done = True
        soon._value = value
        return soon

    @staticmethod
    def failed(error: BaseException) -> "Soon[Any]":
        """Return a result that is an error, and is here."""
        soon: Soon[Any] = Soon()
        soon.is_done = True
        soon.error = error
        return soon

    def settle(self, value: T) -> None:
        assert not self.is_done, "a result comes once"
        self._value = value
        self.is_done = True
        then = self._then
        if then is not None:
            self._then = None
            if not isinstance(then, list):
                then(self)
                return
            for callback in then:
                callback(self)

    def fail(self, error: BaseException) -> None:
        assert not self.is_done, "a result comes once"
        self.error = error
        self.is_done = True
        then, self._then = self._then, None
        for callback in then if isinstance(then, list) else () if then is None else (then,):
            callback(self)

    def take(self, other: "Soon[T]") -> None:
        """Settle like another one, which is settled."""
        if other.error is not None:
            self.fail(other.error)
        else:
            self.settle(other.result())

    def then(self, callback: "Callable[[Soon[T]], object]") -> None:
        if self.is_done:
            callback(self)
        elif self._then is None:
            self._then = callback
        elif isinstance(self._then, list):
            self._then.append(callback)
        else:
            self._then = [self._then, callback]

    def result(self) -> T:
        """Raises: the error, if it failed."""
        assert self.is_done, "whoever asks has waited"
        if self.error is not None:
            raise self.error
        value: T = self._value
        return value

    def __await__(self) -> Generator[Any, None, T]:
        if not self.is_done:
            if DRIVING.is_on:
                yield self
            else:
                yield from self.in_task().__await__()
        return self.result()

    def in_task(self) -> "asyncio.Future[None]":
        """For a task: what wakes it when this is settled."""
        here: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.then(partial(_wake, here))
        return here


class Outstanding(Soon[T]):
    """A `Soon` that somebody works for. If whoever awaits it is cancelled before it is settled, `give_up` is called."""

    __slots__ = ()

    def give_up(self) -> None:
        """Nobody waits for the result any more."""
        raise NotImplementedError

    def __await__(self) -> Generator[Any, None, T]:
        if not self.is_done:
            try:
                if DRIVING.is_on:
                    yield self
                else:
                    yield from self.in_task().__await__()
            finally:
                if not self.is_done:
                    self.give_up()
        return self.result()


def _wake(here: "asyncio.Future[None]", _: object) -> None:
    if not here.done():
        here.set_result(None)


class _OwnTask:
    def __await__(self) -> Generator[Any, None, None]:
        if DRIVING.is_on:
            yield NEEDS_TASK


_OWN_TASK: Final = _OwnTask()


def own_task() -> _OwnTask:
    """`await own_task()`: what follows runs in a task. For code that uses time-outs, or libraries that may."""
    return _OWN_TASK
