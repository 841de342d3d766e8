"""Holding and exporting evidence, and learning who somebody is: an owner asks, a second member agrees."""

from random import Random

import msgspec
import pytest

from passerby.domain.approvals import case_about
from passerby.kernel.approval import Approval, ApprovalState
from passerby.kernel.case import About, Case, CaseAsked, CaseFile, Desk, Exhibit, Lane, LegalHold, Report
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, Event
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId
from passerby.kernel.participant import Complaint
from passerby.kernel.sanction import Reason, SanctionKind
from passerby.kernel.staff import (
    THE_OPERATOR,
    Role,
    ShowExhibit,
    StaffDecision,
    StaffFacts,
    StaffId,
    StaffMember,
    StaffRequest,
)
from passerby.kernel.staff_requests import CaseActAsked, ExportAsked, HoldAsked, SanctionAsked, UnmaskAsked
from passerby.kernel.text import text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL

NOW = 1_800_000_000.0
DAY_S = 86_400.0
BOT = BotId(1000009)
ROUTER = StaffRouter(ALL)
ACCUSED = PersonId(777)
CASE = Case(12, About.REPORTS, ACCUSED, Lane.FIRST, NOW - 7200, "salt", claimed_by=1, claimed_until=NOW + 60)
REPORT = Report(
    ChatId("c"), PersonId(5), Complaint.THREAT, NOW - 7200, exhibits=(Exhibit(0), Exhibit(1, "d1"), Exhibit(2, "d2"))
)
FILE = CaseFile(CASE, None, (REPORT,))
ANN = StaffMember(StaffId(1), PersonId(101), Role.OWNER, NOW)
CAT = StaffMember(StaffId(2), PersonId(102), Role.ADMIN, NOW)
ASKED = [HoldAsked(12), HoldAsked(12, held=False), UnmaskAsked(12), ExportAsked(12)]


def decide(
    event: Event | StaffRequest,
    me: StaffMember = ANN,
    *,
    approval: Approval | None = None,
    file: CaseFile | None = FILE,
    involved: frozenset[int] = frozenset(),
    now: float = NOW,
) -> StaffDecision:
    desk = Desk((CASE,), file, involved)
    facts = StaffFacts(me, (ANN, CAT), desk=desk, approval=approval, next_approval=8)
    return ROUTER.decide(event, facts, Env(now, Random(1)))


def press(me: StaffMember, action: str, token: str = "12.1") -> ButtonPressed:
    return ButtonPressed(me.person, BOT, "q", MessageId(5), action, token)


def asked(request: CaseActAsked, by: StaffMember = ANN) -> Approval:
    (approval,) = decide(request, by).approvals
    return approval


def agree(approval: Approval, **more: object) -> StaffDecision:
    return decide(press(CAT, "approval_agree", "8"), CAT, approval=approval, **more)  # type: ignore[arg-type]


def given(approval: Approval, at: float = NOW) -> Approval:
    return msgspec.structs.replace(approval, state=ApprovalState.GIVEN, decided_by=2, decided_at=at)


@pytest.mark.parametrize("request_", ASKED)
def test_an_owner_asks_and_nothing_happens_until_a_second_member_agrees(request_: CaseActAsked) -> None:
    done = decide(request_)
    assert (done.holds, done.orders, [note.action for note in done.notes]) == ((), (), ["approval.asked"])
    assert done.approvals[0].person == ACCUSED
    assert str(ACCUSED) not in repr(done.effects)
    assert decide(request_, CAT) == StaffDecision(reply=text("team.not_allowed"), refused=True), "an admin is no owner"


@pytest.mark.parametrize("request_", ASKED)
def test_a_member_who_is_part_of_a_case_gets_nothing_about_it(request_: CaseActAsked) -> None:
    for done in (decide(request_, file=None), decide(request_, involved=frozenset({12}))):
        assert done == StaffDecision(reply=text("cases.unknown"), refused=True), "both read the same"
    gone = msgspec.structs.replace(FILE, case=msgspec.structs.replace(CASE, accused=PersonId(0)))
    assert decide(request_, file=gone).refused, "their data is erased"
    refusal = agree(asked(request_), file=None)
    assert (refusal.refused, refusal.reply, refusal.holds) == (True, text("cases.over"), ())


def test_an_owner_has_the_buttons_on_the_card_and_an_admin_has_not() -> None:
    def buttons(me: StaffMember) -> list[str]:
        mine = msgspec.structs.replace(FILE, case=msgspec.structs.replace(CASE, claimed_by=int(me.number)))
        (*_, card) = decide(press(me, "case_show"), me, file=mine).effects
        assert isinstance(card, Revise)
        assert isinstance(card.keyboard, Menu)
        return [button.action for row in card.keyboard.rows for button in row]

    assert buttons(ANN)[-2:] == ["case_hold", "case_unmask"]
    assert "case_hold" not in buttons(CAT)


@pytest.mark.parametrize("action", ["case_hold", "case_unmask"])
def test_a_press_asks_and_leaves_the_card_as_it_is(action: str) -> None:
    done = decide(press(ANN, action))
    assert done.approvals
    assert done.effects[0] == Answer("q", text("approvals.asked", number=8, members=1), alert=True)
    assert not any(isinstance(each, Revise) for each in done.effects)
    stale = decide(press(ANN, action, "x"), file=None)
    assert stale.effects == (Answer("q", text("cases.unknown"), alert=True),)


def test_held_evidence_is_held_and_released() -> None:
    for held, action in ((True, "evidence.held"), (False, "evidence.released")):
        done = agree(asked(HoldAsked(12, held=held)))
        assert done.holds == (LegalHold(12, held),)
        assert [note.action for note in done.notes] == ["approval.given", action]


def test_only_the_owner_who_asked_reads_who_the_accused_is() -> None:
    done = agree(asked(UnmaskAsked(12)))
    told = [each for each in done.effects if isinstance(each, Say) and str(ACCUSED) in repr(each)]
    assert [each.to for each in told] == [ANN.person]
    assert str(ACCUSED) not in repr((done.notes, done.reply))
    assert [note.action for note in done.notes] == ["approval.given", "person.unmasked"]
    gone = msgspec.structs.replace(FILE, case=msgspec.structs.replace(CASE, accused=PersonId(0)))
    assert agree(asked(UnmaskAsked(12)), file=gone).refused


def test_the_command_line_fetches_within_a_day_what_was_agreed_to() -> None:
    approval = asked(UnmaskAsked(12), THE_OPERATOR)
    agreed = agree(approval)
    assert [note.action for note in agreed.notes] == ["approval.given"], "nobody was told yet"
    fetch = UnmaskAsked(12, approval=8)
    done = decide(fetch, THE_OPERATOR, approval=given(approval))
    assert done.reply == text("cases.unmasked", number=12, id=str(ACCUSED))
    assert [note.action for note in done.notes] == ["person.unmasked"]
    for wrong, now in (
        (approval, NOW),
        (None, NOW),
        (given(approval), NOW + DAY_S),
        (given(asked(ExportAsked(12), THE_OPERATOR)), NOW),
        (given(asked(UnmaskAsked(12))), NOW),
    ):
        refusal = decide(fetch, THE_OPERATOR, approval=wrong, now=now)
        assert (refusal.refused, refusal.reply) == (True, text("cases.not_given"))
    assert decide(UnmaskAsked(13, approval=8), THE_OPERATOR, approval=given(approval)).refused
    assert decide(fetch, THE_OPERATOR, approval=given(approval), file=None).refused


def test_an_export_lists_every_piece_of_evidence_and_the_audit_has_their_hashes() -> None:
    approval = asked(ExportAsked(12), THE_OPERATOR)
    assert agree(approval).approvals[0].state is ApprovalState.GIVEN
    done = decide(ExportAsked(12, approval=8), THE_OPERATOR, approval=given(approval))
    assert [each.place for each in done.effects if isinstance(each, ShowExhibit)] == [0, 1, 2]
    (note,) = done.notes
    assert (note.action, note.details["exhibits"], note.details["digests"]) == ("evidence.exported", 3, "d1,d2")
    assert decide(ExportAsked(12, approval=8), THE_OPERATOR, approval=None).refused


def test_agreeing_reads_the_case_that_it_is_about_also_if_it_is_decided() -> None:
    assert case_about(asked(HoldAsked(12))) == CaseAsked(12, closed=True)
    assert case_about(None) is None
    ban = SanctionAsked("ABCDEFGH", SanctionKind.BANNED, Reason.SCAM)
    about_a_person = msgspec.structs.replace(asked(HoldAsked(12)), request=msgspec.json.encode(ban).decode())
    assert case_about(about_a_person) is None
