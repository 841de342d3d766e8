"""Signing in to the panel, as values: who may confirm what, and what a browser needs to get in."""

from random import Random
from typing import Any

import msgspec
import pytest

from passerby.domain.panel import SESSION_S
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.panel import PanelFacts, PanelLogin, PanelSession, Passkey, PasskeysGone
from passerby.kernel.staff import (
    COMMAND_LINE,
    THE_OPERATOR,
    AuditNote,
    Role,
    StaffDecision,
    StaffFacts,
    StaffId,
    StaffMember,
    StaffRequest,
)
from passerby.kernel.staff_requests import (
    AlertAsked,
    FaultResolved,
    PanelEntered,
    PanelLinkAsked,
    PasskeyAdded,
    PasskeyRemoved,
    PasskeysReset,
    SessionEnded,
)
from passerby.kernel.text import text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL

NOW = 1_800_000_000.0
ENV = Env(NOW, Random(1))
ROUTER = StaffRouter(ALL)
URL = "https://panel.example.org"
ANN = StaffMember(StaffId(1), PersonId(101), Role.OWNER, NOW - 60, "Ann")
BOB = StaffMember(StaffId(2), PersonId(102), Role.ANALYST, NOW - 60)
ASKED = PanelLogin("ABCDEFGH", "browser", NOW - 10, NOW + 290)
CONFIRMED = msgspec.structs.replace(ASKED, member=ANN.number, confirmed_at=NOW - 1)
LINKED = msgspec.structs.replace(ASKED, member=ANN.number, link="digest of the link")
OPEN = PanelSession(3, "digest", ANN.number, NOW - 60, NOW - 60, NOW - 5, NOW + 1000, "Firefox on Linux")


def facts(login: PanelLogin | None = ASKED, me: StaffMember = ANN, **more: Any) -> StaffFacts:
    panel = PanelFacts(login, more.pop("sessions", (OPEN,)), 4)
    known: dict[str, Any] = {"panel_url": URL, "secret": "secret", "digest": "its digest", **more}
    return StaffFacts(me, (ANN, BOB), panel=panel, **known)


def wrote(words: str) -> MessageReceived:
    return MessageReceived(PersonId(101), BotId(9), (MessageId(5),), (Content(Kind.TEXT, text=words),), NOW)


def pressed(action: str) -> ButtonPressed:
    return ButtonPressed(PersonId(101), BotId(9), "q", MessageId(5), action, "ABCDEFGH")


def decide(event: MessageReceived | ButtonPressed | StaffRequest, known: StaffFacts) -> StaffDecision:
    return ROUTER.decide(event, known, ENV)


def test_the_bot_asks_whether_it_was_them_and_changes_nothing() -> None:
    done = decide(wrote("/panel abcd-efgh"), facts())
    assert not done.changes
    (say,) = done.effects
    assert isinstance(say, Say)
    assert say.text == text("staff_panel.ask", code="ABCD-EFGH")
    assert isinstance(say.keyboard, Menu)
    assert [row[0].action for row in say.keyboard.rows] == ["panel_yes", "panel_link", "panel_no"]


@pytest.mark.parametrize(
    ("words", "login", "url", "key"),
    [
        ("/panel", None, URL, "staff_panel.how"),
        ("/panel ABCD-EFGH", None, URL, "staff_panel.unknown"),
        ("/panel ABCD-EFGH", msgspec.structs.replace(ASKED, expires_at=NOW), URL, "staff_panel.unknown"),
        ("/panel ABCD-EFGH", ASKED, "", "staff_panel.off"),
    ],
)
def test_without_a_good_code_or_a_panel_the_bot_says_what_to_do(
    words: str, login: PanelLogin | None, url: str, key: str
) -> None:
    done = decide(wrote(words), facts(login, panel_url=url))
    assert done.refused
    assert done.reply is not None
    assert done.reply.key == key


def test_a_confirmation_lets_in_the_browser_that_asked() -> None:
    done = decide(pressed("panel_yes"), facts())
    assert done == StaffDecision(
        logins=(msgspec.structs.replace(ASKED, member=ANN.number, confirmed_at=NOW),),
        notes=(AuditNote("panel.confirmed"),),
        effects=(Answer("q"), Revise(ANN.person, MessageId(5), text("staff_panel.confirmed"))),
    )


def test_a_link_has_a_secret_of_which_only_the_digest_is_stored() -> None:
    done = decide(pressed("panel_link"), facts())
    assert done.logins == (msgspec.structs.replace(ASKED, member=ANN.number, link="its digest"),)
    assert done.notes == (AuditNote("panel.link_sent"),)
    assert done.effects[1] == Revise(ANN.person, MessageId(5), text("staff_panel.open", url=f"{URL}/enter/secret"))


@pytest.mark.parametrize("action", ["panel_yes", "panel_link"])
@pytest.mark.parametrize(
    "login",
    [None, CONFIRMED, msgspec.structs.replace(ASKED, member=BOB.number), msgspec.structs.replace(ASKED, used_at=NOW)],
    ids=["unknown", "confirmed already", "somebody else's", "used"],
)
def test_a_login_that_is_no_longer_open_to_them_is_not_confirmed(action: str, login: PanelLogin | None) -> None:
    done = decide(pressed(action), facts(login))
    assert done.refused
    assert not done.changes


def test_a_member_who_did_not_ask_ends_the_login() -> None:
    done = decide(pressed("panel_no"), facts())
    assert done.logins == (msgspec.structs.replace(ASKED, expires_at=NOW),)
    assert done.notes == (AuditNote("panel.disowned"),)
    assert decide(pressed("panel_no"), facts(None)).refused


def test_the_command_line_makes_a_link_for_itself_or_for_a_member() -> None:
    done = decide(PanelLinkAsked("digest", COMMAND_LINE, 600.0), facts(None, THE_OPERATOR))
    assert done.logins == (PanelLogin("digest", "", NOW, NOW + 600, "digest", COMMAND_LINE, NOW),)
    assert done.notes == (AuditNote("panel.invited", "#0"),)
    assert decide(PanelLinkAsked("digest", BOB.number, 600.0), facts(None, THE_OPERATOR)).logins[0].member == 2
    assert decide(PanelLinkAsked("digest", StaffId(9), 600.0), facts(None, THE_OPERATOR)).refused
    assert decide(PanelLinkAsked("digest", COMMAND_LINE, 600.0), facts(None, BOB)).refused


@pytest.mark.parametrize(
    ("login", "shown"), [(CONFIRMED, "ABCDEFGH"), (LINKED, "digest of the link")], ids=["code", "link"]
)
def test_the_browser_that_asked_gets_a_session_once_and_its_member_hears_of_it(login: PanelLogin, shown: str) -> None:
    asked = PanelEntered(shown, "browser", "new digest", "Firefox on Linux", replaces=OPEN.number)
    done = decide(asked, facts(login))
    begun = PanelSession(
        4, "new digest", ANN.number, NOW, NOW, NOW, NOW + SESSION_S, "Firefox on Linux", rotated_at=NOW
    )
    said = text("staff_panel.signed_in", browser="Firefox on Linux", page="Sessions")
    assert done == StaffDecision(
        logins=(msgspec.structs.replace(login, used_at=NOW),),
        sessions=(msgspec.structs.replace(OPEN, ended_at=NOW), begun),
        notes=(AuditNote("panel.signed_in", "session 4", {"browser": "Firefox on Linux", "link": login is LINKED}),),
        effects=(Say(ANN.person, said),),
        reply=said,
    )


@pytest.mark.parametrize(
    ("login", "shown", "browser"),
    [
        (None, "ABCDEFGH", "browser"),
        (ASKED, "ABCDEFGH", "browser"),
        (CONFIRMED, "ABCDEFGH", "another browser"),
        (LINKED, "digest of the link", "another browser"),
        (LINKED, "ABCDEFGH", "browser"),
        (msgspec.structs.replace(CONFIRMED, used_at=NOW), "ABCDEFGH", "browser"),
        (msgspec.structs.replace(CONFIRMED, expires_at=NOW), "ABCDEFGH", "browser"),
        (msgspec.structs.replace(CONFIRMED, member=BOB.number), "ABCDEFGH", "browser"),
    ],
    ids=["unknown", "not confirmed", "foreign", "foreign link", "link by code", "used", "too old", "not theirs"],
)
def test_no_other_browser_gets_in_and_nothing_gets_in_twice(login: PanelLogin | None, shown: str, browser: str) -> None:
    done = decide(PanelEntered(shown, browser, "new digest"), facts(login))
    assert done.refused
    assert not done.changes


def test_a_link_of_the_command_line_works_in_the_first_browser() -> None:
    made = PanelLogin("digest", "", NOW, NOW + 600, "digest", COMMAND_LINE, NOW)
    done = decide(PanelEntered("digest", "any browser", "new digest"), facts(made, THE_OPERATOR, sessions=()))
    assert done.logins[0].browser == "any browser"
    assert done.sessions[0].member == COMMAND_LINE
    assert done.effects == (), "nobody is told"


def test_everybody_ends_their_own_sessions_and_owners_end_all() -> None:
    done = decide(SessionEnded(3), facts(None))
    assert done.sessions == (msgspec.structs.replace(OPEN, ended_at=NOW),)
    assert done.notes == (AuditNote("panel.signed_out", "session 3", {"of": 1}),)
    assert decide(SessionEnded(3), facts(None, BOB)).reply == text("team.not_allowed")
    assert decide(SessionEnded(8), facts(None)).reply == text("staff_panel.no_session")
    theirs = msgspec.structs.replace(OPEN, member=BOB.number)
    assert decide(SessionEnded(3), facts(None, sessions=(theirs,))).changes


def test_a_fault_is_resolved_by_whoever_may_change_settings() -> None:
    done = decide(FaultResolved("0123456789abcdef"), facts(None))
    assert done.resolved == ("0123456789abcdef",)
    assert done.notes == (AuditNote("fault.resolved", "0123456789abcdef"),)
    assert decide(FaultResolved("0123456789abcdef"), facts(None, BOB)).refused


@pytest.mark.parametrize(("silences", "action"), [(False, "alert.acknowledged"), (True, "alert.silenced")])
def test_an_alert_is_ordered_from_the_panel_as_by_a_button(silences: bool, action: str) -> None:
    done = decide(AlertAsked("PasserbyBotHeld", silences), facts(None))
    assert done.notes == (AuditNote(action, "PasserbyBotHeld"),)
    assert decide(AlertAsked("PasserbyBotHeld", silences), facts(None, BOB)).refused


def test_a_member_adds_and_removes_their_passkey_and_is_told() -> None:
    done = decide(PasskeyAdded("name", "key", 3, "Firefox on Linux"), facts(None, BOB))
    assert done.passkeys == (Passkey("name", BOB.number, "key", 3, "Firefox on Linux", NOW, NOW),)
    assert done.notes == (AuditNote("passkey.added", "#2", {"browser": "Firefox on Linux"}),)
    assert [each.to for each in done.effects if isinstance(each, Say)] == [BOB.person]
    assert decide(PasskeyAdded("name", "key", 3, "x"), facts(None, THE_OPERATOR)).refused
    gone = decide(PasskeyRemoved("name"), facts(None, BOB))
    assert gone.passkeys_gone == (PasskeysGone(BOB.number, "name"),)
    assert [each.to for each in gone.effects if isinstance(each, Say)] == [BOB.person]
    assert decide(PasskeyRemoved("name"), facts(None, THE_OPERATOR)).effects == ()


def test_lost_passkeys_are_reset_by_whoever_may_change_the_role() -> None:
    done = decide(PasskeysReset(BOB.number), facts(None))
    assert done.passkeys_gone == (PasskeysGone(BOB.number),)
    assert done.notes == (AuditNote("passkeys.reset", "#2"),)
    assert [each.to for each in done.effects if isinstance(each, Say)] == [BOB.person]
    assert decide(PasskeysReset(ANN.number), facts(None, THE_OPERATOR)).changes, "the last owner's, from the server"
    assert decide(PasskeysReset(StaffId(9)), facts(None)).reply == text("team.nobody")
    admin = msgspec.structs.replace(BOB, role=Role.ADMIN)
    assert decide(PasskeysReset(ANN.number), facts(None, admin)).reply == text("team.above_you")
    assert decide(PasskeysReset(BOB.number), facts(None, BOB)).refused
