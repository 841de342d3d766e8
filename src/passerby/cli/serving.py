"""Runs Passerby in this process: the event loop, and the signals that end it."""

import asyncio
import os
import resource
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import Literal

from passerby.cli.lean_imports import keep_all, lean_imports
from passerby.cli.notify import Notify
from passerby.cli.recycler import Recycler
from passerby.settings import Settings, WrongSetting
from passerby.telemetry import logs

STOPPING = (signal.SIGINT, signal.SIGTERM)
FEW_FILES, ENOUGH_FILES = 64, 1024
"""A process without people already has about thirty files open: libraries, the stores, its sockets."""
LAST_S = 3.0
"""The extra time for closing files and connections. It usually takes much less."""

Role = Literal["all", "worker", "web"]


def serve(
    settings: Settings, *, role: Role = "all", name: str = "passerby", on_ready: Callable[[], None] | None = None
) -> None:
    """Serve until a signal tells the process to stop. A second signal ends it at once, with code 128 + its number.

    A worker of a cluster also ends when it has grown too large; supervisor starts it again. Any process ends with code
    70 if its event loop is stuck.
    Raises: WrongSetting, for faults that are found during the start.
    """
    _find_room_for_files()
    with lean_imports():
        from passerby.bootstrap import serving
        from passerby.ops.cluster import processes

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
            keep_all()
            notify.ready()
            if on_ready is not None:
                on_ready()

        recycling = Recycler(settings.max_memory_mb, stop, rss, SystemRandom())
        if role != "all":
            recycling.begin()
        try:
            await serving.serve(settings, role=role, name=name, on_ready=ready, stop=stop, on_beat=beat)
        finally:
            recycling.close()

    run_until_signal(main, settings.shutdown_timeout_s)


def _find_room_for_files() -> None:
    """Raise the limit of open files, if it is very low and that is allowed. Raises: WrongSetting, if it is not."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now != resource.RLIM_INFINITY and now < FEW_FILES:
        wanted = ENOUGH_FILES if most == resource.RLIM_INFINITY else min(most, ENOUGH_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        if wanted < FEW_FILES:
            problem = f"files that this process may open: {wanted}"
            raise WrongSetting("ulimit -n", problem, "allow 1024 or more (LimitNOFILE under systemd)")


def run_until_signal(main: Callable[[asyncio.Event], Awaitable[None]], within_s: float | None = None) -> None:
    """Run `main` with an event that SIGTERM and SIGINT set. Uses uvloop if it is installed, otherwise asyncio's loop.

    `within_s`: the time that `main` needs to end. If a disk or a library blocks it for LAST_S longer, the process ends
    at once with exit code 1, as by `kill -9`.
    """

    async def watched() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.on_loop_error)
        for number in STOPPING:
            loop.add_signal_handler(number, _heed, number, stop, within_s)
        await main(stop)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(watched())


def _heed(number: signal.Signals, stop: asyncio.Event, within_s: float | None) -> None:
    if stop.is_set():
        os._exit(128 + number)
    stop.set()
    if within_s is not None:
        # A thread, because the event loop itself may hang.
        last = threading.Timer(within_s + LAST_S, _cut_short)
        last.daemon = True
        last.start()


def _cut_short() -> None:
    reason = "a disk or a server does not answer; whatever is not finished is done by the next start"
    logs.record("runtime.cut_short", "error", reason=reason)
    os._exit(1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
