"""A result that is here already, or will be, without a task: what a call returns that may not have to wait.

A method that is declared to return an `Awaitable` may return a coroutine or a `Soon`. Whoever can wait awaits it. The
hot path looks whether it `is_done`, or leaves a callback with `then`.
"""

import asyncio
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Soon(Generic[T]):
    """Settled once. Callbacks run at that moment, in their order; after it, at once. They must not raise."""

    __slots__ = ("_error", "_then", "_value", "is_done")

    def __init__(self) -> None:
        self.is_done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._then: list[Callable[[Soon[T]], object]] | None = None

    @staticmethod
    def of(value: T) -> "Soon[T]":
        """Return a result that is here."""
        soon: Soon[T] = Soon()
        soon.is_done = True
        soon._value = value
        return soon

    def settle(self, value: T) -> None:
        self._value = value
        self._tell()

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._tell()

    def _tell(self) -> None:
        assert not self.is_done, "a result comes once"
        self.is_done = True
        then, self._then = self._then, None
        for callback in then or ():
            callback(self)

    def then(self, callback: "Callable[[Soon[T]], object]") -> None:
        if self.is_done:
            callback(self)
        elif self._then is None:
            self._then = [callback]
        else:
            self._then.append(callback)

    def result(self) -> T:
        """Raises: the error, if it failed."""
        assert self.is_done, "whoever asks has waited"
        if self._error is not None:
            raise self._error
        return cast("T", self._value)

    def __await__(self) -> Generator[Any, None, T]:
        if not self.is_done:
            here: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.then(partial(_wake, here))
            yield from here.__await__()
        return self.result()


def _wake(here: "asyncio.Future[None]", _: object) -> None:
    if not here.done():
        here.set_result(None)
