"""The contract of memos: notes that a duty keeps for whoever does it next."""

import pytest

from passerby.ports.leases import Fence, Fenced, WorkerId, duty_lease
from passerby.ports.live_store import LiveStore
from tests.contract.live_body import survives
from tests.contract.live_places import Place

ONE, TWO = WorkerId("one"), WorkerId("two")
DUTY = duty_lease("alerts")


@survives
async def test_a_note_is_there_for_whoever_does_the_duty_next(place: Place, store: LiveStore, later: LiveStore) -> None:
    await store.keep_memo("alerts", b"\x00first")
    await store.keep_memo("alerts", b"\x00second")
    await store.keep_memo("other", b"")
    assert await later.memos(("alerts", "other", "unknown")) == {"alerts": b"\x00second", "other": b""}
    assert await later.memos(()) == {}
    await later.keep_memo("alerts", None)
    await later.keep_memo("unknown", None)
    assert await later.memos(("alerts",)) == {}


@survives
async def test_a_worker_that_has_lost_the_duty_changes_no_note(
    place: Place, store: LiveStore, later: LiveStore
) -> None:
    for worker in (ONE, TWO):
        await store.heartbeat(worker, {}, place.lease_s, b"")
    epoch = await store.take(ONE, DUTY, place.lease_s)
    assert epoch is not None
    mine = Fence(DUTY, epoch)
    await store.keep_memo("alerts", b"mine", mine)
    await store.give(ONE, DUTY, epoch)
    assert await store.take(TWO, DUTY, place.lease_s) is not None
    with pytest.raises(Fenced):
        await store.keep_memo("alerts", b"stale", mine)
    assert await store.memos(("alerts",)) == {"alerts": b"mine"}
