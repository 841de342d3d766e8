"""The contract of what `runtime.inbound.continuity` needs: marks that a store does not lose unnoticed, and its note."""

import pytest

from passerby.kernel.event import Unusable
from passerby.kernel.ids import UpdateRef
from passerby.ports.leases import Fence, bot_lease
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.telegram import Arrival
from passerby.runtime.inbound.continuity import ROOM, STEADY, Continuity
from tests.contract.live_body import contract, survives
from tests.contract.live_places import Place
from tests.runtime.world import ANN, BOT, ME, Leaseholder

LAST = STEADY + 5
"""The last update that the first process takes."""


@survives
async def test_the_name_of_the_time_without_lost_marks_stays_after_a_kill(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    await store.adopt((), whole=True)
    since = store.marks_since
    assert since is not None
    await store.mark(Mark((UpdateRef(BOT, 7),)))
    assert await later.done(BOT, (7, 8)) == {7}
    assert later.marks_since == since


@contract
async def test_a_wiped_store_does_not_say_that_it_has_all_marks(place: Place) -> None:
    store = place.open()
    await store.adopt((), whole=True)
    since = store.marks_since
    await store.mark(Mark((UpdateRef(BOT, 7),)))
    place.wipe()
    with pytest.raises(LiveStoreLost):
        await store.figures()
    await store.adopt((), whole=True)
    assert await store.done(BOT, (7,)) == set()
    assert store.marks_since != since


class _Process:
    """One process after another that serves the bot. `ended`: how often all chats of the bot had to end."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.ended = 0

    async def begin(self) -> None:
        store = self.store = self._place.open()
        await store.adopt((), whole=True)
        epoch = None
        while epoch is None:  # after a wipe, leases of the time before are waited for
            await store.heartbeat(ME, {}, self._place.lease_s, b"")
            if (epoch := await store.take(ME, bot_lease(BOT), self._place.lease_s)) is None:
                await self._place.outlast(self._place.lease_s / 2)
        fence = Fence(bot_lease(BOT), epoch)
        self._watch = Continuity(BOT, fence, store, self._place.clock, Leaseholder(), self._doubt)

    async def _doubt(self, bot: object, fence: object, *, at_start: bool = False) -> int:
        self.ended += 1
        return 0

    async def gets(self, first: int, last: int) -> None:
        """Handle these updates, and confirm them."""
        arrivals = [Arrival(UpdateRef(BOT, number), Unusable(ANN, BOT)) for number in range(first, last + 1)]
        await self._watch.check(arrivals, first)
        await self.store.mark(Mark(tuple(each.ref for each in arrivals)))
        if last + 1 > self._watch.ceiling:
            await self._watch.raise_ceiling(last + 1)


@pytest.mark.parametrize(("missing", "ended"), [(0, 0), (1, 1), (ROOM + 50, 1)])
@pytest.mark.parametrize("unnoted", [0, ROOM // 2])
def test_the_next_process_notices_the_updates_that_somebody_else_took(
    place: Place, unnoted: int, missing: int, ended: int
) -> None:
    """`unnoted`: those that came after the last note. Their marks say that they are ours."""

    async def main() -> None:
        process = _Process(place)
        await process.begin()
        await process.gets(1, LAST)
        for number in range(LAST + 1, LAST + unnoted + 1):
            await process.gets(number, number)
        await process.begin()
        first = LAST + unnoted + missing + 1
        await process.gets(first, first + 2)
        assert process.ended == ended

    place.run(main())


@contract
async def test_a_wiped_store_ends_no_chats_because_of_missing_updates(place: Place) -> None:
    """The repair of the wiped store ends them, if need be."""
    process = _Process(place)
    await process.begin()
    await process.gets(1, LAST)
    place.wipe()
    with pytest.raises(LiveStoreLost):
        await process.store.figures()
    await process.begin()
    await process.gets(LAST + 10, LAST + 12)
    assert not process.ended
