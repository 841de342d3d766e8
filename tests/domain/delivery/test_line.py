"""The order of a queue."""

from passerby.domain.delivery.commands import AskBudget, Check, Send, StoreDelivered, WaitUntil, Withdraw
from passerby.domain.delivery.events import Added, BudgetGranted, Delayed, EndStored, Flooded, Sent, Wakeup
from passerby.domain.delivery.line import Queued
from passerby.domain.delivery.phases import Phase
from passerby.kernel.effect import Priority
from tests.domain.delivery.parts import ASKED, CHAT, OTHER_BOT, Talk, notice, relay


def order_of(talk: Talk) -> list[Queued]:
    return list(talk.queue)


def test_an_aside_lets_everything_else_go_first() -> None:
    talk, aside, found = Talk(), notice(is_aside=True), notice(Priority.MATCH)
    assert talk.tell(Added(aside)) == (AskBudget(Priority.COMMAND),)
    assert talk.tell(Added(found)) == (Withdraw(), AskBudget(Priority.MATCH))
    assert aside.phase is Phase.QUEUED
    assert talk.tell(BudgetGranted()) == (Send(found),)
    assert talk.arrive(found) == (AskBudget(Priority.COMMAND),)


def test_a_waiting_aside_is_overtaken_too() -> None:
    talk, aside = Talk(), notice(is_aside=True)
    talk.tell(Added(aside))
    assert talk.tell(Delayed(5.0)) == (WaitUntil(5.0),)
    assert talk.tell(Added(relay())) == ASKED


def test_an_aside_that_is_addressed_when_another_comes_is_overtaken_before_it_left() -> None:
    talk, aside, one = Talk(), notice(is_aside=True), relay()
    talk.send(aside)
    assert talk.tell(Added(one)) == ()
    assert talk.tell(Delayed(5.0)) == ASKED
    assert talk.queue.current is one


def test_an_aside_that_may_have_arrived_keeps_its_place() -> None:
    talk, aside, one = Talk(), notice(is_aside=True), relay()
    talk.send(aside)
    aside.tried_at = 1.0
    talk.tell(Flooded(OTHER_BOT, 3.0))
    assert talk.tell(Added(one)) == ()
    assert talk.tell(Wakeup(), after_s=3.0) == ASKED
    assert talk.queue.current is aside
    talk.tell(BudgetGranted())
    assert talk.tell(Sent()) == (StoreDelivered(aside, ()),)
    assert talk.tell(EndStored(aside)) == (Check(one),)


def test_the_notice_of_a_chat_goes_before_the_relays_of_the_chat() -> None:
    talk, first, one, told = Talk(), notice(), relay(), notice(Priority.MATCH, anchors=CHAT)
    for delivery in (first, one, told):
        talk.tell(Added(delivery))
    assert order_of(talk) == [first, told, one]


def test_the_notice_of_a_chat_does_not_pass_a_relay_that_may_have_arrived() -> None:
    talk, one, told = Talk(), relay(), notice(Priority.MATCH, anchors=CHAT)
    talk.send(one)
    talk.tell(Added(told))
    assert order_of(talk) == [one, told]


def test_entries_that_another_process_left_are_placed_by_age() -> None:
    talk, young, younger, old, older, newest = (
        Talk(),
        notice(at=10.0),
        notice(at=11.0),
        *(notice(at=at) for at in (5.0, 6.0, 20.0)),
    )
    for found in (old, older, newest):
        found.found_again = True
    for delivery in (young, younger, old, older, newest):
        talk.tell(Added(delivery))
    assert order_of(talk) == [old, older, young, younger, newest]
