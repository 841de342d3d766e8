"""The memory store at the end of a wire, as a store of another process would be: every call takes a moment before it
has its effect, and while it is lost no call gets there. Only so can two decisions overtake each other.

With `late_answers` the answer takes a moment too. Then what is said after a commit may be overtaken by what is said
after the next one: a store whose answers are late needs more than the courier's queues to keep notices in order.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from passerby.adapters.memory import MemoryStore
from passerby.ports.live_store import LiveStoreLost

NEAR = frozenset({"generation", "newborn", "doubts", "is_held", "aclose"})


class Distant:
    """Every method of `passerby.ports.live_store.LiveStore`, further away.

    A leg takes up to `delay_s`; `lost` says whether nobody can get there now, `forgetful` whether the answer is lost to
    something that was done.
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
