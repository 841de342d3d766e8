"""The memory store behind a network, like a store in another process. Every call takes a moment before it has its
effect, and during an outage no call gets there. Without these delays no decision would ever be stale.

With `late_answers` the response takes a moment too. Then code after one commit may run later than code after the next
commit. With such a store, the courier's queues alone do not keep notices in order.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from passerby.adapters.memory import MemoryStore
from passerby.ports.live_store import LiveStoreLost

NEAR = frozenset({"generation", "marks_since", "newborn", "doubts", "is_held", "aclose"})


class RemoteStore:
    """Every method of `passerby.ports.live_store.LiveStore`, with delays.

    Each way takes up to `delay_s`. `lost` says whether the store cannot be reached now. `forgetful` says whether the
    response to a completed call is lost.
    """

    def __init__(
        self,
        inner: MemoryStore,
        rng: Random,
        delay_s: float,
        lost: Callable[[], bool],
        *,
        late_answers: bool = False,
        forgetful: Callable[[], bool] = lambda: False,
    ) -> None:
        self._late_answers = late_answers
        self._forgetful = forgetful
        self._inner = inner
        self._rng = rng
        self._delay_s = delay_s
        self._lost = lost

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return found if name in NEAR else self._far(found)

    def _far(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **more: Any) -> Any:
            await asyncio.sleep(self._rng.random() * self._delay_s)
            if self._lost():
                raise LiveStoreLost("no connection")
            answer = await method(*args, **more)
            if self._forgetful():
                raise LiveStoreLost("no answer")
            if self._late_answers:
                await asyncio.sleep(self._rng.random() * self._delay_s)
            return answer

        return call
