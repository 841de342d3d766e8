"""A webhook update is answered when it is done, however often it is delivered."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from passerby.kernel.ids import PersonId, UpdateRef
from passerby.kernel.rules import Quota
from passerby.ports.message_map import Mark
from passerby.ports.telegram import Arrival
from passerby.ports.trails import Trail
from passerby.runtime.inbound.admission import Admission
from passerby.runtime.inbound.person_queues import PersonQueues, Work
from passerby.runtime.inbound.webhook_receiver import WebhookReceiver
from tests.runtime.virtual import settled
from tests.runtime.world import ANN, BOT, Assured, Bench, written
from tests.staged import in_virtual_time

REF = UpdateRef(BOT, 7)
ARRIVAL = Arrival(REF, written(ANN, "hello"))


class Endpoint:
    def __init__(self) -> None:
        self.bench = Bench()
        self.taken: list[Work] = []
        self.sure = Assured()
        person_queues = PersonQueues(self._handle, self.bench.background, self.bench.clock)
        bench = self.bench
        more = (Quota(), lambda event: False, person_queues.put)
        admission = Admission(person_queues, bench.courier, bench.store, bench.clock, *more)
        self.webhook_receiver = WebhookReceiver(bench.store, self.sure, admission, bench.albums)

    async def _handle(self, work: Work) -> None:
        self.taken.append(work)


@in_virtual_time
async def test_an_update_is_answered_when_it_is_done_and_not_before() -> None:
    receiving = Endpoint()
    asked = asyncio.ensure_future(receiving.webhook_receiver.receive(ARRIVAL))
    await asyncio.sleep(30)
    assert [work.refs for work in receiving.taken] == [(REF,)]
    assert not asked.done()
    receiving.webhook_receiver.finished(REF)
    await settled()
    assert asked.done()


@in_virtual_time
async def test_an_update_delivered_twice_is_taken_once_and_both_requests_wait() -> None:
    receiving = Endpoint()
    first = asyncio.ensure_future(receiving.webhook_receiver.receive(ARRIVAL))
    await asyncio.sleep(1)
    first.cancel()  # the first request has given up
    second = asyncio.ensure_future(receiving.webhook_receiver.receive(ARRIVAL))
    await asyncio.sleep(1)
    assert len(receiving.taken) == 1
    receiving.webhook_receiver.finished(REF)
    await second


@in_virtual_time
async def test_an_update_done_by_another_process_is_answered_at_once() -> None:
    receiving = Endpoint()
    await receiving.bench.store.mark(Mark((REF,)))
    await receiving.webhook_receiver.receive(ARRIVAL)
    assert receiving.taken == []


@in_virtual_time
async def test_nothing_is_taken_without_assurance() -> None:
    receiving = Endpoint()
    receiving.sure.is_assured = False
    asked = asyncio.ensure_future(receiving.webhook_receiver.receive(ARRIVAL))
    await asyncio.sleep(5)
    assert receiving.taken == []
    receiving.sure.is_assured = True
    receiving.sure.again.set()
    await settled()
    assert len(receiving.taken) == 1
    asked.cancel()


@in_virtual_time
async def test_at_the_end_of_an_incarnation_waiting_requests_fail() -> None:
    receiving = Endpoint()
    asked = asyncio.ensure_future(receiving.webhook_receiver.receive(ARRIVAL))
    await settled()
    receiving.webhook_receiver.close()
    with pytest.raises(asyncio.CancelledError):
        await asked


@in_virtual_time
async def test_an_update_that_comes_twice_at_the_same_moment_is_taken_once() -> None:
    """Both requests ask the store whether it is done, and both hear that it is not."""
    receiving = Endpoint()
    known = receiving.bench.store.known

    async def later(*of: Any) -> Any:
        await asyncio.sleep(1)
        return await known(*of)

    receiving.bench.store.known = later  # type: ignore[method-assign]
    both = [asyncio.ensure_future(receiving.webhook_receiver.receive(ARRIVAL)) for _ in range(2)]
    await asyncio.sleep(5)
    assert [work.refs for work in receiving.taken] == [(REF,)]
    receiving.webhook_receiver.finished(REF)
    await asyncio.gather(*both)


@in_virtual_time
async def test_an_update_that_another_process_did_while_an_album_was_sent_is_not_done_again() -> None:
    """Sending the stored album may take until Telegram has delivered the update elsewhere, too."""
    receiving = Endpoint()
    store, albums = receiving.bench.store, receiving.bench.albums
    await albums.store_item(Arrival(UpdateRef(BOT, 6), written(ANN, "a", group="g")), ())
    send_stored = albums.send_stored

    async def slowly(person: PersonId, trail: Sequence[Trail]) -> bool:
        behind = await send_stored(person, trail)
        await store.mark(Mark((REF,)))  # by another process
        return behind

    albums.send_stored = slowly  # type: ignore[method-assign]
    async with asyncio.timeout(60):
        await receiving.webhook_receiver.receive(ARRIVAL)
    assert [work.refs for work in receiving.taken] == []
