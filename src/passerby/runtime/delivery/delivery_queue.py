"""The courier's deliveries, and the order in which one person gets them.

A *queue* has all deliveries for one person through one bot. Relay effects and notices leave in the order they came,
with two exceptions. Neither of them changes the order of people's own messages:

- An *aside* is a notice that only says why something did not work. It offers no buttons, anchors nothing and changes
  nothing. It lets everything else go first. So a person who has twenty "nobody is there" waiting hears at once when
  somebody is.
- The notice that tells of a chat goes before that chat's relay effects, even if it comes after them because it was
found
  again in the outbox. All other entries that another process left are placed by age.

A delivery that has been tried keeps its place, because it may have arrived.
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
"""The place of a queue's first delivery gets the highest priority among this many deliveries."""


class Delivery:
    """Something in a queue: a notice of the outbox, or a relay effect."""

    __slots__ = (
        "bot",
        "deadline",
        "dropped",
        "fences",
        "found_again",
        "generation",
        "id",
        "in_turn",
        "lock",
        "made_at",
        "may_be_parked",
        "must_park",
        "notice",
        "over",
        "parked",
        "person",
        "priority",
        "put_at",
        "reader_told",
        "refs",
        "refusal",
        "relay_effect",
        "steps",
        "superseded",
        "taken_at",
        "through",
        "tried_at",
        "under_way",
        "waits_until",
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
        """When it was decided on, in Unix seconds, in any process."""
        self.generation = ""
        """The store's generation when it was decided on; for a relay, when its chat was last known to be open."""
        self.found_again = False
        """Another incarnation left it in the outbox."""
        self.taken_at = put_at
        """When its update was taken from Telegram, in monotonic seconds."""
        self.deadline = deadline
        self.notice: Notice | None = None
        self.relay_effect: RelayEffect | None = None
        self.steps: Steps | None = None
        """The steps of a relay effect that takes more than one send."""
        self.refs: tuple[UpdateRef, ...] = ()
        self.fences: tuple[Fence, ...] = ()
        """The leases under which the updates were taken, for the mark that makes them done."""
        self.reader_told = True
        """Whether its reader has been told of the chat. If not, it waits for that."""
        self.waits_until: float | None = None
        """Until when it waits for other processes, once it has begun to."""
        self.in_turn = False
        """No delivery of another process comes first, or it has waited long enough for that."""
        self.must_park = False
        """It is not sent before it is parked, because another process may have parked older ones of this chat."""
        self.parked = False
        self.may_be_parked = False
        """Parking has been tried. The outbox may hold it, even without an answer."""
        self.over = False
        self.lock: asyncio.Lock | None = None
        """Held while the delivery is being parked; most never are."""
        self.dropped = False
        self.superseded = False
        """A newer edit or reaction of the same message waits: this one ends without a send."""
        self.refusal: Refusal | None = None
        """If set, it fails with this reason and is not tried."""
        self.under_way = False
        self.tried_at: float | None = None
        """When the last attempt began, in Unix seconds."""
        self.through = bot
        """The bot that it left through. An effect about a message goes to the bot that has the message."""

    @property
    def owner(self) -> PersonId | None:
        """The person who caused it, if known: the message's sender, or the person who gets the answer."""
        if self.relay_effect is not None:
            return self.relay_effect.sender
        return self.person if self.priority is Priority.COMMAND else None

    @property
    def is_untouched(self) -> bool:
        """Whether it has not been tried, and is not being sent now."""
        over = self.over or self.dropped or self.superseded
        return not (self.under_way or over) and self.tried_at is None

    @property
    def is_aside(self) -> bool:
        return self.notice is not None and self.notice.is_aside


def relay_effect_id(relay_effect: RelayEffect, refs: tuple[UpdateRef, ...]) -> str:
    """Return a name. A relay is named by its messages, so two confirmations make one relay; others by their update."""
    if isinstance(relay_effect, Relay):
        return f"relay:{relay_effect.source_bot}:{relay_effect.sources[0]}"
    return f"effect:{refs[0].bot}:{refs[0].update}"


def relayed(id_: str) -> MessageRef | None:
    """Return the sender's message of the relay with this name; None if it is not a relay's name."""
    kind, _, rest = id_.partition(":")
    bot, _, message = rest.partition(":")
    return MessageRef(BotId(int(bot)), MessageId(int(message))) if kind == "relay" else None


class DeliveryQueue:
    """`current` is being delivered. It stays in the queue until its outcome is stored."""

    __slots__ = (
        "_asides",
        "_queue",
        "current",
        "held_until",
        "limiter",
        "no_wait_until",
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
        self.no_wait_until = FULL
        """Until then, no delivery of this queue waits for other processes."""
        self.passed = False
        """One message has been taken from the bot's budget, for the next delivery of this queue."""
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
        """The highest priority among the first deliveries."""
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
        """Return the index at which a delivery that was found again belongs by its age; None for the end.

        Such deliveries come in the right order.
        """
        for index, waiting in enumerate(self._queue):
            if waiting.made_at > delivery.made_at and waiting.tried_at is None and not waiting.found_again:
                return index
        return self._place_of_anchor(delivery)

    def _place_of_anchor(self, delivery: Delivery) -> int | None:
        """Return the index at which the notice of a chat belongs; None for the end, and for other deliveries."""
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
        """Whether another delivery goes before this untried one now."""
        return self.first is not delivery and delivery.tried_at is None
