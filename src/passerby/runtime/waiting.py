"""Waits with a bound."""

import asyncio

from passerby.ports.soon import own_task


async def event_within(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait until the event is set, but not longer than `timeout_s`. Returns whether it was set in that time."""
    await own_task()
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
