"""Decides what happens with all deliveries for one person through one bot: `handle(event, now) -> commands`.

The queue looks at its first delivery, and takes it as far as it can:

    over?           its chat has ended, its bot is lost, it is too late: it ends without a send
    held?           it waits while Telegram holds messages back, after a failure, or until it is parked. It also waits
                    for a moment if it may become needless, unless another delivery is behind it.
    cleared?        after a wait, the store is asked whether its chat is still open; and with several processes, whether
                    another one goes first
    budget?         one message from the budgets of the chat and of the bot
    send            one attempt. Whatever comes of it, the queue looks again, or the delivery ends.
    settle          its end is stored. After that, it is the turn of the next one.

So at most one send is under way, and if the process dies, at most one message of a chat may have arrived without our
knowing. Several steps of one message are several sends of one delivery. A delivery that is being parked when it ends
waits for the answer: how its end is stored depends on whether the outbox holds it.

A 429 costs no try. A call that was not sent is tried until the delivery's deadline, one with an unknown outcome up to
UNCERTAIN_TRIES in all. A call that is refused as if the token were wrong, while the token works, is given up after
REFUSED_TRIES, over at least the time that confirms a token's loss.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from passerby.domain.delivery.commands import (
    AskBudget,
    Check,
    Command,
    Hold,
    Park,
    Send,
    StoreDelivered,
    StoreFailed,
    StoreStep,
    WaitUntil,
    Withdraw,
)
from passerby.domain.delivery.events import (
    Added,
    BotBack,
    BotLost,
    BudgetGranted,
    CallRefused,
    ChatEnded,
    Checked,
    Delayed,
    EndStored,
    Event,
    Flooded,
    Hopeless,
    NotSent,
    Overdue,
    ParkLost,
    ParkStored,
    Refused,
    Sent,
    SplitUp,
    StepStored,
    StoreAway,
    Superseded,
    Wakeup,
)
from passerby.domain.delivery.line import NEVER, End, Line, Queued
from passerby.domain.delivery.phases import ASKING, DONE, PARKING, PAUSED, QUEUED, SENDING, SETTLING, Custody, Phase
from passerby.domain.delivery.table import TABLE, IllegalEvent
from passerby.kernel.effect import Priority
from passerby.kernel.event import Refusal

RECHECK_AFTER_S = 0.05
"""A relay that waited longer than this is sent only if its chat is still open. A budget keeps for as long."""

UNCERTAIN_TRIES = 7
REFUSED_TRIES = 7

_ROUNDING_S = 1e-9

Commands = tuple[Command, ...]
_NOTHING: Final[Commands] = ()
_WITHDRAW: Final[Commands] = (Withdraw(),)
_ASK: Final[dict[Priority, Commands]] = {priority: (AskBudget(priority),) for priority in Priority}

_TO_ALL: Final = frozenset({ChatEnded, BotLost, BotBack})
_OF_DELIVERY: Final = frozenset({Added, Superseded, Overdue, ParkStored, ParkLost, EndStored})
_OF_CUSTODY: Final = frozenset({Overdue, ParkStored, ParkLost})
_HELD_BACK: Final = frozenset({Phase.PAUSED, Phase.CHECKING, Phase.ASKING})


Handler = Callable[[Any, Any, float], Commands]


_Rule = tuple[Handler, bool, frozenset[Phase] | None, frozenset[Custody] | None]
"""How an event is handled, and in which states it may come. It is made of `TABLE`, and looked up once an event.

The handler; whether the event names its delivery (otherwise it happens to the first); the phases, or None if it happens
to the whole queue, so that it may always come; the custodies, or None for any.
"""


def _rule(kind: type[Event], handler: Handler) -> _Rule:
    if kind in _TO_ALL:
        return handler, False, None, None
    phases = frozenset(phase for phase in Phase if kind in TABLE.get(phase, {}))
    custodies = frozenset(each for each in Custody if kind in TABLE.get(each, {})) if kind in _OF_CUSTODY else None
    return handler, kind in _OF_DELIVERY, phases, custodies


class DeliveryQueue:
    """`current` is the first delivery, as soon as the queue has looked at it."""

    __slots__ = ("_asked", "_bot_is_lost", "_granted_at", "_line", "current", "held_until")

    def __init__(self) -> None:
        self._line = Line()
        self._asked = Priority.BROADCAST
        self._granted_at = -NEVER
        self._bot_is_lost = False
        self.current: Queued | None = None
        self.held_until = -NEVER

    def __len__(self) -> int:
        return len(self._line)

    def __iter__(self) -> Iterator[Queued]:
        return iter(self._line)

    @property
    def urgency(self) -> Priority:
        """The highest priority among the first deliveries."""
        return self._line.urgency

    def handle(self, event: Event, now: float) -> Commands:
        """Handle an event. Returns the commands that the courier must perform, in this order.

        Raises: IllegalEvent, if it may not come now; then nothing has changed.
        """
        kind = type(event)
        rule = self._RULES.get(kind)
        if rule is None:
            raise IllegalEvent(f"{kind.__name__} is not told from outside")
        handler, of_delivery, phases, custodies = rule
        if phases is not None:
            told: Any = event
            subject: Queued | None = told.delivery if of_delivery else self.current
            if subject is None:
                raise IllegalEvent(kind.__name__)
            if subject.phase not in phases or (custodies is not None and subject.custody not in custodies):
                raise IllegalEvent(f"{kind.__name__} while {subject.phase.value}, {subject.custody.value}")
        return handler(self, event, now)

    def _added(self, event: Added, now: float) -> Commands:
        delivery, current = event.delivery, self.current
        if delivery.chat_ended:
            return self._settle(delivery, Refusal.LEFT)
        line = self._line
        if line.main or delivery.is_aside:
            line.put(delivery)
        else:
            line.main.append(delivery)
        delivery.phase = QUEUED
        if current is None:
            return self._go_on(now)
        if current.phase in _HELD_BACK and self._is_overtaken():
            return (*_withdrawn(current), *self._go_on(now))
        if current.phase is Phase.PAUSED and current.not_before > now:
            return self._go_on(now)
        if current.phase is ASKING and delivery.priority < self._asked:
            self._asked = delivery.priority
            return _ASK[delivery.priority]
        return _NOTHING

    def _superseded(self, event: Superseded, now: float) -> Commands:
        return self._drop(event.delivery, ())

    def _chat_ended(self, event: ChatEnded, now: float) -> Commands:
        commands = _NOTHING
        for delivery in [each for each in self._line if each.chat == event.chat]:
            delivery.chat_ended = True
            if delivery.phase not in (Phase.SENDING, Phase.SETTLING):
                commands += self._drop(delivery, Refusal.LEFT)
        return commands

    def _bot_lost(self, event: BotLost, now: float) -> Commands:
        self._bot_is_lost = True
        current = self.current
        if current is None or current.phase not in _HELD_BACK:
            return _NOTHING
        return self._drop(current, Refusal.BOT_LOST)

    def _bot_back(self, event: BotBack, now: float) -> Commands:
        self._bot_is_lost = False
        return self._go_on(now) if self.current is not None and self.current.phase is Phase.PAUSED else _NOTHING

    def _looks_again(self, event: Event, now: float) -> Commands:
        return self._go_on(now)

    def _checked(self, event: Checked, now: float) -> Commands:
        self._first.is_cleared, self._first.checked_at = True, now
        return self._go_on(now)

    def _delayed(self, event: Delayed, now: float) -> Commands:
        return self._go_on(now) if self._is_overtaken() else self._pause(self._first, event.until)

    def _hopeless(self, event: Hopeless | Refused, now: float) -> Commands:
        return self._settle(self._first, event.refusal)

    def _granted(self, event: BudgetGranted, now: float) -> Commands:
        self._granted_at = now
        return self._go_on(now)

    def _sent(self, event: Sent, now: float) -> Commands:
        current = self.current
        assert current is not None, "the table names a phase"
        if not event.more:
            return self._settle(current, event.messages)
        current.tries = current.uncertain = current.refused = 0
        current.refused_since = NEVER
        return (StoreStep(current),)

    def _not_sent(self, event: NotSent, now: float) -> Commands:
        current = self._first
        current.uncertain += event.uncertain
        if current.uncertain >= UNCERTAIN_TRIES:
            return self._settle(current, Refusal.UNCERTAIN)
        return self._try_again(event.pause_s, now)

    def _store_away(self, event: StoreAway, now: float) -> Commands:
        return self._try_again(event.pause_s, now)

    def _call_refused(self, event: CallRefused, now: float) -> Commands:
        current = self._first
        current.refused += 1
        current.refused_since = min(current.refused_since, now)
        if event.suspected:
            return self._try_again(0.0, now)
        if current.refused > REFUSED_TRIES and now - current.refused_since >= event.final_after_s:
            return self._settle(current, Refusal.BROKEN)
        return self._try_again(event.pause_s, now)

    def _flooded(self, event: Flooded, now: float) -> Commands:
        self.held_until = now + event.hold_s
        return (Hold(event.bot, event.hold_s), *self._go_on(now))

    def _overdue(self, event: Overdue, now: float) -> Commands:
        """Park it, with the relay effects before it, which must come first in the outbox, too.

        Nothing is parked while the end of another delivery is being stored: if the process were killed in between, the
        next one would send the two in the wrong order. The same is true while one of these deliveries is being parked.
        """
        every = list(self._line)
        upto = every[: every.index(event.delivery) + 1]
        is_settling = self.current is not None and self.current.phase is Phase.SETTLING
        if is_settling or any(delivery.custody is Custody.PARKING for delivery in upto):
            return _NOTHING
        parked = tuple(delivery for delivery in upto if delivery.custody is not Custody.OUTBOX)
        for delivery in parked:
            delivery.custody = Custody.PARKING
        return (Park(parked),) if parked else _NOTHING

    def _park_stored(self, event: ParkStored, now: float) -> Commands:
        delivery = event.delivery
        delivery.custody = Custody.OUTBOX if event.entered else Custody.UNKNOWN
        delivery.is_cleared = False
        if delivery.phase is SETTLING:
            return (_storing(delivery),)
        waited, delivery.must_park = delivery.must_park, False
        return self._go_on(now) if waited and delivery.phase is Phase.PAUSED else _NOTHING

    def _park_lost(self, event: ParkLost, now: float) -> Commands:
        event.delivery.custody = Custody.UNKNOWN
        return (_storing(event.delivery),) if event.delivery.phase is Phase.SETTLING else _NOTHING

    def _end_stored(self, event: EndStored, now: float) -> Commands:
        delivery = event.delivery
        delivery.phase = DONE
        if delivery is not self.current:
            return _NOTHING
        line = self._line
        line.remove(delivery)
        self.current = None
        return self._go_on(now) if line.main or line.asides else _NOTHING

    @property
    def _first(self) -> Queued:
        assert self.current is not None, "the table names a phase"
        return self.current

    def _is_overtaken(self) -> bool:
        """Whether another delivery goes before the current one, which has not been tried."""
        current = self._first
        return self._line.first is not current and current.tried_at is None

    def _go_on(self, now: float) -> Commands:
        """Look at the first delivery, and return what it needs next. There is one."""
        first, line = self.current, self._line
        if first is None:
            first = self.current = line.main[0] if line.main else line.asides[0]
        elif first.tried_at is None and (line.main[0] if line.main else line.asides[0]) is not first:
            first.phase = Phase.QUEUED
            first = self.current = line.first
        if first.chat_ended or self._bot_is_lost or first.refusal is not None or now >= first.deadline:
            return self._settle(first, self._why_over(first))
        if first.must_park:
            return self._pause(first, first.deadline)
        if self.held_until - now > _ROUNDING_S:
            return self._pause(first, self.held_until)
        if first.not_before - now > _ROUNDING_S and len(line) == 1:
            return self._pause(first, first.not_before)
        if not first.is_cleared or (first.relay_effect is not None and now - first.checked_at > RECHECK_AFTER_S):
            first.phase = Phase.CHECKING
            return (Check(first),)
        if now - self._granted_at <= RECHECK_AFTER_S:
            self._granted_at = -NEVER
            first.phase = SENDING
            return (Send(first),)
        first.phase = ASKING
        asked = self._asked = line.main[0].priority if len(line.main) == 1 and not line.asides else line.urgency
        return _ASK[asked]

    def _why_over(self, delivery: Queued) -> Refusal:
        """The reason why a delivery ends without a send."""
        if delivery.refusal is not None:
            return delivery.refusal
        if delivery.chat_ended:
            return Refusal.LEFT
        return Refusal.BOT_LOST if self._bot_is_lost else Refusal.EXPIRED

    def _try_again(self, pause_s: float, now: float) -> Commands:
        self._first.tries += 1
        self.held_until = now + pause_s
        return self._go_on(now)

    def _pause(self, delivery: Queued, until: float) -> Commands:
        delivery.phase = PAUSED
        self._granted_at = -NEVER
        return (WaitUntil(min(until, delivery.deadline)),)

    def _drop(self, delivery: Queued, end: End) -> Commands:
        """End a delivery that has not left, wherever it stands."""
        if delivery is not self.current:
            self._line.remove(delivery)
        return (*_withdrawn(delivery), *self._settle(delivery, end))

    def _settle(self, delivery: Queued, end: End) -> Commands:
        delivery.phase, delivery.end = SETTLING, end
        return (_storing(delivery),) if delivery.custody is not PARKING else _NOTHING

    _HANDLERS: Final[dict[type[Event], Handler]] = {
        Added: _added,
        Superseded: _superseded,
        ChatEnded: _chat_ended,
        BotLost: _bot_lost,
        BotBack: _bot_back,
        Wakeup: _looks_again,
        StepStored: _looks_again,
        SplitUp: _looks_again,
        Checked: _checked,
        Delayed: _delayed,
        Hopeless: _hopeless,
        Refused: _hopeless,
        BudgetGranted: _granted,
        Sent: _sent,
        NotSent: _not_sent,
        StoreAway: _store_away,
        CallRefused: _call_refused,
        Flooded: _flooded,
        Overdue: _overdue,
        ParkStored: _park_stored,
        ParkLost: _park_lost,
        EndStored: _end_stored,
    }
    _RULES: Final = {kind: _rule(kind, handler) for kind, handler in _HANDLERS.items()}


def _withdrawn(delivery: Queued) -> Commands:
    """Nobody needs the budget that was asked for."""
    return _WITHDRAW if delivery.phase is ASKING else _NOTHING


def _storing(delivery: Queued) -> Command:
    end = delivery.end
    return StoreDelivered(delivery, end) if isinstance(end, tuple) else StoreFailed(delivery, end)
