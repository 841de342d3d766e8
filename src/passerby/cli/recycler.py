"""Ends a process cleanly when it has grown too large. Its supervisor then starts it again.

The memory of a long-lived process grows slowly, and the kernel kills a process that uses too much. This stops it before
that: with exit code 0, nothing lost, and no crash counted. `passerby run` in a terminal has no supervisor, so it is not
ended.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Final

from passerby.telemetry import logs

SHARE: Final = 0.8
"""A process ends when it uses this share of MAX_MEMORY_MB."""
AT_ONCE: Final = 0.95
LOOK_S: Final = 5.0
FIRST_LOOK_S: Final = 60.0
"""If a process is too large right after its start, its limit is too small, and restarts would not help."""
SPREAD_S: Final = 30.0
"""Processes that grow alike must not end together: each waits a random part of this, unless there is no time left."""

_MB: Final = 1024 * 1024


class Recycler:
    """Checks `rss` (bytes; None if the system does not tell) and sets `stop` once. Runs until then, or until
    `close`."""

    def __init__(self, limit_mb: int, stop: asyncio.Event, rss: Callable[[], int | None], rng: Random) -> None:
        self._limit = limit_mb * _MB
        self._stop = stop
        self._rss = rss
        self._looks_left = 1 + int(rng.random() * SPREAD_S / LOOK_S)
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        self._look_in(FIRST_LOOK_S)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def check(self) -> None:
        if self._stop.is_set():
            return
        share = (self._rss() or 0) / self._limit
        if share > SHARE:
            self._looks_left -= 1
            if share > AT_ONCE or self._looks_left <= 0:
                reason = f"{share:.0%} of MAX_MEMORY_MB; this process ends and is started again"
                logs.record("process.recycling", "warning", reason=reason)
                self._stop.set()
                return
        self._look_in(LOOK_S)

    def _look_in(self, delay_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self.check)
