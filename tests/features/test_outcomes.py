"""Messages that did not arrive, people who block the bot, and people who come back."""

from random import Random

import msgspec
import pytest

from passerby.features.chat.outcomes import SENTENCES, undelivered
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Priority, Say
from passerby.kernel.event import BotLost, DeliveryFailed, Refusal
from passerby.kernel.ids import ChatId, MessageId, PersonId
from passerby.kernel.journey import Journey
from passerby.kernel.participant import Idle
from passerby.kernel.text import text
from tests.features.playbook import BOT, NOW, OTHER_BOT, Playbook, asks, becomes, parted, says

THIRD_BOT = type(BOT)(1000003)


@pytest.mark.parametrize("refusal", Refusal)
def test_the_sender_is_told_about_every_reason_for_a_failed_message(refusal: Refusal) -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    told = says(ann, SENTENCES[refusal], None, reply_to=60)
    assert ann.fails_to_reach(ben, refusal) == Decision(effects=(told,))


def test_a_partner_who_blocked_and_one_who_left_read_the_same() -> None:
    assert SENTENCES[Refusal.UNREACHABLE] == SENTENCES[Refusal.LEFT]


def test_every_other_reason_has_its_own_text() -> None:
    alike = {Refusal.UNREACHABLE: Refusal.LEFT, Refusal.BOT_LOST: Refusal.BROKEN}
    sentences = [SENTENCES[refusal] for refusal in Refusal if refusal not in alike]
    assert len(set(sentences)) == len(sentences)


def test_several_messages_that_missed_the_chat_get_one_notice() -> None:
    ann = Playbook().person().value
    event = DeliveryFailed(ann.person, BOT, MessageId(60), ChatId("c"), PersonId(9), BOT, Refusal.LEFT, count=150)
    said = Say(ann.person, text("chat.failed_many", n=150), reply_to=MessageId(60))
    assert undelivered(event, Facts(ann), Env(NOW, Random(1))) == Decision(effects=(said,))


def test_on_another_bot_the_notice_replies_to_nothing() -> None:
    talk = Playbook()
    ann, ben = talk.person(), talk.person()
    ann.writes("/start", bot=OTHER_BOT)
    assert ann.fails_to_reach(ben, Refusal.EXPIRED) == Decision(effects=(says(ann, "chat.failed_expired", None),))


def test_a_person_who_blocks_the_bot_has_left_and_the_partner_is_told() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    mine = parted(ann.value, reason="blocked", by=ann, bot=None, bots=())
    theirs = parted(ben.value, reason="blocked", by=ann)
    assert ann.blocks() == Decision(
        (mine, theirs), (says(ben, "chat.partner_left", of=Idle(), priority=Priority.MATCH), asks(theirs))
    )


def test_blocking_the_bot_ends_the_search() -> None:
    ann = Playbook().searching()
    was = ann.value
    assert ann.blocks() == Decision((becomes(was, Idle(), bot=None, bots=()),))


def test_a_refusal_from_before_the_search_or_chat_is_ignored() -> None:
    talk = Playbook()
    eve = talk.person()
    eve.writes("/search")
    assert eve.blocks(refused_at=NOW - 1) == NOTHING
    assert isinstance(eve.blocks(refused_at=NOW).changes[0].state, Idle)
    ann, _ = talk.pair(talk.person(), talk.person())
    assert ann.blocks(refused_at=NOW - 1) == NOTHING
    assert isinstance(ann.blocks(refused_at=NOW).changes[0].state, Idle)


def test_a_refusal_counts_for_an_idle_person() -> None:
    eve = Playbook().person()
    was = eve.value
    assert eve.blocks(refused_at=NOW - 1) == Decision((becomes(was, Idle(), bot=None, bots=()),))


def test_an_idle_person_who_blocks_the_bot_cannot_be_reached() -> None:
    ann = Playbook().person()
    was = ann.value
    assert ann.blocks() == Decision((becomes(was, Idle(), bot=None, bots=()),))
    assert ann.blocks() == NOTHING, "and once is enough"


def test_blocking_a_bot_that_is_not_in_use_leaves_the_chat_alone() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    ann.writes("/start", bot=OTHER_BOT)
    was = ann.value
    assert ann.blocks(BOT) == Decision((becomes(was, was.state, bots=(OTHER_BOT,)),))


def test_blocking_the_current_bot_ends_the_chat_even_with_another_bot() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    ann.writes("hi", bot=OTHER_BOT)
    mine = parted(ann.value, reason="blocked", by=ann, bot=BOT, bots=(BOT,))
    decision = ann.blocks(OTHER_BOT)
    assert decision.changes[0] == mine
    assert decision.effects == (
        says(ben, "chat.partner_left", of=Idle(), priority=Priority.MATCH),
        asks(decision.changes[1]),
    )


def test_a_block_by_somebody_unknown_changes_nothing() -> None:
    assert Playbook().stranger().blocks() == NOTHING


def test_a_person_who_comes_back_can_be_reached_again() -> None:
    talk = Playbook()
    ann = talk.person()
    ann.blocks()
    was = ann.value
    talk.later(5)
    assert ann.unblocks(OTHER_BOT) == Decision(
        (becomes(was, Idle(), bot=OTHER_BOT, bots=(OTHER_BOT,), seen_at=NOW + 5),)
    )


def test_starting_another_bot_is_one_more_way_to_reach_a_person() -> None:
    ann = Playbook().person()
    was = ann.value
    assert ann.unblocks(OTHER_BOT) == Decision((becomes(was, Idle(), bots=(BOT, OTHER_BOT)),))
    assert ann.unblocks(OTHER_BOT) == NOTHING


def test_if_the_current_bot_is_lost_the_one_before_takes_over() -> None:
    ann = Playbook().person()
    for bot in (OTHER_BOT, THIRD_BOT):
        ann.writes("/start", bot=bot)
    assert ann.value.bots == (THIRD_BOT, OTHER_BOT, BOT)
    was = ann.value
    assert ann.blocks(THIRD_BOT) == Decision((becomes(was, Idle(), bot=OTHER_BOT, bots=(OTHER_BOT, BOT)),))


def test_a_newcomers_first_message_is_their_arrival_not_what_telegram_tells_before_it() -> None:
    ann = Playbook().stranger()
    assert ann.unblocks() == NOTHING
    ann.writes("/start s_spring")
    assert ann.value.journey == Journey("spring", BOT, "en", NOW)


def test_somebody_whom_no_bot_reached_any_more_is_reached_through_the_bot_they_start_again() -> None:
    ann = Playbook().person()
    ann.blocks()
    assert ann.value.bot is None
    assert [change.bot for change in ann.unblocks(OTHER_BOT).changes] == [OTHER_BOT]


def test_blocking_changes_nobody_else_if_the_partner_is_elsewhere() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.people[ben.person] = msgspec.structs.replace(ben.value, state=Idle())
    mine = parted(ann.value, reason="blocked", by=ann, bot=None, bots=())
    assert ann.blocks() == Decision((mine,))


def test_if_a_bot_is_lost_its_people_continue_through_another_started_bot() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    ann.writes("hi", bot=OTHER_BOT)
    was = ann.value
    moved = becomes(was, was.state, bot=BOT, bots=(BOT,))
    assert talk.happens(BotLost(ann.person, OTHER_BOT)) == Decision((moved,), (says(ann, "chat.moved_here"),))
    assert talk.happens(BotLost(ann.person, OTHER_BOT)) == NOTHING


def test_idle_people_and_users_of_other_bots_are_not_told_about_a_lost_bot() -> None:
    ann = Playbook().person()
    ann.writes("/start", bot=OTHER_BOT)
    was = ann.value
    assert ann.talk.happens(BotLost(ann.person, OTHER_BOT)) == Decision((becomes(was, Idle(), bot=BOT, bots=(BOT,)),))
    ben = Playbook().person()
    ben.writes("/start", bot=OTHER_BOT)
    was = ben.value
    assert ben.talk.happens(BotLost(ben.person, BOT)) == Decision((becomes(was, Idle(), bots=(OTHER_BOT,)),))


def test_without_another_bot_a_person_has_left_and_the_partner_is_told() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    mine = parted(ann.value, reason="bot_lost", by=ann, bot=None, bots=())
    decision = talk.happens(BotLost(ann.person, BOT))
    assert decision.changes[0] == mine
    assert decision.effects == (
        says(ben, "chat.partner_left", of=Idle(), priority=Priority.MATCH),
        asks(decision.changes[1]),
    )
    cleo = talk.searching()
    assert isinstance(talk.happens(BotLost(cleo.person, BOT)).changes[0].state, Idle)


def test_somebody_whose_chat_ended_with_a_lost_bot_learns_why_in_the_next_bot() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.happens(BotLost(ann.person, BOT))
    assert says(ann, "start.bot_was_lost") in ann.writes("/start", bot=OTHER_BOT).effects
    assert says(ben, "start.ready") in ben.writes("/start").effects
