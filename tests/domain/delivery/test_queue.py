"""A queue takes one delivery after another to its end: dialogues, event in, commands out."""

import pytest

from passerby.domain.delivery.commands import (
    AskBudget,
    Check,
    Hold,
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
    Refused,
    Sent,
    SplitUp,
    StepStored,
    StoreAway,
    Superseded,
    Wakeup,
)
from passerby.domain.delivery.phases import Phase
from passerby.domain.delivery.queue import REFUSED_TRIES, UNCERTAIN_TRIES
from passerby.domain.delivery.table import IllegalEvent
from passerby.kernel.effect import Priority
from passerby.kernel.event import Refusal
from passerby.kernel.ids import MessageId
from tests.domain.delivery.parts import (
    ASKED,
    CHAT,
    NEXT_CHAT,
    OTHER_BOT,
    TTL_S,
    Talk,
    held,
    notice,
    reaction,
    relay,
)

ARRIVED = (MessageId(71),)


def test_a_relay_is_sent_marked_and_done() -> None:
    talk, one = Talk(), relay()
    assert talk.tell(Added(one)) == ASKED
    assert talk.tell(BudgetGranted()) == (Send(one),)
    assert talk.tell(Sent(ARRIVED)) == (StoreDelivered(one, ARRIVED),)
    assert talk.tell(EndStored(one)) == ()
    assert (one.phase, len(talk.queue), talk.queue.current) == (Phase.DONE, 0, None)


def test_the_next_delivery_waits_until_the_end_of_the_one_before_is_stored() -> None:
    talk, one, two = Talk(), relay(), relay()
    talk.send(one)
    assert talk.tell(Added(two)) == ()
    assert talk.tell(Sent(ARRIVED)) == (StoreDelivered(one, ARRIVED),)
    assert talk.tell(EndStored(one)) == ASKED
    assert talk.tell(BudgetGranted()) == (Send(two),)


def test_a_delivery_with_nothing_to_send_is_done_without_a_message() -> None:
    talk, one = Talk(), reaction()
    talk.send(one)
    assert talk.tell(Sent()) == (StoreDelivered(one, ()),)


def test_a_refused_delivery_is_reported() -> None:
    talk, one = Talk(), relay()
    talk.send(one)
    assert talk.tell(Refused(Refusal.UNREACHABLE)) == (StoreFailed(one, Refusal.UNREACHABLE),)


def test_a_delivery_that_must_not_be_tried_is_reported_at_once() -> None:
    talk, one = Talk(), relay()
    one.refusal = Refusal.FATAL
    assert talk.tell(Added(one)) == (StoreFailed(one, Refusal.FATAL),)


def test_a_429_holds_the_queue_and_costs_no_try() -> None:
    talk, one = Talk(), relay()
    talk.send(one)
    one.tried_at = 1.0
    assert talk.tell(Flooded(OTHER_BOT, 30.0)) == (Hold(OTHER_BOT, 30.0), WaitUntil(30.0))
    assert one.tries == 0
    assert talk.tell(Wakeup(), after_s=30.0) == (Check(one),), "after a wait its chat may be over"
    assert talk.tell(Checked()) == ASKED
    assert talk.tell(BudgetGranted()) == (Send(one),)


def test_the_queue_goes_on_waiting_if_it_wakes_too_early() -> None:
    talk, one = Talk(), relay()
    talk.send(one)
    talk.tell(Flooded(OTHER_BOT, 30.0))
    assert talk.tell(Wakeup(), after_s=10.0) == (WaitUntil(30.0),)


def test_an_unknown_outcome_is_tried_a_limited_number_of_times() -> None:
    talk, one = Talk(), notice()
    talk.send(one)
    for _ in range(UNCERTAIN_TRIES - 1):
        assert talk.tell(NotSent(uncertain=True, pause_s=1.0)) == (WaitUntil(talk.now + 1.0),)
        assert talk.tell(Wakeup(), after_s=1.0) == (AskBudget(Priority.COMMAND),)
        assert talk.tell(BudgetGranted()) == (Send(one),)
    assert talk.tell(NotSent(uncertain=True, pause_s=1.0)) == (StoreFailed(one, Refusal.UNCERTAIN),)


def test_an_unsent_delivery_is_tried_until_its_deadline() -> None:
    talk, one = Talk(), notice()
    talk.send(one)
    assert talk.tell(NotSent(uncertain=False, pause_s=TTL_S + 10)) == (WaitUntil(TTL_S),)
    assert talk.tell(Wakeup(), after_s=TTL_S) == (StoreFailed(one, Refusal.EXPIRED),)


def test_a_budget_that_comes_after_the_deadline_serves_the_next_delivery() -> None:
    talk, late, next_ = Talk(), relay(deadline=1.0), notice()
    talk.tell(Added(late))
    talk.tell(Added(next_))
    assert talk.tell(BudgetGranted(), after_s=1.0) == (StoreFailed(late, Refusal.EXPIRED),)
    assert talk.tell(EndStored(late)) == (Send(next_),)


def test_a_call_refused_while_the_token_is_suspected_waits_for_the_token() -> None:
    talk, one = Talk(), notice()
    talk.send(one)
    assert talk.tell(CallRefused(suspected=True, pause_s=1.0, final_after_s=100.0)) == (AskBudget(Priority.COMMAND),)
    assert talk.tell(Delayed(TTL_S * 2)) == (WaitUntil(TTL_S),)
    assert talk.tell(BotBack()) == (AskBudget(Priority.COMMAND),)


def test_a_call_that_is_always_refused_is_given_up_after_tries_and_time() -> None:
    talk, one = Talk(), notice()
    talk.send(one)
    refused = CallRefused(suspected=False, pause_s=1.0, final_after_s=100.0)
    for _ in range(REFUSED_TRIES):
        assert talk.tell(refused) == (WaitUntil(talk.now + 1.0),)
        talk.tell(Wakeup(), after_s=1.0)
        talk.tell(BudgetGranted())
    assert talk.tell(refused) == (WaitUntil(talk.now + 1.0),), "not before the time that confirms a token's loss"
    talk.tell(Wakeup(), after_s=100.0)
    talk.tell(BudgetGranted())
    assert talk.tell(refused) == (StoreFailed(one, Refusal.BROKEN),)


def test_while_the_store_is_away_a_delivery_waits() -> None:
    talk, one = Talk(), relay()
    talk.send(one)
    assert talk.tell(StoreAway(0.5)) == (WaitUntil(0.5),)
    assert one.tries == 1


def test_several_steps_are_several_sends_of_one_delivery() -> None:
    talk, one = Talk(), relay()
    talk.send(one)
    one.tries = one.uncertain = 3
    assert talk.tell(Sent(more=True)) == (StoreStep(one),)
    assert (one.tries, one.uncertain) == (0, 0)
    assert talk.tell(StepStored()) == ASKED
    assert talk.tell(BudgetGranted()) == (Send(one),)
    assert talk.tell(SplitUp()) == ASKED
    assert talk.tell(BudgetGranted()) == (Send(one),)
    assert talk.tell(Sent(ARRIVED)) == (StoreDelivered(one, ARRIVED),)


def test_the_end_of_a_chat_drops_what_waits_and_lets_go_what_is_under_way() -> None:
    talk, one, two, other = Talk(), relay(), relay(), relay(NEXT_CHAT)
    talk.send(one)
    talk.tell(Added(two))
    talk.tell(Added(other))
    assert talk.tell(ChatEnded(CHAT)) == (StoreFailed(two, Refusal.LEFT),)
    assert talk.tell(ChatEnded(CHAT)) == ()
    assert talk.tell(EndStored(two)) == ()
    assert talk.arrive(one) == ASKED
    assert talk.queue.current is other


def test_a_relay_that_failed_after_the_end_of_its_chat_is_not_tried_again() -> None:
    talk, one = Talk(), relay()
    talk.send(one)
    talk.tell(ChatEnded(CHAT))
    assert talk.tell(NotSent(uncertain=False, pause_s=1.0)) == (StoreFailed(one, Refusal.LEFT),)


def test_a_relay_that_waits_for_its_budget_is_dropped_with_its_chat() -> None:
    talk, one = Talk(), relay()
    talk.tell(Added(one))
    assert talk.tell(ChatEnded(CHAT)) == (Withdraw(), StoreFailed(one, Refusal.LEFT))
    assert talk.tell(ChatEnded(CHAT)) == (), "its end is being stored"
    assert talk.tell(EndStored(one)) == ()


def test_a_relay_of_a_chat_that_has_ended_never_enters_the_queue() -> None:
    talk, one = Talk(), relay()
    one.chat_ended = True
    assert talk.tell(Added(one)) == (StoreFailed(one, Refusal.LEFT),)
    assert len(talk.queue) == 0


def test_a_superseded_edit_ends_without_a_send() -> None:
    talk, one, two, three = Talk(), relay(), reaction(), reaction()
    talk.send(one)
    talk.tell(Added(two))
    talk.tell(Added(three))
    assert talk.tell(Superseded(two)) == (StoreDelivered(two, ()),)
    talk.tell(EndStored(two))
    assert talk.arrive(one) == ASKED
    assert talk.tell(Superseded(three)) == (Withdraw(), StoreDelivered(three, ()))


def test_a_delivery_under_way_is_not_superseded() -> None:
    talk, one = Talk(), reaction()
    talk.send(one)
    with pytest.raises(IllegalEvent):
        talk.tell(Superseded(one))
    assert one.phase is Phase.SENDING


def test_a_notice_that_may_be_needless_is_held_while_nothing_waits_behind_it() -> None:
    talk, begun = Talk(), held()
    assert talk.tell(Added(begun)) == (WaitUntil(1.0),)
    assert talk.tell(Wakeup(), after_s=0.4) == (WaitUntil(1.0),), "it woke too early"
    assert talk.tell(Wakeup(), after_s=0.6) == (AskBudget(Priority.COMMAND),)


def test_a_held_notice_goes_at_once_when_something_waits_behind_it() -> None:
    talk, begun, menu = Talk(), held(), notice()
    talk.tell(Added(begun))
    assert talk.tell(Added(menu)) == (AskBudget(Priority.COMMAND),)
    assert talk.tell(BudgetGranted()) == (Send(begun),)


def test_a_notice_that_comes_behind_others_is_held_when_they_are_gone() -> None:
    talk, one, begun = Talk(), notice(), held()
    talk.send(one)
    talk.tell(Added(begun))
    assert talk.arrive(one) == (WaitUntil(1.0),)


def test_a_held_notice_that_turns_out_needless_takes_no_budget() -> None:
    talk, begun, found = Talk(), held(), notice(Priority.MATCH)
    talk.tell(Added(begun))
    assert talk.tell(Superseded(begun)) == (StoreDelivered(begun, ()),)
    assert talk.tell(Added(found)) == ()
    assert talk.tell(EndStored(begun)) == (AskBudget(Priority.MATCH),)


def test_a_held_notice_of_a_chat_held_by_telegram_waits_for_both() -> None:
    talk, one, begun = Talk(), notice(), held()
    talk.send(one)
    talk.tell(Flooded(OTHER_BOT, 0.5))
    talk.tell(Added(begun))
    talk.tell(Wakeup(), after_s=0.5)
    talk.tell(BudgetGranted())
    assert talk.arrive(one) == (WaitUntil(1.0),)


def test_a_lost_bot_ends_one_delivery_after_another() -> None:
    talk, one, two = Talk(), notice(), notice()
    talk.tell(Added(one))
    talk.tell(Added(two))
    assert talk.tell(BotLost()) == (Withdraw(), StoreFailed(one, Refusal.BOT_LOST))
    assert talk.tell(EndStored(one)) == (StoreFailed(two, Refusal.BOT_LOST),)
    assert talk.tell(EndStored(two)) == ()
    assert talk.tell(BotBack()) == ()
    assert talk.tell(Added(notice())) == (AskBudget(Priority.COMMAND),)


def test_a_send_under_way_may_still_arrive_when_its_bot_is_lost() -> None:
    talk, one = Talk(), notice()
    assert talk.tell(BotLost()) == ()
    talk.tell(BotBack())
    talk.send(one)
    assert talk.tell(BotLost()) == ()
    assert talk.tell(BotBack()) == ()
    assert talk.arrive(one) == ()


def test_a_relay_that_waited_is_sent_only_if_its_chat_is_open() -> None:
    talk, one = Talk(), relay()
    talk.tell(Added(one))
    assert talk.tell(BudgetGranted(), after_s=1.0) == (Check(one),)
    assert talk.tell(Hopeless(Refusal.LEFT)) == (StoreFailed(one, Refusal.LEFT),)


def test_a_budget_is_used_after_a_quick_check_and_asked_for_again_after_a_slow_one() -> None:
    talk, one, two = Talk(), relay(), relay(put_at=1.0)
    talk.tell(Added(one))
    assert talk.tell(BudgetGranted(), after_s=1.0) == (Check(one),)
    assert talk.tell(Checked()) == (Send(one),)
    talk.arrive(one)
    talk.tell(Added(two))
    assert talk.tell(BudgetGranted(), after_s=1.0) == (Check(two),)
    assert talk.tell(Checked(), after_s=1.0) == ASKED


def test_a_delivery_waits_for_another_process_that_goes_first() -> None:
    talk, one = Talk(), notice()
    one.is_cleared = False
    assert talk.tell(Added(one)) == (Check(one),)
    assert talk.tell(Delayed(0.05)) == (WaitUntil(0.05),)
    assert talk.tell(Wakeup(), after_s=0.05) == (Check(one),)
    assert talk.tell(Checked()) == (AskBudget(Priority.COMMAND),)


def test_a_more_urgent_delivery_behind_raises_the_priority() -> None:
    talk, one = Talk(), notice(Priority.SYSTEM)
    assert talk.tell(Added(one)) == (AskBudget(Priority.SYSTEM),)
    assert talk.tell(Added(relay())) == ASKED
    assert talk.tell(Added(notice())) == (), "less urgent than what was asked for"


def test_a_queue_asks_with_the_highest_priority_that_waits_in_it() -> None:
    talk, one, two = Talk(), relay(), notice()
    talk.send(one)
    talk.tell(Added(two))
    talk.tell(Added(relay()))
    assert talk.arrive(one) == ASKED
    assert talk.queue.urgency is Priority.CHAT


@pytest.mark.parametrize(
    "event", [Wakeup(), Sent(), EndStored(relay()), Superseded(relay())], ids=lambda each: type(each).__name__
)
def test_an_event_that_may_not_come_now_changes_nothing(event: Event) -> None:
    talk = Talk()
    with pytest.raises(IllegalEvent):
        talk.tell(event)
    assert (len(talk.queue), talk.queue.current) == (0, None)
    talk.send(relay())
