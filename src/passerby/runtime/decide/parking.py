"""Parks relays that take long: sealed into the outbox, so that their updates no longer hold up Telegram's queue."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from passerby.domain.delivery.events import ParkLost, ParkStored
from passerby.kernel.effect import RelayEffect
from passerby.kernel.event import DeliveryFailed, Refusal
from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.participant import Chatting
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, Fenced, WorkerId
from passerby.ports.live_store import LiveStore
from passerby.ports.message_map import Mark
from passerby.ports.outbox import Notice, Outgoing, Parked
from passerby.ports.participants import Commit, Committed
from passerby.ports.trails import Trail
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.deliveries import Delivery, relay_effect_id, relayed
from passerby.runtime.delivery.new_deliveries import RELAY_TTL_S
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.inbound.albums import Albums, parked_marker
from passerby.runtime.inbound.crashes import FATAL_CRASHES, crashes_of
from passerby.runtime.inbound.person_queues import PersonQueues, Work
from passerby.runtime.membership.fencing import OwnLeases, write_refused
from passerby.telemetry import logs, metrics

PARKED_TOGETHER = 50
"""Relays in one commit. With up to 4,096 characters each, that is a few hundred kilobytes at most."""

PUT_TOGETHER = 200


class Parking:
    """`worker` owns the parked entries. `finished` is called with updates that are done and stored as done."""

    def __init__(
        self,
        store: LiveStore,
        courier: Courier,
        sealer: Sealer,
        albums: Albums,
        person_queues: PersonQueues,
        leases: OwnLeases,
        finished: Callable[[tuple[UpdateRef, ...]], None],
        clock: Clock,
        worker: WorkerId,
    ) -> None:
        self._store = store
        self._courier = courier
        self._sealer = sealer
        self._albums = albums
        self._person_queues = person_queues
        self._leases = leases
        self._finished = finished
        self._clock = clock
        self._worker = worker
        courier.park_with(self.store)

    async def park_overdue(self, more_s: float = 0.0) -> None:
        """Park the relays that take too long. `more_s`: only those that are late by so much more.

        Raises: LiveStoreLost.
        """
        for delivery in self._courier.overdue(more_s):
            await self.park(delivery)

    async def park_crowd(self) -> bool:
        """Park the relays that have many others before them. Returns whether some are left. Raises: LiveStoreLost."""
        for delivery in reversed(self._courier.crowd()):
            if not delivery.parked:
                await self.park(delivery)
        return bool(self._courier.crowd())

    async def park(self, delivery: Delivery) -> None:
        """Park a relay, with the relays before it in its queue. Raises: LiveStoreLost."""
        await self._courier.park(delivery)

    async def store(self, deliveries: Sequence[Delivery]) -> None:
        """Put relays that follow each other in a queue into the outbox. If some cannot be, those after them are not.

        Raises: LiveStoreLost.
        """
        left = list(deliveries)
        try:
            for fences, alike in groupby(deliveries, lambda each: each.fences):
                under_one_lease = list(alike)
                for first in range(0, len(under_one_lease), PARKED_TOGETHER):
                    together = under_one_lease[first : first + PARKED_TOGETHER]
                    entered = await self._store_together(together, fences)
                    del left[: len(together)]
                    for delivery in together:
                        metrics.PARKED.add()
                        self._courier.tell(delivery, ParkStored(delivery, entered))
        except Fenced:
            await write_refused(self._leases, left[0].fences)
        finally:
            for delivery in left:
                self._courier.tell(delivery, ParkLost(delivery))

    async def _store_together(self, deliveries: Sequence[Delivery], fences: tuple[Fence, ...]) -> bool:
        """Park them in one commit. Returns whether the outbox holds them now. Raises: LiveStoreLost, Fenced."""
        entries: list[Outgoing] = []
        refs: list[UpdateRef] = []  # updates that join while the store is busy are done when the relay is delivered
        for delivery in deliveries:
            assert delivery.relay_effect is not None, "only relay effects are parked"
            entries += self._entries(delivery.id, delivery.relay_effect, delivery.bot, delivery.refs, fences)
            refs += delivery.refs
        commit = Commit(outbox=tuple(entries), updates=tuple(refs), owner=self._worker, fences=fences)
        stored = await self._store.commit(commit)
        self._finished(tuple(refs))
        return stored is Committed.YES

    async def put_back(self) -> None:
        """Put the entries that this process is sending into a store that may lack them: it was wiped, or has gone back
        to an older state. Raises: LiveStoreLost.
        """
        generation = self._store.generation
        entries: dict[str, Outgoing] = {}
        in_hand = self._courier.in_hand()
        for delivery in in_hand:
            if delivery.notice is not None:
                entries[delivery.id] = delivery.notice
            elif delivery.parked and delivery.relay_effect is not None:
                parked = self._entries(delivery.id, delivery.relay_effect, delivery.bot, delivery.refs)
                entries |= {entry.id: entry for entry in parked}
        owners = await self._store.owners_of(tuple(entries))
        missing = [entry for id_, entry in entries.items() if owners.get(id_) != self._worker]
        for at in range(0, len(missing), PUT_TOGETHER):
            put = tuple(missing[at : at + PUT_TOGETHER])
            await self._store.commit(Commit(outbox=put, owner=self._worker, repairs=True))
        for delivery in in_hand:
            delivery.stored_in = generation

    def entries_of(
        self, relay_effects: Iterable[tuple[RelayEffect, BotId]], refs: tuple[UpdateRef, ...]
    ) -> list[Outgoing]:
        """The outbox entries of relay effects that are parked in the commit of their decision."""
        return [
            entry
            for relay_effect, bot in relay_effects
            for entry in self._entries(relay_effect_id(relay_effect, refs), relay_effect, bot, refs)
        ]

    def _entries(
        self,
        id_: str,
        relay_effect: RelayEffect,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        fences: tuple[Fence, ...] = (),
    ) -> tuple[Outgoing, ...]:
        """The outbox entries of a parked relay effect.

        Without a lease it leaves a mark: another process may take the sender's next update.
        """
        expires_at = self._clock.now() + RELAY_TTL_S
        parked = Parked(id_, relay_effect.chat, relay_effect.to, bot, self._sealer.seal(relay_effect, refs), expires_at)
        return (parked,) if fences else (parked, parked_marker(relay_effect.sender, refs, expires_at))

    async def take_up(self, entries: Iterable[Outgoing]) -> None:
        """Send the entries of our outbox that nothing here is sending: another incarnation left them, or the answer to
        a commit was lost. Raises: LiveStoreLost.

        An entry that was settled here before is settled again: a store that went back in time has it once more. A relay
        that has failed keeps its entry until its sender's answer is stored.
        """
        entries = tuple(each for each in entries if not self._person_queues.settles(each.id))
        settled = tuple(each.id for each in entries if self._courier.has_settled(each.id))
        if settled:
            await self._store.mark(Mark(sent=settled))
        for outgoing in entries:
            if self._courier.known(outgoing.id) or outgoing.id in settled:
                continue
            if isinstance(outgoing, Trail):
                self._albums.watch((outgoing,))
                continue
            if isinstance(outgoing, Notice):
                self._courier.say(outgoing, found_again=True)
                continue
            parked = self._sealer.open(outgoing.sealed)
            left_s = outgoing.expires_at - self._clock.now()
            if parked is None:
                logs.record("parked.unreadable", "error", reason="parked with another SECRET_KEY")
                await self._give_up(outgoing)
            else:
                fatal = await crashes_of(self._store, parked.refs) >= FATAL_CRASHES
                refusal = Refusal.FATAL if fatal else None
                self._courier.resume(parked.relay_effect, outgoing.bot, parked.refs, outgoing.id, left_s, refusal)

    async def _give_up(self, parked: Parked) -> None:
        """Drop an entry that cannot be read any more, and tell its sender if the chat is still open.

        The chat and the entry's name show who the sender is.
        """
        facts = await self._store.load(parked.to)
        state = facts.me.state if facts is not None else None
        about = relayed(parked.id)
        if about is None or not isinstance(state, Chatting) or state.chat != parked.chat:
            await self._store.mark(Mark(sent=(parked.id,)))
            return
        failed = DeliveryFailed(
            state.partner, about.bot, about.message, parked.chat, parked.to, parked.bot, Refusal.BROKEN
        )
        self._person_queues.put(Work(failed, sent=(parked.id,)))
