"""The machine's time, behind the port `Clock`."""

import asyncio
import time


class SystemClock:
    """The machine's own time."""

    now = staticmethod(time.time)  # noqa: TID251  # the source of time
    monotonic = staticmethod(time.monotonic)  # noqa: TID251  # the source of time

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
