"""A live store whose answers come late and in any order, as over a busy network.

A call takes some turns of the loop to arrive, and its answer some to come back. So of several calls under way, any may
take effect first, and any may be answered first. Cancelling a call does not undo it. With `forgets`, some answers are
lost: the call takes effect, but the caller gets LiveStoreLost.

Delays are turns, not seconds. No clock is needed, so every test of the contract can run on this store.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from random import Random
from typing import Any, TypeVar

from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost

T = TypeVar("T")

NEAR = frozenset({"generation", "marks_since", "newborn", "doubts", "is_held", "is_superseded"})
TURNS = 6
"""The longest delay, each way."""


class Late:
    """Every method of `passerby.ports.live_store.LiveStore`, with delays."""

    def __init__(self, inner: LiveStore, rng: Random, forgets: float = 0.0) -> None:
        self._inner = inner
        self._rng = rng
        self._forgets = forgets
        self._under_way = set[asyncio.Task[Any]]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._far(found) if callable(found) and name not in NEAR else found

    def _far(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **more: Any) -> Any:
            task = asyncio.ensure_future(self._carry(method, args, more))
            self._under_way.add(task)
            task.add_done_callback(self._arrived)
            return await asyncio.shield(task)

        return call

    async def _carry(self, method: Callable[..., Awaitable[Any]], args: Any, more: Any) -> Any:
        await self._pass()
        answer = await method(*args, **more)
        await self._pass()
        if self._rng.random() < self._forgets:
            raise LiveStoreLost("no answer")
        return answer

    async def _pass(self) -> None:
        for _ in range(self._rng.randrange(TURNS)):
            await asyncio.sleep(0)

    def _arrived(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may have been cancelled

    async def quiet(self) -> None:
        """Wait until all calls have taken effect."""
        while self._under_way:
            await asyncio.wait(self._under_way)


class LatePlace:
    """A place whose stores are all late."""

    def __init__(self, place: Any) -> None:
        self._place = place
        self._rng = Random(11)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    @property
    def clock(self) -> Clock:
        clock: Clock = self._place.clock
        return clock

    @property
    def lease_s(self) -> float:
        lease_s: float = self._place.lease_s
        return lease_s

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        result: T = self._place.run(main)
        return result

    def open(self) -> Any:
        return Late(self._place.open(), self._rng)

    def open_bounded(self, journal_bound: int) -> Any:
        return Late(self._place.open_bounded(journal_bound), self._rng)

    def wipe(self) -> None:
        self._place.wipe()

    async def elapse(self, delay_s: float) -> None:
        await self._place.elapse(delay_s)

    async def outlast(self, delay_s: float) -> None:
        await self._place.outlast(delay_s)

    def lost(self) -> AbstractContextManager[None]:
        lost: AbstractContextManager[None] = self._place.lost()
        return lost
