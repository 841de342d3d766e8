"""Runs one incarnation of a worker after another: a worker that has lapsed is abandoned, and a new one begins.

The new one has a new name and nothing in hand, so there is nothing to clean up.
"""

import asyncio
from collections.abc import Awaitable, Callable

from passerby.ports.clock import Clock
from passerby.runtime.worker import Worker
from passerby.telemetry import logs

PAUSE_S = 0.5
"""Between two incarnations, so that a store that evicts us again and again is not flooded."""


async def supervise(
    make: Callable[[], Worker],
    stop: asyncio.Event,
    clock: Clock,
    stop_timeout_s: float,
    on_ready: Callable[[Worker], None] = lambda worker: None,
    on_end: Callable[[bool], None] = lambda lapsed: None,
) -> bool:
    """Keep a worker going until `stop` is set; then stop it. Returns whether everything in hand was finished.

    `on_ready` is called when an incarnation takes updates. `on_end` is called before it is stopped (with False) or
    abandoned (with True). Raises: NoBotWorks, in the first incarnation.
    """
    while True:
        worker = make()
        try:
            if not await _first(worker.start(), stop, worker.has_lapsed):
                on_ready(worker)
                await _first(asyncio.get_running_loop().create_future(), stop, worker.has_lapsed)
            on_end(not stop.is_set())
            if stop.is_set():
                logs.record("runtime.stopping")
                return await worker.stop(stop_timeout_s)
        except BaseException:
            await worker.abandon()
            raise
        await worker.abandon()
        logs.record("runtime.restarted")
        await clock.sleep(PAUSE_S)


async def _first(work: Awaitable[object], *events: asyncio.Event) -> bool:
    """Wait for the work or for one of the events. Returns whether an event was first; then the work is cancelled."""
    doing = asyncio.ensure_future(work)
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait((doing, *waits), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
            return False
        return True
    finally:
        for task in (doing, *waits):
            task.cancel()
        await asyncio.gather(doing, *waits, return_exceptions=True)
