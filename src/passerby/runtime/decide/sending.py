"""Hands the effects of a stored decision to the courier."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.outbox import Notice
from passerby.runtime.decide.commit_plan import CommitPlan
from passerby.runtime.decide.parking import Parking
from passerby.runtime.decide.readings import Reading
from passerby.runtime.delivery.best_effort import BestEffort
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.membership.fencing import OwnLeases


class EffectSender:
    """`shared`: there may be other workers.

    While one of our leases is young, the last holder may have left parked relays that now belong to another worker.
    Then our relays are parked before they are sent, because the outbox keeps its order across all workers.
    """

    def __init__(
        self,
        store: LiveStore,
        courier: Courier,
        best_effort: BestEffort,
        parking: Parking,
        leases: OwnLeases,
        worker: WorkerId,
        *,
        shared: bool,
    ) -> None:
        self._store = store
        self._courier = courier
        self._best_effort = best_effort
        self._parking = parking
        self._leases = leases
        self._worker = worker
        self._shared = shared

    def send(self, plan: CommitPlan, work: Work, reading: Reading) -> Sequence[Delivery]:
        """Send the effects of a stored plan. Returns relays that must be parked before they are sent."""
        facts = reading.facts
        if plan.ended or plan.over:
            self.end(plan)
        for effect in plan.best_effort:
            self._best_effort.send(effect, work.event.bot, facts.me.profile.language)
        for notice in plan.notices:
            self.say(notice)
        if not plan.relay_effects:
            return ()
        must_park = work.behind or (self._shared and any(map(self._leases.is_young, work.fences)))
        parks: list[Delivery] = []
        for relay_effect, bot in plan.relay_effects:
            delivery = self._courier.pass_on(
                relay_effect,
                bot,
                work.refs,
                work.fences,
                facts.partner_anchor is not None,
                work.taken_at,
                must_park,
                work.parks,
                reading.generation,
            )
            if delivery is not None and delivery.must_park and not self._courier.is_in_crowd(delivery):
                parks.append(delivery)
        return parks

    def end(self, plan: CommitPlan) -> None:
        """Drop what waits for chats and searches that ended with this plan."""
        for chat in plan.ended:
            self._courier.drop(chat)
        for person, since in plan.over:
            self._courier.end_search(person, since)

    async def park(self, deliveries: Sequence[Delivery]) -> None:
        """Park relays, so that they may be sent."""
        for delivery in deliveries:
            with suppress(LiveStoreLost):  # then the relay is parked when it is overdue
                await self._parking.park(delivery)

    def say(self, notice: Notice) -> None:
        """Send a stored notice, unless it was found in the outbox before the answer to its commit came."""
        if not self._courier.known(notice.id):
            self._courier.say(notice)

    async def find_again(self, which: Callable[[Notice], bool]) -> bool:
        """Send the notices that a commit without an answer may have stored. Returns whether it has stored any."""
        entries = [each for each in await self._store.outbox(self._worker) if isinstance(each, Notice) and which(each)]
        for entry in entries:
            if not self._courier.known(entry.id):
                self._courier.say(entry, found_again=True)
        return bool(entries)
