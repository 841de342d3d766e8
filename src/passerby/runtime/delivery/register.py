"""The deliveries that the courier has in hand, and the ones that it has settled lately."""

import asyncio

from passerby.domain.delivery.phases import IN_OUTBOX, IN_TELEGRAM
from passerby.kernel.ids import PersonId
from passerby.runtime.delivery.by_chat import RelayEffectsByChat
from passerby.runtime.delivery.deliveries import Delivery

SETTLED_KEPT = 20_000
"""How many settled entries of the outbox are remembered: those of several minutes, if many people chat."""


class Register:
    def __init__(self) -> None:
        self.by_chat = RelayEffectsByChat()
        self.pending = 0
        """The number of deliveries that have not ended."""
        self.is_crowded = asyncio.Event()
        """Set when relays should be parked at once."""
        self._in_hand: dict[str, Delivery] = {}
        self._unparked: dict[str, Delivery] = {}  # relay effects whose updates are not done, oldest first
        self._crowd: list[Delivery] = []
        self._waiting: dict[PersonId, int] = {}
        self._passing: dict[PersonId, dict[str, Delivery]] = {}  # notices about searches, by their reader
        self._settled: dict[str, None] = {}  # the newest last

    def add(self, delivery: Delivery) -> None:
        id_, relay_effect = delivery.id, delivery.relay_effect
        self._in_hand[id_] = delivery
        self.pending += 1
        if relay_effect is not None:
            owner: PersonId | None = relay_effect.sender
            in_chat = self.by_chat.chats.get(relay_effect.chat)
            if in_chat is None:
                self.by_chat.chats[relay_effect.chat] = {id_: delivery}
            else:
                in_chat[id_] = delivery
            if delivery.custody is not IN_OUTBOX:
                self._unparked[id_] = delivery
        else:
            owner = delivery.owner
            if delivery.search is not None:
                self._passing.setdefault(delivery.person, {})[id_] = delivery
        if owner is not None:
            self._waiting[owner] = self._waiting.get(owner, 0) + 1

    def crowd_with(self, delivery: Delivery) -> None:
        """Note that a relay has come behind many others."""
        self._crowd.append(delivery)
        self.is_crowded.set()

    def end(self, delivery: Delivery, is_known: bool) -> None:
        """Note that a delivery has ended. If a bug has stopped storing that (not `is_known`), nobody takes it up
        again."""
        self.pending -= 1
        id_, relay_effect = delivery.id, delivery.relay_effect
        owner = relay_effect.sender if relay_effect is not None else delivery.owner
        if owner is not None:
            waiting = self._waiting[owner] - 1
            if waiting:
                self._waiting[owner] = waiting
            else:
                del self._waiting[owner]
        if relay_effect is None and delivery.search is not None:
            self._forget_passing(delivery)
        if not is_known:
            return
        if delivery.custody is not IN_TELEGRAM and not delivery.has_moved:
            self._settled[id_] = None
            if len(self._settled) > SETTLED_KEPT:
                del self._settled[next(iter(self._settled))]
        if self._in_hand.get(id_) is delivery:
            del self._in_hand[id_]
        if self._unparked.get(id_) is delivery:
            del self._unparked[id_]
        if relay_effect is not None:
            self.by_chat.forget(delivery, relay_effect.chat)

    def _forget_passing(self, delivery: Delivery) -> None:
        theirs = self._passing.get(delivery.person, {})
        if theirs.get(delivery.id) is delivery:
            del theirs[delivery.id]
            if not theirs:
                del self._passing[delivery.person]

    def of_search(self, person: PersonId, since: float) -> list[Delivery]:
        """Return the notices about one search that have not ended."""
        return [each for each in self._passing.get(person, {}).values() if each.search == since]

    def known(self, entry: str) -> bool:
        return entry in self._in_hand

    def has_settled(self, entry: str) -> bool:
        return entry in self._settled

    def in_hand(self) -> tuple[Delivery, ...]:
        return tuple(self._in_hand.values())

    def oldest_stored_at(self, now: float) -> float:
        """When the oldest entry of the outbox in hand came; `now` if there is none."""
        stored = (each.put_at for each in self._in_hand.values() if each.notice is not None or each.parked)
        return next(stored, now)

    def waiting(self, person: PersonId) -> int:
        return self._waiting.get(person, 0)

    def overdue(self, before: float) -> list[Delivery]:
        """Return unparked relays that came before this time, oldest first."""
        found = []
        for delivery in self._unparked.values():
            if delivery.put_at > before:
                break
            if not (delivery.parked or delivery.is_over):
                found.append(delivery)
        return found

    def is_in_crowd(self, delivery: Delivery) -> bool:
        return bool(self._crowd) and self._crowd[-1] is delivery

    def crowd(self) -> list[Delivery]:
        """Return relays that have come behind many others and that nobody has tried to park."""
        self.is_crowded.clear()
        self._crowd = [each for each in self._crowd if not (each.may_be_parked or each.is_over)]
        return self._crowd
