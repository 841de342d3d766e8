"""Commands of a queue. The courier performs them, and tells the queue what came of them as events."""

import msgspec

from passerby.domain.delivery.line import Queued
from passerby.kernel.effect import Priority
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, MessageId


class Command(msgspec.Struct, frozen=True, gc=False):
    """Something to do."""


class Check(Command, frozen=True, gc=False):
    """Ask the store whether it may be sent: `Checked`, `Delayed`, `Hopeless` or `StoreAway`."""

    delivery: Queued


class AskBudget(Command, frozen=True, gc=False):
    """Take one message from both budgets, with this priority: `BudgetGranted`, `Delayed`, `Hopeless` or `StoreAway`.

    If it comes again before the answer, only the priority has changed.
    """

    priority: Priority


class Withdraw(Command, frozen=True, gc=False):
    """Ask for the budget no longer."""


class WaitUntil(Command, frozen=True, gc=False):
    """Wake the queue at this time."""

    at: float


class Send(Command, frozen=True, gc=False):
    """Make one attempt, in this very turn if its address is at hand."""

    delivery: Queued


class Hold(Command, frozen=True, gc=False):
    """Tell all processes that Telegram holds this bot's messages to this person back."""

    bot: BotId
    hold_s: float


class StoreStep(Command, frozen=True, gc=False):
    """Store that one of several steps has arrived: `StepStored`."""

    delivery: Queued


class StoreDelivered(Command, frozen=True, gc=False):
    """Store that it is delivered, as these messages: `EndStored`."""

    delivery: Queued
    messages: tuple[MessageId, ...]


class StoreFailed(Command, frozen=True, gc=False):
    """Store that it was not delivered, and tell its sender: `EndStored`."""

    delivery: Queued
    refusal: Refusal


class Park(Command, frozen=True, gc=False):
    """Put these into the outbox, in this order: `ParkStored` or `ParkLost` for each."""

    deliveries: tuple[Queued, ...]
