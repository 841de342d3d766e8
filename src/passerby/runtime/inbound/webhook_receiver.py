"""Webhook updates: each request stays open until its update is done.

Telegram keeps an update until it is answered with success, so the answer is the confirmation. It may be given only when
the update is done, or durably parked. An unanswered update comes again, to this or to another process. Here it joins
the one that is being worked on; elsewhere the live store shows whether it is done.

The items of an album are stored and answered at once (see `albums`). A refused update (see `admission`) is answered
when its sender has been told.
"""

import asyncio

from passerby.kernel.ids import UpdateRef
from passerby.ports.live_store import LiveStore
from passerby.ports.telegram import Arrival
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.inbound.admission import Admission
from passerby.runtime.inbound.albums import Albums, is_item
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.membership.heartbeat import Assurance
from passerby.telemetry import metrics


class WebhookReceiver:
    def __init__(
        self,
        store: LiveStore,
        assurance: Assurance,
        admission: Admission,
        albums: Albums,
        recorder: FlightRecorder | None = None,
    ) -> None:
        self._store = store
        self._recorder = recorder or FlightRecorder()
        self._assurance = assurance
        self._admission = admission
        self._albums = albums
        self.waiting: dict[UpdateRef, asyncio.Future[None]] = {}
        """Updates that a request waits for."""

    async def receive(self, arrival: Arrival) -> None:
        """Return when the update is done. Raises: LiveStoreLost."""
        ref, event = arrival.ref, arrival.event
        waiting, behind, is_admitted, crashed = self.waiting.get(ref), False, True, 0
        if waiting is None:
            await self._assurance.assured()
            # The two reads share one round trip.
            (done, crashes), trail = await asyncio.gather(
                self._store.known(ref.bot, (ref.update,)), self._store.trail(event.person)
            )
            if ref.update in done:
                self._albums.watch(trail)
                return
            crashed = crashes.get(ref.update, 0)
            is_admitted = self._admission.admits(event, len(trail))
            if is_admitted and is_item(event) and not crashed:
                metrics.UPDATES.add(ref.bot, type(event).__name__)
                await self._recorder.follow(self._albums.store_item(arrival, trail), (ref,))
                return
            if is_admitted and trail:
                behind = await self._albums.send_stored(event.person, trail)
                if ref.update in await self._store.done(ref.bot, (ref.update,)):
                    return  # sending the album took a while
            waiting = self.waiting.get(ref)  # the update may have come twice meanwhile
        if waiting is None:
            waiting = self.waiting[ref] = asyncio.get_running_loop().create_future()
            metrics.UPDATES.add(ref.bot, type(event).__name__)
            work = Work(event, (ref,), behind=behind, crashes=crashed)
            (self._admission.enqueue if is_admitted else self._admission.refuse)(work)
        await asyncio.shield(waiting)

    def finished(self, ref: UpdateRef) -> None:
        waiting = self.waiting.pop(ref, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def close(self) -> None:
        """End all waiting requests without success. Telegram delivers those updates again."""
        for waiting in self.waiting.values():
            waiting.cancel()
        self.waiting.clear()
