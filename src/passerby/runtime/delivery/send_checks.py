"""Checks with the store whether a delivery may be sent: its chat must be open, and other processes may go first.

A notice waits until earlier notices to its reader have left other processes, and a relay waits until its reader has
been told of the chat. Both waits have a limit. If it is reached, the queue stops waiting for others for a while.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from passerby.domain.delivery.events import Checked, Delayed, Event, Hopeless, Superseded
from passerby.kernel.event import Refusal
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore
from passerby.ports.outbox import Notice
from passerby.runtime.delivery.by_chat import NOTICE
from passerby.runtime.delivery.courier_queue import CourierQueue
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.delivery.passing_notices import Claims, as_claimed
from passerby.telemetry import metrics

ORDER_POLL_S = 0.05
TOLD_WAIT_S = 10.0
"""How long a relay waits for the notice that tells its reader of the chat."""

PRECEDED_WAIT_S = 60.0
"""How long a notice waits for an earlier one of another process. That process may be dead, and its notice inherited."""

NO_WAIT_S = 120.0
"""After a wait that reached its limit, deliveries in this queue do not wait for other processes for this long."""


class SendChecks:
    """Decides whether a delivery may be sent now. `shared`: there may be other processes."""

    def __init__(self, store: LiveStore, clock: Clock, claims: Claims, *, shared: bool) -> None:
        self._store = store
        self._clock = clock
        self._claims = claims
        self._shared = shared
        self._under_way = self._begun = 0  # inheritances

    @contextmanager
    def inheritance(self) -> Iterator[None]:
        """Mark the time in which we take over entries of others and hand them to the courier.

        Meanwhile the store counts the entries as ours, but they are in no queue yet. So deliveries that may come after
        one of them wait.
        """
        self._under_way += 1
        self._begun += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def check(self, queue: CourierQueue, delivery: Delivery) -> Event:
        """Ask the store about a delivery. Returns the event for its queue. Raises: LiveStoreLost."""
        generation, relay_effect = self._store.generation, delivery.relay_effect
        waits = self._shared and await self._must_wait(queue, delivery)
        if relay_effect is not None and not await self._store.open_chats((relay_effect.chat,)):
            return Hopeless(Refusal.LEFT)
        if waits:
            return Delayed(self._clock.monotonic() + ORDER_POLL_S)
        if delivery.notice is not None and delivery.notice.is_held:
            return await self._claimed(delivery, delivery.notice)
        if relay_effect is not None:
            delivery.generation = generation
        return Checked()

    async def _claimed(self, delivery: Delivery, notice: Notice) -> Event:
        """Claim a passing notice, so that a notice of another process that ends its search waits for it."""
        is_claimed = await self._claims.claim(notice, delivery.generation)
        if is_claimed is None:
            return Delayed(self._clock.monotonic() + ORDER_POLL_S)
        if not is_claimed:
            metrics.SUPERSEDED.add(NOTICE)
            return Superseded(delivery)
        delivery.notice = as_claimed(notice)
        return Checked()

    async def _must_wait(self, queue: CourierQueue, delivery: Delivery) -> bool:
        """Whether another process must send something first. Once a wait is over, it is never asked again for this
        delivery."""
        relay_effect = delivery.relay_effect
        if relay_effect is not None and not delivery.reader_told:
            if not await self._store.told(relay_effect.chat, delivery.person) and self._may_wait(delivery, TOLD_WAIT_S):
                return True
            delivery.reader_told, delivery.waits_until = True, None
        if delivery.in_turn or delivery.is_aside or (relay_effect is not None and not delivery.parked):
            return False
        now = self._clock.monotonic()
        if now >= queue.no_wait_until and await self._is_preceded(delivery):
            if self._may_wait(delivery, PRECEDED_WAIT_S):
                return True
            queue.no_wait_until = now + NO_WAIT_S
        delivery.in_turn = True
        return False

    async def _is_preceded(self, delivery: Delivery) -> bool:
        begun = self._begun
        if self._under_way or await self._store.is_preceded(delivery.id):
            return True
        # An entry that we took over meanwhile may be the earlier one. The next check finds it in our queue.
        return begun != self._begun

    def _may_wait(self, delivery: Delivery, bound_s: float) -> bool:
        """Whether a delivery may still wait for others."""
        now = self._clock.monotonic()
        if delivery.waits_until is None:
            delivery.waits_until = now + bound_s
        return now < delivery.waits_until
