"""Deliveries, and a queue that is talked to."""

from itertools import count

from passerby.domain.delivery.commands import AskBudget, Command, Send, StoreDelivered
from passerby.domain.delivery.events import Added, BudgetGranted, EndStored, Event, Sent
from passerby.domain.delivery.line import Queued
from passerby.domain.delivery.phases import Custody
from passerby.domain.delivery.queue import DeliveryQueue
from passerby.kernel.content import Content, Kind
from passerby.kernel.effect import Priority, React, Relay
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId

BOT, OTHER_BOT = BotId(1), BotId(2)
ANN, BEN = PersonId(1), PersonId(2)
CHAT, NEXT_CHAT = ChatId("c0ffee"), ChatId("decaf")
TTL_S = 3600.0
ASKED = (AskBudget(Priority.CHAT),)

_numbers = count(1)


def relay(chat: ChatId = CHAT, *, put_at: float = 0.0, deadline: float = TTL_S) -> Queued:
    number = next(_numbers)
    effect = Relay(chat, ANN, BOT, (MessageId(number),), BEN, (Content(Kind.TEXT, f"words {number}"),))
    return _of_relay_effect(f"relay:{number}", effect, put_at, deadline)


def reaction(chat: ChatId = CHAT) -> Queued:
    number = next(_numbers)
    effect = React(chat, ANN, MessageRef(BOT, MessageId(1)), BEN, "👍")
    return _of_relay_effect(f"effect:{number}", effect, 0.0, TTL_S)


def _of_relay_effect(id_: str, effect: Relay | React, put_at: float, deadline: float) -> Queued:
    return Queued(
        id_, OTHER_BOT, BEN, Priority.CHAT, put_at, deadline, effect, custody=Custody.TELEGRAM, checked_at=put_at
    )


def notice(
    priority: Priority = Priority.COMMAND, *, anchors: ChatId | None = None, is_aside: bool = False, at: float = 0.0
) -> Queued:
    made = Queued(f"notice:{next(_numbers)}", OTHER_BOT, BEN, priority, 0.0, TTL_S, anchors=anchors, is_aside=is_aside)
    made.made_at = at
    return made


def held(until: float = 1.0) -> Queued:
    """A notice that may turn out to be needless until then."""
    made = notice()
    made.not_before = until
    return made


class Talk:
    """A queue, and the time."""

    def __init__(self) -> None:
        self.queue = DeliveryQueue()
        self.now = 0.0

    def tell(self, event: Event, *, after_s: float = 0.0) -> tuple[Command, ...]:
        self.now += after_s
        return self.queue.handle(event, self.now)

    def send(self, delivery: Queued) -> None:
        """Bring a delivery into an empty queue, and on its way."""
        assert self.tell(Added(delivery)) == (AskBudget(delivery.priority),)
        assert self.tell(BudgetGranted()) == (Send(delivery),)

    def arrive(self, delivery: Queued, message: int = 71) -> tuple[Command, ...]:
        """Let the delivery that is being sent arrive. Returns what the queue wants next."""
        assert self.tell(Sent((MessageId(message),))) == (StoreDelivered(delivery, (MessageId(message),)),)
        return self.tell(EndStored(delivery))
