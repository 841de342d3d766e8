"""Over any history: order, at most one send under way, an end for each delivery, and only what the table allows."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.delivery import events as happened
from passerby.domain.delivery.commands import (
    AskBudget,
    Check,
    Command,
    Park,
    Send,
    StoreDelivered,
    StoreFailed,
    StoreStep,
    Withdraw,
)
from passerby.domain.delivery.events import Event
from passerby.domain.delivery.line import Queued
from passerby.domain.delivery.phases import Custody, Phase
from passerby.domain.delivery.queue import DeliveryQueue
from passerby.domain.delivery.table import TABLE, IllegalEvent
from passerby.kernel.effect import Priority, Relay
from passerby.kernel.event import Refusal
from passerby.kernel.ids import MessageId
from tests.domain.delivery.parts import CHAT, NEXT_CHAT, OTHER_BOT, held, notice, reaction, relay

STEPS = st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from([0.0, 0.01, 0.1, 5.0, 4000.0])), max_size=60)
FOLLOWING = {happened.First, happened.Overtaken}


class World:
    """Does what a queue commands, and notes what it sees. `pick` chooses what happens next."""

    def __init__(self) -> None:
        self.queue = DeliveryQueue()
        self.now = 0.0
        self.every: list[Queued] = []
        self.ends: list[Queued] = []
        self.sent: list[Queued] = []
        self.asked = False
        self.storing: list[Queued] = []
        self.parking: list[Queued] = []

    def pick(self, number: int) -> Event:
        legal = list(self.legal())
        return legal[number % len(legal)]

    def legal(self) -> Iterator[Event]:
        """The events that may happen now."""
        yield from (happened.Added(each) for each in (relay(put_at=self.now, deadline=self.now + 3600), reaction()))
        yield happened.Added(notice(Priority.MATCH, anchors=CHAT))
        yield from (happened.Added(each) for each in (notice(is_aside=True), held(self.now + 1.0)))
        yield happened.Added(relay(NEXT_CHAT, put_at=self.now, deadline=self.now + 3600))
        yield from (happened.ChatEnded(CHAT), happened.BotLost(), happened.BotBack())
        yield from (happened.EndStored(each) for each in self.storing)
        for each in self.parking:
            yield from (happened.ParkStored(each, entered=True), happened.ParkLost(each))
        for each in self.queue:
            if each.relay_effect is not None and not each.is_over:
                yield happened.Overdue(each)
            if each.is_untouched and not isinstance(each.relay_effect, Relay):
                yield happened.Superseded(each)
        current = self.queue.current
        match current.phase if current is not None else None:
            case Phase.PAUSED:
                yield happened.Wakeup()
            case Phase.CHECKING:
                yield from (happened.Checked(), happened.Delayed(self.now + 1), happened.Hopeless(Refusal.LEFT))
                yield happened.StoreAway(1.0)
            case Phase.ASKING:
                yield from (happened.BudgetGranted(), happened.Delayed(self.now + 1), happened.StoreAway(1.0))
            case Phase.SENDING:
                yield from (happened.Sent((MessageId(7),)), happened.Refused(Refusal.BROKEN))
                yield from (happened.NotSent(True, 1.0), happened.Flooded(OTHER_BOT, 9.0), happened.SplitUp())
                yield from (happened.CallRefused(False, 1.0, 9.0), happened.Delayed(self.now))

    def tell(self, event: Event) -> None:
        before = {each: (each.phase, each.custody) for each in self.every}
        if isinstance(event, happened.Added):
            self.every.append(event.delivery)
            before[event.delivery] = (Phase.NEW, event.delivery.custody)
        commands = self.queue.handle(event, self.now)
        for each, (phase, custody) in before.items():
            assert follows(phase, each.phase, type(event)), (phase, each.phase, event)
            assert custody is each.custody or each.custody in TABLE[custody][type(event)]
        if isinstance(event, happened.EndStored):
            self.storing.remove(event.delivery)
            self.ends.append(event.delivery)
        if isinstance(event, happened.ParkStored | happened.ParkLost):
            self.parking.remove(event.delivery)
        for command in commands:
            self.perform(command)
        sending = [each for each in self.every if each.phase is Phase.SENDING]
        assert len(sending) <= 1
        assert self.asked == any(each.phase is Phase.ASKING for each in self.every)

    def perform(self, command: Command) -> None:
        match command:
            case AskBudget():
                self.asked = True
            case Withdraw():
                self.asked = False
            case Send(delivery):
                delivery.tried_at = self.now
                self.sent.append(delivery)
            case StoreDelivered(delivery) | StoreFailed(delivery):
                assert delivery not in self.ends
                assert delivery.custody is not Custody.PARKING
                self.storing.append(delivery)
            case Park(deliveries):
                self.parking.extend(deliveries)
            case Check() | StoreStep():
                pass

    def finish(self) -> None:
        """Let everything come to its end."""
        for _ in range(20 * len(self.every) + 20):
            for each in list(self.parking):
                self.tell(happened.ParkStored(each, entered=True))
            for each in list(self.storing):
                self.tell(happened.EndStored(each))
            current = self.queue.current
            if current is None:
                return
            self.now += 10.0 if current.phase is Phase.PAUSED else 0.0
            answers: dict[Phase, Event] = {
                Phase.PAUSED: happened.Wakeup(),
                Phase.CHECKING: happened.Checked(),
                Phase.ASKING: happened.BudgetGranted(),
                Phase.SENDING: happened.Sent((MessageId(7),)),
            }
            if current.phase in answers:
                self.asked = self.asked and current.phase is not Phase.ASKING
                self.tell(answers[current.phase])


def follows(before: Phase, after: Phase, kind: type[Event]) -> bool:
    """Whether the table leads from one phase to the other, by this event and what follows from it."""
    reached, left = {before}, {before}
    while left:
        phase = left.pop()
        for event in (kind, *FOLLOWING):
            new = {each for each in TABLE[phase].get(event, ()) if isinstance(each, Phase)} - reached
            reached |= new
            left |= new
    return after in reached


@given(STEPS)
def test_each_delivery_has_one_end_and_relays_leave_in_the_order_they_came(steps: list[tuple[int, float]]) -> None:
    world = World()
    for number, pause_s in steps:
        world.now += pause_s
        event = world.pick(number)
        if isinstance(event, happened.BudgetGranted | happened.Delayed | happened.StoreAway):
            world.asked = False
        world.tell(event)
    world.finish()
    assert sorted(each.id for each in world.ends) == sorted(each.id for each in world.every)
    assert {each.phase for each in world.every} <= {Phase.DONE}
    first_sends = [each for each in dict.fromkeys(world.sent) if each.relay_effect is not None]
    assert first_sends == [each for each in world.every if each in first_sends]


@given(STEPS)
def test_an_event_that_the_table_does_not_name_changes_nothing(steps: list[tuple[int, float]]) -> None:
    world = World()
    for number, pause_s in steps:
        world.now += pause_s
        event = world.pick(number)
        if isinstance(event, happened.BudgetGranted | happened.Delayed | happened.StoreAway):
            world.asked = False
        world.tell(event)
    current = world.queue.current
    seen = [(each, each.phase, each.custody) for each in world.every], list(world.queue), world.queue.held_until
    wrong: list[Event] = [happened.First(), happened.Overtaken()]
    wrong += [happened.Added(each) for each in world.every]
    wrong += [happened.ParkLost(each) for each in world.every if each not in world.parking]
    wrong += [happened.EndStored(each) for each in world.every if not each.is_over]
    if current is None or current.phase is not Phase.SENDING:
        wrong += [happened.Sent(), happened.SplitUp(), happened.NotSent(True, 1.0), happened.StepStored()]
    if current is None or current.phase is not Phase.ASKING:
        wrong.append(happened.BudgetGranted())
    for event in wrong:
        with pytest.raises(IllegalEvent):
            world.queue.handle(event, world.now)
    assert seen == (
        [(each, each.phase, each.custody) for each in world.every],
        list(world.queue),
        world.queue.held_until,
    )
