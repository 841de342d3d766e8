"""Running Passerby in this process: an event loop, the signals that end it, and nothing of what it does."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import Literal

from passerby import logs
from passerby.cli.notify import Notify
from passerby.cli.recycling import Recycling
from passerby.settings import Settings

STOPPING = (signal.SIGINT, signal.SIGTERM)

Role = Literal["all", "worker", "web"]


def serve(
    settings: Settings, *, role: Role = "all", name: str = "passerby", on_ready: Callable[[], None] | None = None
) -> None:
    """Serve until a signal says stop. A second one ends the process at once with 128 + its number.

    A worker of a cluster also ends when it has grown too large, because supervisor starts it again. Any process ends
    with code 70 when its event loop is stuck.
    Raises: WrongSetting, for faults found while opening.
    """
    from passerby import bootstrap
    from passerby.cluster import processes

    def rss() -> int | None:
        reading = processes.read(os.getpid())
        return reading.rss if reading is not None else None

    async def main(stop: asyncio.Event) -> None:
        notify = Notify()
        loop = asyncio.get_running_loop()

        def beat() -> None:
            notify.alive(loop.time())
            if stop.is_set():
                notify.stopping()

        def ready() -> None:
            notify.ready()
            if on_ready is not None:
                on_ready()

        recycling = Recycling(settings.max_memory_mb, stop, rss, SystemRandom())
        if role != "all":
            recycling.begin()
        try:
            await bootstrap.serve(settings, role=role, name=name, on_ready=ready, stop=stop, on_beat=beat)
        finally:
            recycling.close()

    run_until_signal(main)


def run_until_signal(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `main` with an event that SIGTERM and SIGINT set. uvloop where there is one, else asyncio's own loop."""

    async def watched() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.on_loop_error)
        for number in STOPPING:
            loop.add_signal_handler(number, _heed, number, stop)
        await main(stop)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(watched())


def _heed(number: signal.Signals, stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(128 + number)
    stop.set()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
