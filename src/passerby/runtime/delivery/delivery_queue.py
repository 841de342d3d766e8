"""What the courier carries, and the order in which one person gets it.

A *queue* is what one person is still to get through one bot. Relay effects and notices leave in the order they came,
with two exceptions, neither of which changes the order of what people write:

- An *aside* is a notice that only says why something did not work: it offers nothing to press, anchors nothing, changes
  nothing. It lets everything else go first, so that who is told twenty times that nobody is there hears at once that
  somebody is.
- The notice that tells of a chat goes before that chat's relay effects, should it come after them: it was found again
  in the outbox. Whatever else was found again, because another process left it, goes by its age.

What has been tried keeps its place: it may have arrived.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice

from passerby.domain.budgets import FULL
from passerby.kernel.effect import Priority, Relay, RelayEffect
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.ports.leases import Fence
from passerby.ports.outbox import Notice
from passerby.runtime.delivery.bot_queue import Place
from passerby.runtime.delivery.limiters import Limiter
from passerby.runtime.delivery.steps import Steps

LOOK_BEHIND = 20
"""Of so many that wait in a queue, the first one lends its place the priority of the most urgent."""


class Delivery:
    """Something in a queue: a notice of the outbox, or a relay effect."""

    __slots__ = (
        "bot",
        "careful",
        "deadline",
        "doomed",
        "dropped",
        "fences",
        "found_again",
        "generation",
        "id",
        "in_turn",
        "lock",
        "made_at",
        "may_be_parked",
        "notice",
        "over",
        "parked",
        "patient_until",
        "person",
        "priority",
        "put_at",
        "refs",
        "relay_effect",
        "steps",
        "superseded",
        "taken_at",
        "through",
        "told",
        "tried_at",
        "under_way",
    )

    def __init__(
        self, id_: str, bot: BotId, person: PersonId, priority: Priority, put_at: float, deadline: float
    ) -> None:
        self.id = id_
        self.bot = bot
        self.person = person
        self.priority = priority
        self.put_at = put_at
        self.made_at = 0.0
        """When it was decided on, in Unix seconds, whoever did."""
        self.generation = ""
        """Of a notice: the store's, when it was decided on."""
        self.found_again = False
        """It comes from the outbox, where another incarnation has left it."""
        self.taken_at = put_at
        """When its update was taken from Telegram, in monotonic seconds."""
        self.deadline = deadline
        self.notice: Notice | None = None
        self.relay_effect: RelayEffect | None = None
        self.steps: Steps | None = None
        """The steps of a relay effect that takes more than one send."""
        self.refs: tuple[UpdateRef, ...] = ()
        self.fences: tuple[Fence, ...] = ()
        """The leases that the updates were taken under, for the mark that makes them done."""
        self.told = True
        """Whether its reader has heard of the chat; where not, it waits until they have."""
        self.patient_until: float | None = None
        """Until when it waits for what other processes have to send first, once it has begun to."""
        self.in_turn = False
        """Nothing that others have to send comes first; or it has waited long enough for that."""
        self.careful = False
        """It is not sent before it is parked: another process may have older ones of this chat parked."""
        self.parked = False
        self.may_be_parked = False
        """Parking has been tried: the outbox may hold it, though nobody said so."""
        self.over = False
        self.lock: asyncio.Lock | None = None
        """Held while the delivery is being parked; most never are."""
        self.dropped = False
        self.superseded = False
        """A newer edit or reaction of the same message is on its way: this one ends without a send."""
        self.doomed: Refusal | None = None
        """Why it is not tried at all."""
        self.under_way = False
        self.tried_at: float | None = None
        """When the last attempt began, in Unix seconds."""
        self.through = bot
        """The bot that it left through: what is about a message goes to the bot where that message stands."""

    @property
    def owner(self) -> PersonId | None:
        """The person who caused it, if known: the message's sender, or the person who gets the answer."""
        if self.relay_effect is not None:
            return self.relay_effect.sender
        return self.person if self.priority is Priority.COMMAND else None

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has seen anything of it, and nobody will before its turn."""
        over = self.over or self.dropped or self.superseded
        return not (self.under_way or over) and self.tried_at is None

    @property
    def is_aside(self) -> bool:
        return self.notice is not None and self.notice.is_aside


def relay_effect_id(relay_effect: RelayEffect, refs: tuple[UpdateRef, ...]) -> str:
    """A relay is named by its messages, so that one that was confirmed twice is one; the rest by their update."""
    if isinstance(relay_effect, Relay):
        return f"relay:{relay_effect.source_bot}:{relay_effect.sources[0]}"
    return f"effect:{refs[0].bot}:{refs[0].update}"


def relayed(id_: str) -> MessageRef | None:
    """The sender's message that the relay with this name passes on; None if the name is not a relay's."""
    kind, _, rest = id_.partition(":")
    bot, _, message = rest.partition(":")
    return MessageRef(BotId(int(bot)), MessageId(int(message))) if kind == "relay" else None


class DeliveryQueue:
    """`current` is what is being delivered; it stays in the queue until its outcome is stored."""

    __slots__ = (
        "_asides",
        "_queue",
        "current",
        "held_until",
        "impatient_until",
        "limiter",
        "passed",
        "place",
        "running",
        "wake",
    )

    def __init__(self, limiter: Limiter) -> None:
        self._queue: deque[Delivery] = deque()
        self._asides: deque[Delivery] = deque()
        self.limiter = limiter
        self.current: Delivery | None = None
        self.held_until = FULL
        self.impatient_until = FULL
        """Until then nothing here waits for what other processes have to send first."""
        self.passed = False
        """One of the bot's budget has been taken for whatever is sent next."""
        self.place: Place | None = None
        self.running = False
        self.wake: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self._queue) + len(self._asides)

    def __iter__(self) -> Iterator[Delivery]:
        return chain(self._queue, self._asides)

    @property
    def first(self) -> Delivery:
        return self._queue[0] if self._queue else self._asides[0]

    @property
    def urgency(self) -> Priority:
        """The highest priority of those at the front."""
        return min(delivery.priority for delivery in islice(self, LOOK_BEHIND))

    def put(self, delivery: Delivery) -> None:
        if delivery.is_aside:
            self._asides.append(delivery)
            return
        at = self._place_by_age(delivery) if delivery.found_again else self._place_of_anchor(delivery)
        if at is None:
            self._queue.append(delivery)
        else:
            self._queue.insert(at, delivery)

    def _place_by_age(self, delivery: Delivery) -> int | None:
        """Before which of the queue something goes that is older than it came; None: to the end.

        What was found again is found in its order.
        """
        for index, waiting in enumerate(self._queue):
            if waiting.made_at > delivery.made_at and waiting.tried_at is None and not waiting.found_again:
                return index
        return self._place_of_anchor(delivery)

    def _place_of_anchor(self, delivery: Delivery) -> int | None:
        """Before which of the queue the notice of a chat belongs; None for anything else."""
        chat = delivery.notice.anchors if delivery.notice is not None else None
        if chat is None:
            return None
        for index, waiting in enumerate(self._queue):
            if waiting.relay_effect is not None and waiting.relay_effect.chat == chat and waiting.tried_at is None:
                return index
        return None

    def remove(self, delivery: Delivery) -> None:
        if delivery.is_aside:
            self._asides.remove(delivery)
        else:
            self._queue.remove(delivery)

    def is_overtaken(self, delivery: Delivery) -> bool:
        """Whether something that goes before it has come since, and it has not been tried."""
        return self.first is not delivery and delivery.tried_at is None
