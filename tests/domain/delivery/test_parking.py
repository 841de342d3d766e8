"""A relay that takes long is parked, wherever it stands, and its end is stored once."""

import pytest

from passerby.domain.delivery.commands import Park, Send, StoreDelivered, StoreFailed, WaitUntil
from passerby.domain.delivery.events import (
    Added,
    BudgetGranted,
    ChatEnded,
    EndStored,
    Overdue,
    ParkLost,
    ParkStored,
    Sent,
)
from passerby.domain.delivery.phases import Custody
from passerby.domain.delivery.table import IllegalEvent
from passerby.kernel.event import Refusal
from passerby.kernel.ids import MessageId
from tests.domain.delivery.parts import CHAT, TTL_S, Talk, notice, relay

ARRIVED = (MessageId(71),)


def test_a_relay_is_parked_with_the_relays_before_it() -> None:
    talk, first, one, two, three = Talk(), notice(), relay(), relay(), relay()
    for delivery in (first, one, two, three):
        talk.tell(Added(delivery))
    assert talk.tell(Overdue(two)) == (Park((one, two)),)
    assert talk.tell(Overdue(three)) == (), "not while others are being parked"
    for delivery in (one, two):
        assert talk.tell(ParkStored(delivery, entered=True)) == ()
    assert talk.tell(Overdue(three)) == (Park((three,)),)
    assert talk.tell(Overdue(two)) == ()


def test_a_relay_being_sent_is_parked_and_its_end_waits_for_that() -> None:
    talk, one = Talk(), relay()
    talk.send(one)
    assert talk.tell(Overdue(one)) == (Park((one,)),)
    assert talk.tell(Sent(ARRIVED)) == ()
    assert talk.tell(ParkStored(one, entered=True)) == (StoreDelivered(one, ARRIVED),)
    assert one.custody is Custody.OUTBOX
    assert talk.tell(EndStored(one)) == ()


def test_if_parking_fails_the_end_is_stored_all_the_same() -> None:
    talk, one, two = Talk(), relay(), relay()
    talk.send(one)
    talk.tell(Added(two))
    talk.tell(Overdue(two))
    assert talk.tell(ChatEnded(CHAT)) == ()
    assert talk.tell(ParkLost(two)) == (StoreFailed(two, Refusal.LEFT),)
    assert talk.tell(ParkLost(one)) == ()
    assert one.custody is Custody.UNKNOWN
    assert talk.tell(Overdue(one)) == (Park((one,)),), "it may be tried again"


def test_nothing_is_parked_while_the_end_of_the_one_before_is_stored() -> None:
    talk, one, two = Talk(), relay(), relay()
    talk.send(one)
    talk.tell(Added(two))
    talk.tell(Sent(ARRIVED))
    assert talk.tell(Overdue(two)) == ()
    with pytest.raises(IllegalEvent):
        talk.tell(Overdue(one))


@pytest.mark.parametrize("entered", [True, False], ids=["stored", "was stored before"])
def test_a_relay_that_must_be_parked_first_is_sent_after_that(entered: bool) -> None:
    talk, one = Talk(), relay()
    one.must_park = True
    assert talk.tell(Added(one)) == (WaitUntil(TTL_S),)
    talk.tell(Overdue(one))
    (check,) = talk.tell(ParkStored(one, entered=entered))
    assert type(check).__name__ == "Check", "another process may have parked older ones"
    assert one.custody is (Custody.OUTBOX if entered else Custody.UNKNOWN)


def test_a_notice_is_in_the_outbox_already() -> None:
    talk, one = Talk(), notice()
    talk.tell(Added(one))
    assert talk.tell(Overdue(one)) == ()
    with pytest.raises(IllegalEvent):
        talk.tell(ParkStored(one, entered=True))
    assert talk.tell(BudgetGranted()) == (Send(one),)
