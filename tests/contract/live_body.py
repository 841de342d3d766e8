"""Decorators for tests of the live store's contract: an asynchronous body runs in the loop of its place."""

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
    """Run an asynchronous body in the loop of its place."""

    @wraps(body)
    def test(place: Place) -> None:
        async def main() -> None:
            await body(place)

        place.run(main())

    return test


def survives(body: Callable[[Place, LiveStore, LiveStore], Awaitable[None]]) -> Any:
    """Run the test twice: `later` is the same store, then a store that is opened after a kill."""

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
    """A store that is opened again for each call, as after a kill."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place.open(), name)


async def put(store: LiveStore, *people: Participant, **rest: Any) -> None:
    assert await store.commit(Commit(people, **rest)) is Committed.YES


async def settled(store: LiveStore) -> None:
    """After an outage: resolve the store's doubts, like a worker that finds no difference."""
    with suppress(LiveStoreLost):
        await store.figures()
    if store.doubts:
        assert await store.claim_doubts(WorkerId("mender"), 1.0)
    if store.doubts or store.newborn:
        await store.adopt((), whole=True)


async def journal(store: LiveStore) -> list[Any]:
    return await store.journal(0, 1000)
