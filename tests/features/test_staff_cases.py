"""The view of a case, and the decision of each button."""

from random import Random

import msgspec
import pytest

from passerby.domain.alone import IMPOSED_ALONE
from passerby.domain.cases import CLAIM_S
from passerby.kernel.alone import Alone
from passerby.kernel.case import (
    About,
    Case,
    CaseFile,
    CaseState,
    Desk,
    Exhibit,
    Judged,
    Lane,
    Mute,
    Outcome,
    Proposal,
    Report,
    ReporterRecord,
    Verdict,
)
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Button, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId
from passerby.kernel.participant import Complaint, Participant, Profile
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import (
    LiftOrder,
    OverturnOrder,
    Role,
    SanctionOrder,
    ShowExhibit,
    StaffDecision,
    StaffFacts,
    StaffId,
    StaffMember,
    ThankOrder,
    UpholdOrder,
)
from passerby.kernel.text import text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from passerby.staff.cases.measures import rule

NOW = 1_800_000_000.0
BOT = BotId(1000009)
ENV = Env(NOW, Random(1))
ROUTER = StaffRouter(ALL)
ACCUSED = PersonId(777)
WHO = Participant(ACCUSED, 3, profile=Profile(NOW, 31, NOW, language="de", languages=("de",)))
CASE = Case(12, About.REPORTS, ACCUSED, Lane.REST, NOW - 7200, "salt", version=3, claimed_by=4, claimed_until=NOW + 60)
REPORT = Report(
    ChatId("c"),
    PersonId(5),
    Complaint.RUDE,
    NOW - 7200,
    0.5,
    exhibits=(Exhibit(0), Exhibit(1, "d1")),
    record=ReporterRecord(7, 1, chats=9),
)
FILE = CaseFile(CASE, WHO, (REPORT,))
MEASURE = Sanction("m12", SanctionKind.SLOW, Reason.RUDE, NOW - 9, NOW + 9, None, "reports", "case 12")
OWN = Sanction("c9", SanctionKind.SUSPENDED, Reason.RUDE, NOW - 9, NOW + 9, 4, evidence="case 9")


def member(role: Role = Role.MODERATOR, number: int = 4) -> StaffMember:
    return StaffMember(StaffId(number), PersonId(104), role, NOW)


def decide(
    event: MessageReceived | ButtonPressed,
    file: CaseFile | None = FILE,
    role: Role = Role.MODERATOR,
    *,
    number: int = 4,
    involved: frozenset[int] = frozenset(),
    waiting: tuple[Case, ...] = (CASE,),
) -> StaffDecision:
    me = member(role, number)
    return ROUTER.decide(event, StaffFacts(me, (me,), desk=Desk(waiting, file, involved, 2)), ENV)


def wrote(words: str) -> MessageReceived:
    return MessageReceived(PersonId(104), BOT, (MessageId(5),), (Content(Kind.TEXT, text=words),), NOW)


def pressed(action: str, *rest: str, case: Case = CASE) -> ButtonPressed:
    token = ".".join((str(case.number), str(case.version), *rest))
    return ButtonPressed(PersonId(104), BOT, "q", MessageId(9), action, token)


def said(decision: StaffDecision) -> str:
    return repr([each for each in decision.effects if isinstance(each, Say | Revise | Answer)])


def buttons_of(decision: StaffDecision) -> list[Button]:
    menus = (each.keyboard for each in decision.effects if isinstance(each, Say | Revise))
    return [button for menu in menus if isinstance(menu, Menu) for row in menu.rows for button in row]


def actions(decision: StaffDecision) -> list[str]:
    return [button.action for button in buttons_of(decision)]


def of(**changes: object) -> CaseFile:
    return msgspec.structs.replace(FILE, case=msgspec.structs.replace(CASE, **changes))


def test_the_queue_tells_how_much_waits_and_for_how_long() -> None:
    shown = decide(wrote("/cases"))
    assert "cases.lane_rest" in said(shown)
    assert "('hours', 2)" in said(shown)
    assert "cases.lane_first" not in said(shown)
    assert actions(shown) == ["case_next"]
    assert "cases.queue_empty" in said(decide(wrote("/cases"), waiting=()))


def test_taking_a_case_holds_it_and_is_in_the_audit_and_names_nobody() -> None:
    free = of(claimed_by=None, claimed_until=0.0)
    taken = decide(wrote("/next"), free)
    (case,) = taken.cases
    assert (case.claimed_by, case.claimed_until, case.version) == (4, NOW + CLAIM_S, 4)
    assert [note.action for note in taken.notes] == ["case.taken"]
    assert "777" not in said(taken)
    assert actions(taken)[:4] == ["case_see", "case_do", "case_kind", "case_note"]
    again = decide(wrote("/next"))
    assert again.cases == ()
    assert "cases.card" in said(again)
    assert "cases.none_for_you" in said(decide(wrote("/next"), None))


def test_the_card_shows_what_binds_the_accused_now() -> None:
    slowed = msgspec.structs.replace(FILE, accused=msgspec.structs.replace(WHO, sanctions=(MEASURE,)))
    assert "cases.bound" in said(decide(pressed("case_show"), slowed))
    profile = msgspec.structs.replace(WHO.profile, languages=(), language="de")
    untold = msgspec.structs.replace(FILE, accused=msgspec.structs.replace(WHO, profile=profile))
    assert "('languages', 'de')" in said(decide(pressed("case_show"), untold)), "as on the card of a person"
    erased = msgspec.structs.replace(FILE, accused=None, reports=())
    assert "cases.card" in said(decide(pressed("case_show"), erased))


@pytest.mark.parametrize(
    ("file", "involved", "why"),
    [
        (None, frozenset(), "cases.over"),
        (FILE, frozenset({12}), "cases.not_yours"),
        (of(claimed_by=9), frozenset(), "cases.taken"),
        (of(version=4), frozenset(), "cases.changed"),
        (of(claimed_by=None, claimed_until=0.0), frozenset(), "cases.changed"),
        (of(claimed_by=9, claimed_until=NOW - 1), frozenset(), "cases.changed"),
    ],
)
@pytest.mark.parametrize(
    "action",
    [
        *("case_show", "case_see", "case_kind", "case_why", "case_long", "case_do", "case_note", "case_dismiss"),
        *("case_leave", "case_mute", "case_uphold", "case_overturn"),
    ],
)
def test_a_case_that_is_not_ones_own_or_has_changed_cannot_be_decided(
    action: str, file: CaseFile | None, involved: frozenset[int], why: str
) -> None:
    refused = decide(pressed(action, "banned", "rude", "1"), file, involved=involved)
    assert refused.refused
    assert why in said(refused)
    assert not refused.changes


@pytest.mark.parametrize("action", ["case_confirm", "case_refuse"])
def test_a_ban_that_nobody_proposed_cannot_be_confirmed(action: str) -> None:
    assert decide(pressed(action), FILE, Role.ADMIN).refused


@pytest.mark.parametrize(
    ("action", "rest"),
    [
        ("case_why", ("king",)),
        ("case_long", ("banned",)),
        ("case_do", ("banned", "rude")),
        ("case_do", ("x", "y", "1")),
    ],
)
def test_a_button_that_was_never_shown_decides_nothing(action: str, rest: tuple[str, ...]) -> None:
    assert decide(pressed(action, *rest)).refused


def test_each_exhibit_is_opened_with_a_note_in_the_audit() -> None:
    opened = decide(pressed("case_see"))
    shows = [each for each in opened.effects if isinstance(each, ShowExhibit)]
    assert [(each.chat, each.by, each.place) for each in shows] == [("c", 5, 0), ("c", 5, 1)]
    assert [note.details["digest"] for note in opened.notes] == ["", "d1"]
    bare = msgspec.structs.replace(FILE, reports=(msgspec.structs.replace(REPORT, exhibits=()),))
    assert "cases.no_evidence" in said(decide(pressed("case_see"), bare))


def test_three_questions_lead_to_one_sanction_and_an_answer_to_each_reporter() -> None:
    assert set(actions(decide(pressed("case_kind")))) == {"case_why", "case_show"}
    assert set(actions(decide(pressed("case_why", "media_off")))) == {"case_long", "case_show"}
    lengths = decide(pressed("case_long", "media_off", "rude"))
    assert actions(lengths).count("case_do") == 5
    assert actions(decide(pressed("case_long", "banned", "rude"))).count("case_do") == 6
    done = decide(pressed("case_do", "media_off", "rude", "24"))
    expected = Sanction("c12", SanctionKind.MEDIA_OFF, Reason.RUDE, NOW, NOW + 86_400, 4, evidence="case 12")
    assert done.orders == (SanctionOrder(ACCUSED, expected), ThankOrder(PersonId(5), True))
    (case,) = done.cases
    assert (case.state, case.outcome, case.sanction, case.decided_by) == (CaseState.DECIDED, "sanctioned", "c12", 4)
    assert done.verdicts == (Judged(12, Verdict.UPHELD),)
    assert [note.action for note in done.notes] == ["case.decided"]
    assert "case_next" in actions(done)


def test_a_warning_is_proposed_and_ordered_without_a_length() -> None:
    usual = next(button for button in buttons_of(decide(pressed("case_show"))) if button.action == "case_do")
    assert usual.label == text("cases.usual_warning", what=text("people.kind_warning"))
    reasons = [button for button in buttons_of(decide(pressed("case_why", "warning"))) if button.action == "case_do"]
    assert [button.token.split(".")[2:] for button in reasons] == [["warning", reason, "24"] for reason in Reason]
    for hours in ("24", "720", "0"):
        order = decide(pressed("case_do", "warning", "rude", hours)).orders[0]
        assert isinstance(order, SanctionOrder)
        assert (order.sanction.kind, order.sanction.until) == (SanctionKind.WARNING, NOW + 86_400)


def test_a_member_who_has_restricted_many_today_decides_nothing_more_alone() -> None:
    me = member()
    alone = Alone(imposed=IMPOSED_ALONE)
    facts = StaffFacts(me, (me,), desk=Desk((CASE,), FILE, frozenset(), 2), alone=alone)
    done = ROUTER.decide(pressed("case_do", "media_off", "rude", "24"), facts, ENV)
    assert (done.refused, done.orders, done.cases) == (True, (), ())
    assert "cases.enough" in said(done)


def test_a_dismissal_undoes_what_a_rule_did_and_gives_karma_back() -> None:
    measured = msgspec.structs.replace(of(measure="m12"), past=(MEASURE,))
    done = decide(pressed("case_dismiss"), measured)
    assert done.orders == (OverturnOrder(ACCUSED, MEASURE, ((0.5, NOW - 7200),)), ThankOrder(PersonId(5), False))
    assert done.verdicts == (Judged(12, Verdict.DISMISSED),)
    noted = decide(pressed("case_note"), measured)
    assert noted.orders == (LiftOrder(ACCUSED, "m12"), ThankOrder(PersonId(5), True))
    plain = decide(pressed("case_note"))
    assert plain.orders == (ThankOrder(PersonId(5), True),)
    free = msgspec.structs.replace(FILE, reports=(msgspec.structs.replace(REPORT, cost=0.0, by=PersonId(0)),))
    assert decide(pressed("case_dismiss"), free).orders == ()


def test_reporters_can_be_muted_with_the_dismissal() -> None:
    done = decide(pressed("case_mute"))
    assert [type(each) for each in done.mutes] == [Mute]
    assert [note.action for note in done.notes] == ["case.decided", "case.reporters_muted"]
    assert done.cases[0].outcome is Outcome.DISMISSED


def test_a_ban_for_good_suspends_and_waits_for_a_second_member() -> None:
    proposed = decide(pressed("case_do", "banned", "threat", "0"))
    (case,) = proposed.cases
    assert (case.state, case.claimed_by) == (CaseState.SECOND, None)
    assert case.proposal == Proposal(4, NOW, Reason.THREAT)
    (order,) = proposed.orders
    assert isinstance(order, SanctionOrder)
    assert order.sanction.kind is SanctionKind.SUSPENDED
    assert proposed.verdicts == ()

    second = msgspec.structs.replace(FILE, case=msgspec.structs.replace(case, claimed_by=7, claimed_until=NOW + 9))
    alone = decide(pressed("case_confirm", case=case), second, Role.ADMIN)
    assert alone.refused, "the one who proposed"
    shown = decide(pressed("case_show", case=case), second, Role.ADMIN, number=7)
    assert actions(shown) == ["case_see", "case_confirm", "case_refuse", "case_leave"]
    assert "cases.proposed" in said(shown)
    done = decide(pressed("case_confirm", case=case), second, Role.ADMIN, number=7)
    ban = done.orders[0]
    assert isinstance(ban, SanctionOrder)
    assert (ban.sanction.id, ban.sanction.kind, ban.sanction.until) == ("c12", SanctionKind.BANNED, None)
    for action in ("case_dismiss", "case_note", "case_mute"):
        assert decide(pressed(action, case=case), second, Role.ADMIN, number=7).refused

    interim = msgspec.structs.replace(second, past=(order.sanction,))
    no = decide(pressed("case_refuse", case=case), interim, Role.ADMIN, number=7)
    assert no.cases[0].state is CaseState.OPEN
    assert no.orders == (OverturnOrder(ACCUSED, order.sanction),)
    assert decide(pressed("case_refuse", case=case), second, Role.ADMIN, number=7).orders == ()


def test_a_case_can_be_handed_over() -> None:
    left = decide(pressed("case_leave"))
    (case,) = left.cases
    assert (case.claimed_by, case.passed_by) == (None, (4,))


def appeal(by: int | None = 9) -> CaseFile:
    case = msgspec.structs.replace(CASE, about=About.APPEAL, sanction="c9", against=by)
    sanction = msgspec.structs.replace(OWN, by=by)
    return CaseFile(case, WHO, (REPORT,), (sanction,), sanction)


def test_an_appeal_is_upheld_or_overturned_by_another_member() -> None:
    file = appeal()
    shown = decide(pressed("case_show"), file)
    assert actions(shown) == ["case_see", "case_uphold", "case_overturn", "case_leave"]
    assert "cases.appealed" in said(shown)
    stays = decide(pressed("case_uphold"), file)
    assert stays.orders == (UpholdOrder(ACCUSED, "c9"),)
    assert stays.verdicts == (Judged(9, Verdict.UPHELD),)
    wrong = decide(pressed("case_overturn"), file)
    assert wrong.orders == (OverturnOrder(ACCUSED, file.appealed, ((0.5, NOW - 7200),)),)
    assert wrong.verdicts == (Judged(9, Verdict.DISMISSED),)
    assert wrong.cases[0].outcome is Outcome.OVERTURNED
    assert decide(pressed("case_overturn"), file, number=9, involved=frozenset()).refused, "their own decision"
    assert decide(pressed("case_overturn")).refused, "no appeal"
    machine = decide(pressed("case_overturn"), appeal(None))
    assert machine.verdicts == (), "its reports are not decided yet"


def test_the_rule_orders_its_measure_once_and_notes_it() -> None:
    def by(number: int) -> Report:
        return msgspec.structs.replace(REPORT, by=PersonId(number), filed_at=NOW - 900 * number)

    done = rule(msgspec.structs.replace(FILE, reports=tuple(map(by, (1, 2, 3)))), NOW)
    (order,) = done.orders
    assert isinstance(order, SanctionOrder)
    assert order.sanction.by is None
    assert done.cases[0].measure == "m12"
    assert [note.action for note in done.notes] == ["case.measure"]
    assert not rule(FILE, NOW).changes
