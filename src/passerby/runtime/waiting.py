"""Waits that end after a given time at the latest."""

import asyncio

from passerby.ports.soon import own_task


async def event_within(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait until the event is set, but not longer than `timeout_s`. Returns whether it was set in that time."""
    await own_task()
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True


class Signal:
    """An `asyncio.Event` with a cheap wait that ends after a given time.

    Every poll waits like this. `asyncio.timeout` would end the wait by an exception, which costs more than the wait.
    """

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[asyncio.Future[bool]] = []

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                _settle(each, True)

    def clear(self) -> None:
        self._is_set = False

    async def wait(self) -> None:
        if not self._is_set:
            await self._wait(None)

    async def within(self, timeout_s: float) -> bool:
        """Wait until it is set, but not longer than `timeout_s`. Returns whether it was set in that time."""
        return self._is_set or await self._wait(timeout_s)

    async def _wait(self, timeout_s: float | None) -> bool:
        await own_task()
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(waiting)
        timer = loop.call_later(timeout_s, _settle, waiting, False) if timeout_s is not None else None
        try:
            return await waiting
        finally:
            if timer is not None:
                timer.cancel()
            if waiting in self._waiting:
                self._waiting.remove(waiting)


def _settle(waiting: "asyncio.Future[bool]", was_set: bool) -> None:
    if not waiting.done():
        waiting.set_result(was_set)
