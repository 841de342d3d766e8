"""Bots in the staff bot: staff see them, close them, open them again, and retire them."""

import msgspec
import pytest

from passerby.kernel.drain import Drain, FleetBot, KnownBots, RetireBot
from passerby.kernel.effect import Answer, Revise, Say
from passerby.kernel.ids import BotId
from passerby.kernel.staff import THE_OPERATOR, AuditNote, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import BotAddAsked, DrainAsked, DrainEndAsked, RetireAsked
from passerby.kernel.text import text
from tests.features.test_staff import ADMIN, MODERATOR, NOW, decide, facts, labels, pressed, wrote

ONE, TWO, NAMELESS = FleetBot(BotId(1), "one_bot"), FleetBot(BotId(2), "two_bot"), FleetBot(BotId(3))
CLOSING = Drain(BotId(1), BotId(2), "two_bot", NOW - 60)


def known(*bots: FleetBot, draining: tuple[Drain, ...] = (), in_file: bool = True) -> StaffFacts:
    return msgspec.structs.replace(
        facts(ADMIN), fleet=KnownBots(bots or (ONE, TWO, NAMELESS), in_file), draining=draining
    )


def shown(decision: StaffDecision) -> list[str]:
    """The buttons of the message that the press changes."""
    return labels(next(each for each in decision.effects if isinstance(each, Say | Revise)).keyboard)


def test_staff_see_each_bot_and_what_they_can_do_with_it() -> None:
    listed = decide(wrote("/bots"), known(draining=(CLOSING,)))
    assert shown(listed) == ["bots_one:1", "bots_one:2", "bots_one:3"]
    # A bot without a name takes nobody, nor does one that closes.
    assert shown(decide(pressed("bots_one:1"), known())) == ["bots_close:1.2", "bots_list:"]
    assert shown(decide(pressed("bots_one:2"), known(draining=(CLOSING,)))) == ["bots_list:"]
    closing = known(draining=(CLOSING,))
    assert shown(decide(pressed("bots_one:1"), closing)) == ["bots_reopen:1", "bots_retire:1", "bots_list:"]
    without_file = known(draining=(CLOSING,), in_file=False)
    assert shown(decide(pressed("bots_one:1"), without_file)) == ["bots_reopen:1", "bots_list:"]
    assert decide(wrote("/bots", 102), facts(ADMIN)).effects == (Say(ADMIN.person, text("bots.none")),)


def test_a_press_decides_the_same_as_the_command_line() -> None:
    for press, asked, now in (
        ("bots_close:1.2", DrainAsked(BotId(1), BotId(2), "two_bot"), known()),
        ("bots_reopen:1", DrainEndAsked(BotId(1)), known(draining=(CLOSING,))),
        ("bots_sure:1", RetireAsked(BotId(1)), known(draining=(CLOSING,))),
    ):
        done = decide(pressed(press), now)
        wanted = decide(asked, msgspec.structs.replace(now, me=THE_OPERATOR))
        assert not done.refused
        assert done.notes == wanted.notes != ()
        assert (done.drains, done.drains_over, done.reply) == (wanted.drains, wanted.drains_over, wanted.reply)
        assert (RetireBot(BotId(1)) in done.effects) == (press == "bots_sure:1")


def test_a_bot_that_joins_is_in_the_audit_without_its_token() -> None:
    done = decide(BotAddAsked(BotId(7), "new_bot"), facts(ADMIN))
    assert done.notes == (AuditNote("bots.added", "7"),)
    assert done.reply == text("bots.added", bot="7", name="new_bot")
    assert decide(BotAddAsked(BotId(7), "new_bot"), facts(MODERATOR)).refused


def test_a_bot_is_retired_after_a_second_press_and_only_if_it_closes() -> None:
    asks = decide(pressed("bots_retire:1"), known(draining=(CLOSING,)))
    assert shown(asks) == ["bots_sure:1", "bots_list:"]
    assert not asks.changes
    retired = decide(pressed("bots_sure:1"), known(draining=(CLOSING,)))
    assert retired.notes == (AuditNote("bots.retired", "1"),)
    assert retired.drains_over == (1,)
    assert decide(pressed("bots_sure:1"), known()).reply == text("bots.close_first", name="@one_bot")
    # On the command line a bot may be retired at once: it may be lost already.
    assert decide(RetireAsked(BotId(1)), facts(THE_OPERATOR)).drains_over == ()


@pytest.mark.parametrize(
    "press",
    [
        *("bots_one:9", "bots_one:x", "bots_reopen:9", "bots_retire:9", "bots_sure:9"),
        *("bots_close:1.9", "bots_close:9.1", "bots_close:1.1", "bots_close:1.3", "bots_close:1"),
    ],
)
def test_a_button_about_a_bot_that_is_gone_says_so(press: str) -> None:
    done = decide(pressed(press), known())
    assert done.refused
    assert not done.changes
    assert done.effects == (Answer("q", text("bots.gone"), alert=True),)


def test_a_bot_that_takes_the_people_of_another_one_neither_closes_nor_retires() -> None:
    now = known(draining=(CLOSING,))
    assert decide(DrainAsked(BotId(2), BotId(3), "three_bot"), now).reply == text("bots.is_sister", bot="2")
    assert decide(RetireAsked(BotId(2)), now).refused
    assert decide(pressed("bots_close:3.1"), known(draining=(CLOSING,))).reply == text("bots.sister_closes", sister="1")
    assert decide(pressed("bots_reopen:1"), known()).reply == text("bots.not_draining", bot="1")


def test_only_owners_and_admins_see_the_bots() -> None:
    now = msgspec.structs.replace(known(), me=MODERATOR)
    for event in (wrote("/bots", 103), pressed("bots_close:1.2", 103)):
        done = decide(event, now)
        assert not done.changes
        assert done.reply == text("team.not_allowed")
