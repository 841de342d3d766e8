"""Measures for the metrics what only this process can: its disk, its machine's clock, and its own crashes."""

import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from passerby.ports.clock import Clock
from passerby.runtime.crash_times import CrashTimes
from passerby.settings import Settings
from passerby.telemetry import metrics

LOOK_EVERY_S: Final = 10.0
CLOCK_EVERY_S: Final = 300.0
PATIENCE_S: Final = 10.0
SURE_S: Final = 1.0


class SelfWatch:
    """`server_time` returns how late it is for the Bot API server, in Unix seconds; None if it does not say."""

    def __init__(
        self,
        places: tuple[Path, ...],
        crashes: CrashTimes,
        clock: Clock,
        server_time: Callable[[], Awaitable[float | None]],
    ) -> None:
        self._places = places
        self._crashes = crashes
        self._clock = clock
        self._server_time = server_time
        self._compared_at = float("-inf")

    async def run(self) -> None:
        while True:
            self.measure()
            if self._clock.monotonic() - self._compared_at >= CLOCK_EVERY_S:
                await self.compare()
            await self._clock.sleep(LOOK_EVERY_S)

    def measure(self) -> None:
        recent = self._crashes.last_hour(self._clock.now())
        metrics.CRASHED.set(len(recent))
        metrics.STUCK.set(sum(each.was_stuck for each in recent))
        free = [share for place in self._places if (share := free_percent(place)) is not None]
        if free:
            metrics.DISK_FREE.set(min(free))

    async def compare(self) -> bool:
        """Compare this machine's clock with the server's. Returns whether that was possible.

        An answer that takes long says little about the time.
        """
        self._compared_at = self._clock.monotonic()
        asked_at = self._clock.now()
        theirs = await self._server_time()
        now = self._clock.now()
        if theirs is None or not 0 <= now - asked_at <= SURE_S:
            return False
        # The server has answered at some time between the two.
        metrics.CLOCK_SKEW.set((asked_at + now) / 2 - theirs)
        return True


def free_percent(place: Path) -> float | None:
    """The free share of the disk at `place`, in percent; None if the disk does not answer."""
    with suppress(OSError):
        usage = shutil.disk_usage(place)
        if usage.total:
            return 100 * usage.free / usage.total
    return None


async def server_time(bot_api_url: str) -> float | None:
    """The time in the answer's Date header, in Unix seconds. The request needs no token."""
    builder = ClientBuilder().timeout(timedelta(seconds=PATIENCE_S)).follow_redirects(False)
    if "//127." in bot_api_url or "//localhost" in bot_api_url:
        builder = builder.no_proxy()
    try:
        async with builder.build() as client:
            response = await client.get(bot_api_url).build().send()
            date = response.get_header("Date")
    except PyreqwestError:
        return None
    # The header has whole seconds.
    return parsedate_to_datetime(date).timestamp() + 0.5 if date is not None else None


def places(settings: Settings) -> tuple[Path, ...]:
    """Where this process writes."""
    data = () if settings.postgres_uri is not None else (settings.sqlite_db_path.absolute().parent,)
    return (*data, settings.run_path.absolute() if settings.run_path.exists() else settings.run_path.absolute().parent)
