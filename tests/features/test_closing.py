"""A bot is being drained: nobody begins anything new in it, and everybody gets the link to its sister."""

from random import Random

import msgspec
import pytest

from passerby.dialogue.after_chat import tell_left
from passerby.kernel.decision import NOTHING, Decision, Env
from passerby.kernel.drain import Drain
from passerby.kernel.event import BotClosing
from passerby.kernel.ids import BotId
from passerby.kernel.participant import Chatting, Idle, Profile, Searching
from passerby.kernel.staff import THE_OPERATOR, StaffFacts
from passerby.kernel.staff_requests import DrainAsked, DrainEndAsked
from passerby.staff.bots import drain, end_drain
from tests.features.playbook import BOT, NOW, OTHER_BOT, Playbook, asks, says

CLOSING = {BOT: Drain(BOT, BotId(7), "the_sister_bot", NOW)}
LINK = "https://t.me/the_sister_bot?start=moved"


def set_closing(talk: Playbook, drains: dict[BotId, Drain]) -> None:
    talk.env = msgspec.structs.replace(talk.env, draining=drains)


def closing() -> Playbook:
    talk = Playbook()
    set_closing(talk, CLOSING)
    return talk


@pytest.mark.parametrize("words", ["/search", "/next", "/start", "🔎 Find a partner"])
def test_nobody_begins_a_search_in_a_bot_that_closes(words: str) -> None:
    ann = closing().person()
    assert ann.writes(words) == Decision(effects=(says(ann, "closing.go_on", link=LINK, of=Idle()),))


def test_in_other_bots_everything_is_as_always() -> None:
    talk = closing()
    ann = talk.person()
    assert isinstance(ann.writes("/search", bot=OTHER_BOT).changes[0].state, Searching)
    assert talk.happens(BotClosing(ann.person, BOT)) == NOTHING


def test_a_newcomer_is_sent_to_the_sister_at_once() -> None:
    talk = closing()
    ann = talk.person(Profile())
    for words in ("/start", "hello"):
        assert says(ann, "closing.go_on", link=LINK, of=Idle()) in ann.writes(words).effects


def test_a_chat_goes_on_and_next_only_ends_it() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    set_closing(talk, CLOSING)
    told = says(ann, "closing.in_chat", link=LINK)
    assert talk.happens(BotClosing(ann.person, BOT)) == Decision(effects=(told,))
    assert ann.writes("/start").effects == (says(ann, "start.welcome_chatting"),)
    decision = ann.writes("/next")
    mine, theirs = decision.changes
    assert isinstance(mine.state, Idle)
    left = says(ann, "closing.go_on", link=LINK, of=Idle())
    assert decision.effects == (left, asks(mine), *tell_left((mine, theirs)))
    assert talk.happens(BotClosing(ben.person, BOT)) == NOTHING


def test_a_search_ends_or_goes_on_in_another_bot_that_they_have_started() -> None:
    talk = Playbook()
    ann = talk.searching()
    set_closing(talk, CLOSING)
    decision = talk.happens(BotClosing(ann.person, BOT))
    assert isinstance(decision.changes[0].state, Idle)
    assert decision.effects == (says(ann, "closing.go_on", link=LINK, of=Idle()),)
    set_closing(talk, {})
    ben = talk.person()
    ben.writes("/start", bot=OTHER_BOT)
    ben.writes("/search")
    set_closing(talk, CLOSING)
    decision = talk.happens(BotClosing(ben.person, BOT))
    moved = decision.changes[0]
    assert (moved.bot, moved.bots) == (OTHER_BOT, (OTHER_BOT, BOT))
    assert isinstance(moved.state, Searching)
    assert decision.effects == (says(ben, "closing.search_moved"),)
    assert not isinstance(moved.state, Chatting)


def test_staff_close_a_bot_and_open_it_again() -> None:
    env = Env(NOW, Random(1))
    first = Drain(BOT, OTHER_BOT, "other_bot", NOW - 9)
    asked = DrainAsked(BOT, BotId(7), "seventh_bot")
    assert drain(asked, StaffFacts(THE_OPERATOR), env).drains == (Drain(BOT, BotId(7), "seventh_bot", NOW),)
    again = drain(asked, StaffFacts(THE_OPERATOR, draining=(first,)), env)
    assert again.drains == (Drain(BOT, BotId(7), "seventh_bot", NOW - 9),)
    assert again.notes[0].action == "bots.draining"
    assert end_drain(DrainEndAsked(BOT), StaffFacts(THE_OPERATOR, draining=(first,)), env).drains_over == (BOT,)


def test_people_are_not_sent_to_a_bot_that_closes_too_and_only_a_closing_bot_is_opened() -> None:
    env = Env(NOW, Random(1))
    closes = StaffFacts(THE_OPERATOR, draining=(Drain(OTHER_BOT, BOT, "bot", NOW),))
    assert drain(DrainAsked(BOT, OTHER_BOT, "other_bot"), closes, env).refused
    assert end_drain(DrainEndAsked(BOT), closes, env).refused
