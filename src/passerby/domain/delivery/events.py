"""Events of a queue and its deliveries. Times are monotonic seconds; pauses are seconds.

`First` and `Overtaken` are not told from outside: they follow from other events, and are here because the table of
phases names them.
"""

import msgspec

from passerby.domain.delivery.line import Queued
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId


class Event(msgspec.Struct, frozen=True, gc=False):
    """Happens to the first delivery of the queue, or to all."""


class OfDelivery(Event, frozen=True, gc=False):
    """Happens to this delivery, wherever it stands in the queue."""

    delivery: Queued


class Added(OfDelivery, frozen=True, gc=False):
    """A new delivery has come."""


class First(Event, frozen=True, gc=False):
    """Nothing in the queue goes before this delivery any more."""


class Overtaken(Event, frozen=True, gc=False):
    """Another delivery has come that goes first."""


class Superseded(OfDelivery, frozen=True, gc=False):
    """Nobody needs to see this delivery any more, because of a newer one."""


class ChatEnded(Event, frozen=True, gc=False):
    """Relay effects of this chat that have not left are dropped."""

    chat: ChatId


class BotLost(Event, frozen=True, gc=False):
    """Nothing goes out through this bot any more."""


class BotBack(Event, frozen=True, gc=False):
    """The bot's token works, again or after all."""


class Wakeup(Event, frozen=True, gc=False):
    """The time of a `WaitUntil` has come, or what the queue waited for."""


class Checked(Event, frozen=True, gc=False):
    """The delivery may be sent as far as the store knows: its chat is open, and no other process goes first."""


class Delayed(Event, frozen=True, gc=False):
    """It may not be sent before this time; `Wakeup` may come earlier."""

    until: float


class Hopeless(Event, frozen=True, gc=False):
    """It cannot be sent any more."""

    refusal: Refusal


class BudgetGranted(Event, frozen=True, gc=False):
    """One message was taken from the budgets of the chat and of the bot. It must leave at once."""


class Sent(Event, frozen=True, gc=False):
    """It has arrived, as these messages. `more`: this was one of several steps, and others follow.

    Without messages, there was nothing to send.
    """

    messages: tuple[MessageId, ...] = ()
    more: bool = False


class StepStored(Event, frozen=True, gc=False):
    """It is stored that one of several steps has arrived."""


class SplitUp(Event, frozen=True, gc=False):
    """It was refused as a whole, and is sent in smaller parts."""


class NotSent(Event, frozen=True, gc=False):
    """There was no answer. `uncertain`: it may have arrived all the same."""

    uncertain: bool
    pause_s: float


class Flooded(Event, frozen=True, gc=False):
    """Telegram wants a pause. `bot`: the bot that is at fault, which may be another one that has the file."""

    bot: BotId
    hold_s: float


class CallRefused(Event, frozen=True, gc=False):
    """A call was refused as if the token were wrong. `suspected`: the bot's calls wait until that is clear.

    `final_after_s`: after that many seconds of refusals of a bot that works, the call itself is at fault.
    """

    suspected: bool
    pause_s: float
    final_after_s: float


class Refused(Event, frozen=True, gc=False):
    """It was refused for good, and no part of it can be sent."""

    refusal: Refusal


class StoreAway(Event, frozen=True, gc=False):
    """The live store did not answer."""

    pause_s: float


class Overdue(OfDelivery, frozen=True, gc=False):
    """It has held its update for too long, and should be parked."""


class ParkStored(OfDelivery, frozen=True, gc=False):
    """The commit that parks it was stored. `entered`: the outbox holds it now."""

    entered: bool


class ParkLost(OfDelivery, frozen=True, gc=False):
    """The commit that parks it was refused, or not answered."""


class EndStored(OfDelivery, frozen=True, gc=False):
    """Its end is stored."""
