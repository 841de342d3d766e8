"""One process, incarnation after incarnation: a worker that has lapsed is abandoned, and another begins in its place.

It begins as a stranger, with a name of its own and nothing in hand. That is all the cleaning up there is.
"""

import asyncio
from collections.abc import Awaitable, Callable

from passerby.ports.clock import Clock
from passerby.runtime.worker import App
from passerby.telemetry import logs

PAUSE_S = 0.5
"""Between two incarnations: a store that evicts us again and again is not to be besieged."""


async def supervise(
    make: Callable[[], App],
    stop: asyncio.Event,
    clock: Clock,
    stop_timeout_s: float,
    on_ready: Callable[[App], None] = lambda app: None,
    on_end: Callable[[bool], None] = lambda lapsed: None,
) -> bool:
    """Keep an app going until `stop` is set; then stop it. Returns whether everything in hand was finished.

    `on_ready` is called in each incarnation, when it takes updates; `on_end` when that is over, before anything is
    stopped or abandoned (then with True). Raises: NoBotWorks, in the first.
    """
    while True:
        app = make()
        try:
            if not await _first(app.start(), stop, app.has_lapsed):
                on_ready(app)
                await _first(asyncio.get_running_loop().create_future(), stop, app.has_lapsed)
            on_end(not stop.is_set())
            if stop.is_set():
                logs.record("runtime.stopping")
                return await app.stop(stop_timeout_s)
        except BaseException:
            await app.abandon()
            raise
        await app.abandon()
        logs.record("runtime.anew")
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
