"""Stores how deliveries end, and counts them. Only then does their queue go on."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from passerby.domain.delivery.commands import StoreDelivered, StoreFailed, StoreStep
from passerby.domain.delivery.events import StepStored
from passerby.kernel.effect import RelayEffect
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, MessageId
from passerby.ports.clock import Clock
from passerby.ports.soon import Soon
from passerby.runtime.delivery.by_chat import KINDS
from passerby.runtime.delivery.courier_queue import CourierQueue, Feed
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.tasks import Background
from passerby.telemetry import metrics
from passerby.telemetry.instruments import Count, Timings


class Outcomes(Protocol):
    """Stores how deliveries end."""

    def delivered(
        self, delivery: Delivery, messages: tuple[MessageId, ...], then: Callable[[BaseException | None], None]
    ) -> Coroutine[Any, Any, None] | None:
        """Store that a delivery has arrived. `then` is called when that is stored, or gets the error that prevented it.

        Or returns a coroutine that does the same when it is run; then `then` is not called.
        """
        ...

    def failed(self, delivery: Delivery, refusal: Refusal) -> Coroutine[Any, Any, None]:
        """Store that a delivery has ended undelivered."""
        ...

    async def advanced(self, delivery: Delivery) -> None:
        """One of several steps has arrived. If this cannot be stored now, nothing is lost."""
        ...


class Ended(Protocol):
    def __call__(self, queue: CourierQueue, delivery: Delivery, is_known: bool) -> None:
        """The end of a delivery is stored; or it is not (`is_known`), because of a bug."""


class OutcomeWriter:
    def __init__(
        self,
        outcomes: Outcomes,
        background: Background,
        recorder: FlightRecorder,
        clock: Clock,
        ended: Ended,
        feed: Feed,
    ) -> None:
        self._outcomes = outcomes
        self._background = background
        self._recorder = recorder
        self._clock = clock
        self._ended = ended
        self._feed = feed
        self._delivered: dict[tuple[BotId, type[RelayEffect]], tuple[Count, Timings]] = {}
        self.under_way: set[Delivery] = set()
        """Deliveries that have arrived and are not stored as delivered yet."""

    def delivered(self, queue: CourierQueue, command: StoreDelivered, now: float) -> None:
        delivery = command.delivery
        assert isinstance(delivery, Delivery), "the courier put it in"
        self._count(delivery, "delivered" if delivery.tried_at is not None else "nothing", now)
        self.under_way.add(delivery)
        then = partial(self._is_stored, queue, delivery)
        storing = self._outcomes.delivered(delivery, command.messages, then)
        if storing is not None:
            self._background.begin(storing, delivery.refs).then(partial(self._has_ended, then))

    def failed(self, queue: CourierQueue, command: StoreFailed, now: float) -> None:
        delivery, refusal = command.delivery, command.refusal
        assert isinstance(delivery, Delivery), "the courier put it in"
        self._count(delivery, str(refusal), now)
        if delivery.steps is not None:
            delivery.steps.give_up(refusal)
            refusal = next(iter(delivery.steps.failed.values()), refusal)
        storing = self._background.begin(self._outcomes.failed(delivery, refusal), delivery.refs)
        storing.then(partial(self._has_ended, partial(self._is_stored, queue, delivery)))

    def step(self, queue: CourierQueue, command: StoreStep, now: float) -> None:
        delivery = command.delivery
        assert isinstance(delivery, Delivery), "the courier put it in"
        self.under_way.add(delivery)
        storing = self._background.begin(self._outcomes.advanced(delivery))
        self._background.when_done(storing, partial(self._has_advanced, queue, delivery))

    def _has_advanced(self, queue: CourierQueue, delivery: Delivery, answer: Soon[None]) -> None:
        self.under_way.discard(delivery)
        self._feed(queue, StepStored())
        answer.result()

    def _has_ended(self, then: Callable[[BaseException | None], None], answer: Soon[None]) -> None:
        then(answer.error)

    def _is_stored(self, queue: CourierQueue, delivery: Delivery, error: BaseException | None) -> None:
        """The end is stored, or a bug has stopped that. Raises nothing: other ends may be stored in the same call."""
        if self._background.is_closed:
            return
        self.under_way.discard(delivery)
        try:
            self._ended(queue, delivery, error is None)
        except Exception as raised:  # noqa: BLE001  # the supervisor of callbacks
            self._background.report(raised)
        if error is not None:
            self._background.report(error)

    def _count(self, delivery: Delivery, outcome: str, now: float) -> None:
        relay_effect = delivery.relay_effect
        if relay_effect is None:
            metrics.NOTICES.add(metrics.PRIORITIES[delivery.priority], outcome)
        elif outcome == "delivered":
            figures = self._delivered.get((delivery.through, type(relay_effect)))
            if figures is None:
                figures = self._figures(delivery.through, type(relay_effect))
            count, latency = figures
            count.n += 1
            latency.observe(now - delivery.taken_at)
        else:
            metrics.RELAYS.add(delivery.through, KINDS[type(relay_effect)], outcome)

    def _figures(self, through: BotId, kind: type[RelayEffect]) -> tuple[Count, Timings]:
        figures = metrics.RELAYS.of(through, KINDS[kind], "delivered"), metrics.RELAY_LATENCY.of(through)
        self._delivered[through, kind] = figures
        return figures
