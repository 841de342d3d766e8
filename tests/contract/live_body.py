"""How a test of the live store's contract is written: as a body that runs in the loop of its place."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from typing import Any

import pytest

from passerby.kernel.participant import Participant
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.participants import Commit, Committed
from tests.contract.live_places import Place


def contract(body: Callable[[Place], Awaitable[None]]) -> Callable[[Place], None]:
    """A test's body is asynchronous, and runs in the loop of its place."""

    @wraps(body)
    def test(place: Place) -> None:
        async def main() -> None:
            await body(place)

        place.run(main())

    return test


def survives(body: Callable[[Place, LiveStore, LiveStore], Awaitable[None]]) -> Any:
    """The same twice: once read back from the store that was written to, once after a kill."""

    @pytest.mark.parametrize("killed", [False, True], ids=["at once", "after a kill"])
    def test(place: Place, killed: bool) -> None:
        async def main() -> None:
            store = place.open()
            await body(place, store, Later(place) if killed else store)

        place.run(main())

    test.__name__ = body.__name__
    test.__doc__ = body.__doc__
    return test


class Later:
    """A store that is opened anew for each question, as after a kill."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place.open(), name)


async def put(store: LiveStore, *people: Participant, **rest: Any) -> None:
    assert await store.commit(Commit(people, **rest)) is Committed.YES


async def settled(store: LiveStore) -> None:
    """After an outage: where the store has doubts, they are resolved, as by a worker that finds no difference."""
    with suppress(LiveStoreLost):
        await store.figures()
    if store.doubts:
        assert await store.claim_doubts(WorkerId("mender"), 1.0)
    if store.doubts or store.newborn:
        await store.adopt((), whole=True)


async def journal(store: LiveStore) -> list[Any]:
    return await store.journal(0, 1000)
