"""A refused write ends the worker only if the lease is one that the worker takes for its own."""

import asyncio

from passerby.ports.leases import Fence, bot_lease
from passerby.runtime.membership.fencing import write_refused
from tests.runtime.world import BOT, OTHER_BOT, Leaseholder
from tests.staged import in_virtual_time

MINE, OTHER = Fence(bot_lease(BOT), 3), Fence(bot_lease(OTHER_BOT), 1)


@in_virtual_time
async def test_a_write_refused_after_the_lease_was_given_away_ends_only_that_write() -> None:
    leases = Leaseholder()
    leases.held = {MINE}
    await write_refused(leases, (OTHER, Fence(MINE.lease, MINE.epoch - 1)))
    await write_refused(leases, ())
    assert leases.lapses == []


@in_virtual_time
async def test_a_write_refused_under_a_lease_of_ours_ends_the_incarnation() -> None:
    leases = Leaseholder()
    leases.held = {MINE}
    refused = asyncio.ensure_future(write_refused(leases, (OTHER, MINE)))
    await asyncio.sleep(3600)
    assert leases.lapses == ["a write was refused"]
    assert not refused.done(), "whoever made the write does nothing more"
    refused.cancel()
