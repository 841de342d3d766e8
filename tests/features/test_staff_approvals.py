"""Acts that need two members of the team: one asks, a second one agrees within a day."""

from random import Random

import msgspec
import pytest

from passerby.kernel.approval import Approval, ApprovalState
from passerby.kernel.broadcast import Broadcast, BroadcastState
from passerby.kernel.case import About, Case, CaseState, Lane, Proposal
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Menu, Say
from passerby.kernel.event import ButtonPressed, Event, MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.participant import Participant, Profile
from passerby.kernel.sanction import Reason, SanctionKind, SupportCode
from passerby.kernel.staff import (
    THE_OPERATOR,
    OverturnOrder,
    Role,
    SanctionOrder,
    StaffDecision,
    StaffFacts,
    StaffId,
    StaffMember,
    StaffRequest,
    Subject,
)
from passerby.kernel.staff_requests import ApprovalDeclined, ApprovalsAsked, SanctionAsked
from passerby.kernel.text import Text, text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL

NOW = 1_800_000_000.0
DAY_S = 86_400.0
BOT = BotId(1000009)
CODE = "ABCDEFGH"
ROUTER = StaffRouter(ALL)
ENV = Env(NOW, Random(1))
BOB = Participant(PersonId(777), 3, profile=Profile(NOW, 31, NOW), support=SupportCode(CODE, NOW + 9), seen_at=NOW)
SUBJECT = Subject(CODE, BOB)
ANN, CAT, DAN, EVE = (
    StaffMember(StaffId(number), PersonId(100 + number), role, NOW)
    for number, role in enumerate((Role.OWNER, Role.ADMIN, Role.MODERATOR, Role.SUPPORT), 1)
)
TEAM = (ANN, CAT, DAN, EVE)
BANNING = SanctionAsked(CODE, SanctionKind.BANNED, Reason.SCAM, note="see the case")


def decide(
    event: Event | StaffRequest,
    me: StaffMember,
    *,
    approval: Approval | None = None,
    waiting: tuple[Approval, ...] = (),
    team: tuple[StaffMember, ...] = TEAM,
    subject: Subject | None = SUBJECT,
    now: float = NOW,
) -> StaffDecision:
    facts = StaffFacts(me, team, subject=subject, approvals=waiting, approval=approval, next_approval=8)
    return ROUTER.decide(event, facts, Env(now, Random(1)))


def asked(by: StaffMember = ANN, request: SanctionAsked = BANNING) -> Approval:
    (approval,) = decide(request, by).approvals
    return approval


def press(me: StaffMember, action: str) -> ButtonPressed:
    return ButtonPressed(me.person, BOT, "q", MessageId(5), f"approval_{action}", "8")


def agree(me: StaffMember, approval: Approval | None, **more: object) -> StaffDecision:
    return decide(press(me, "agree"), me, approval=approval, **more)  # type: ignore[arg-type]


def refusal(done: StaffDecision) -> Text | None:
    assert done.refused
    assert (done.orders, done.notes, done.approvals) == ((), (), ())
    return done.reply


def test_a_ban_without_an_end_is_asked_of_all_who_may_agree_and_the_person_is_suspended_meanwhile() -> None:
    done = decide(BANNING, ANN)
    (approval,) = done.approvals
    assert (approval.number, approval.asked_by, approval.person) == (8, 1, 777)
    assert (approval.state, approval.expires_at) == (ApprovalState.WAITING, NOW + DAY_S)
    assert [each.to for each in done.effects if isinstance(each, Say)] == [CAT.person]
    (order,) = done.orders
    assert isinstance(order, SanctionOrder)
    assert (order.sanction.kind, order.sanction.until) == (SanctionKind.SUSPENDED, NOW + DAY_S)
    (note,) = done.notes
    assert (note.action, note.subject, note.reason) == ("approval.asked", "code ABCD-EFGH", "see the case")
    assert dict(note.details) == {"approval": 8, "act": "person.ban", "meanwhile": 1}


def test_the_buttons_of_a_person_ask_for_a_second_member_too() -> None:
    pressed = ButtonPressed(ANN.person, BOT, "q", MessageId(5), "person_do", f"{CODE}.banned.scam.0")
    done = decide(pressed, ANN)
    assert done.approvals
    assert done.reply == text("approvals.asked", number=8, members=1)


def test_a_restriction_that_bars_nobody_needs_one_member() -> None:
    (order,) = decide(SanctionAsked(CODE, SanctionKind.LINKS_OFF, Reason.SPAM), ANN).orders
    assert isinstance(order, SanctionOrder)
    assert order.sanction.until is None


def test_a_second_member_agrees_and_the_ban_is_ordered_in_the_name_of_who_asked() -> None:
    done = agree(CAT, asked())
    (order,) = done.orders
    assert isinstance(order, SanctionOrder)
    assert (order.person, order.sanction.until, order.sanction.by) == (777, None, 1)
    assert order.sanction.evidence == decide(BANNING, ANN).orders[0].sanction.evidence, "it replaces the suspension"  # type: ignore[union-attr]
    assert [note.action for note in done.notes] == ["approval.given", "person.sanctioned"]
    (closed,) = done.approvals
    assert (closed.state, closed.decided_by, closed.decided_at) == (ApprovalState.GIVEN, 2, NOW)
    told = [each for each in done.effects if isinstance(each, Say)]
    assert [each.to for each in told] == [ANN.person]


def test_nobody_agrees_with_themselves() -> None:
    approval = asked()
    needed = text("approvals.second_needed")
    assert refusal(agree(ANN, approval)) == needed
    other_account = msgspec.structs.replace(CAT, person=ANN.person)
    assert refusal(agree(other_account, approval, team=(ANN, other_account))) == needed
    about_cat = msgspec.structs.replace(approval, person=CAT.person)
    assert refusal(agree(CAT, about_cat)) == needed


def test_a_member_who_may_not_ban_cannot_agree_to_a_ban() -> None:
    for me in (DAN, EVE):
        assert refusal(agree(me, asked())) == text("team.not_allowed")


def test_the_command_line_asks_and_declines_but_does_not_agree() -> None:
    by_command = asked(THE_OPERATOR)
    assert agree(CAT, by_command).orders
    assert refusal(agree(THE_OPERATOR, asked())) == text("approvals.not_here")
    assert refusal(agree(THE_OPERATOR, by_command)) == text("approvals.not_here")
    done = decide(ApprovalDeclined(8), THE_OPERATOR, approval=by_command)
    assert done.approvals[0].state is ApprovalState.DECLINED
    assert [each for each in done.effects if isinstance(each, Say)] == [], "nobody else asked"


def test_nobody_agrees_to_a_request_of_a_member_who_left_the_team() -> None:
    assert refusal(agree(CAT, asked(), team=(CAT, DAN))) == text("approvals.over")


@pytest.mark.parametrize("state", [ApprovalState.GIVEN, ApprovalState.DECLINED])
def test_an_approval_is_decided_only_once(state: ApprovalState) -> None:
    over = msgspec.structs.replace(asked(), state=state)
    assert refusal(agree(CAT, over)) == text("approvals.over")
    assert refusal(decide(press(CAT, "decline"), CAT, approval=over)) == text("approvals.over")


def test_after_a_day_nobody_can_agree() -> None:
    assert refusal(agree(CAT, asked(), now=NOW + DAY_S)) == text("approvals.over")
    assert refusal(agree(CAT, None)) == text("approvals.over")


def test_if_the_person_is_gone_it_goes_on_waiting() -> None:
    assert refusal(agree(CAT, asked(), subject=None)) == text("people.gone")
    declined = decide(press(CAT, "decline"), CAT, approval=asked(), subject=None)
    assert declined.orders == ()


def test_declining_gives_back_what_bound_the_person_meanwhile() -> None:
    done = decide(press(CAT, "decline"), CAT, approval=asked())
    (order,) = done.orders
    assert isinstance(order, OverturnOrder)
    assert order.sanction == decide(BANNING, ANN).orders[0].sanction  # type: ignore[union-attr]
    assert [note.action for note in done.notes] == ["approval.declined"]


def test_the_member_who_asked_may_withdraw_it_and_a_bystander_may_not() -> None:
    approval = asked()
    assert decide(press(ANN, "decline"), ANN, approval=approval).approvals
    assert refusal(decide(press(EVE, "decline"), EVE, approval=approval)) == text("team.not_allowed")


def test_the_same_is_asked_for_once() -> None:
    again = msgspec.structs.replace(BANNING, note="other words", code="HGFEDCBA")
    done = decide(again, CAT, waiting=(asked(),))
    assert refusal(done) == text("approvals.waits_already")
    assert decide(msgspec.structs.replace(again, reason=Reason.THREAT), CAT, waiting=(asked(),)).approvals


def test_the_list_shows_what_a_member_may_decide_on() -> None:
    listing = MessageReceived(CAT.person, BOT, (MessageId(5),), (Content(Kind.TEXT, text="/approvals"),), NOW)
    (shown,) = decide(listing, CAT, waiting=(asked(),)).effects
    assert isinstance(shown, Say)
    assert isinstance(shown.keyboard, Menu)
    assert [button.action for button in shown.keyboard.rows[0]] == ["approval_agree", "approval_decline"]
    for waiting, now in (((), NOW), ((asked(),), NOW + DAY_S)):
        (none,) = decide(listing, CAT, waiting=waiting, now=now).effects
        assert none == Say(CAT.person, text("approvals.none"))
    assert decide(ApprovalsAsked(), THE_OPERATOR).reply == text("approvals.none")
    assert decide(ApprovalsAsked(), THE_OPERATOR, waiting=(asked(),)).reply != text("approvals.none")
    nothing = decide(listing, EVE, waiting=(asked(),)).effects
    assert nothing == (Say(CAT.person, text("approvals.none")),)


def test_a_second_press_of_the_button_is_answered() -> None:
    done = agree(CAT, msgspec.structs.replace(asked(), state=ApprovalState.GIVEN))
    assert done.effects == (Answer("q", text("approvals.over"), alert=True),)


def test_the_list_also_shows_the_bans_that_cases_wait_with_to_those_who_may_ban_or_proposed_them() -> None:
    proposal = Proposal(int(DAN.number), NOW, Reason.THREAT)
    case = Case(3, About.REPORTS, BOB.person, Lane.FIRST, NOW, "salt", CaseState.SECOND, proposal=proposal)
    said = text("approvals.case", number=3, why=text("reasons.threat"), by=DAN.number)
    command = MessageReceived(CAT.person, BOT, (MessageId(5),), (Content(Kind.TEXT, text="/approvals"),), NOW)
    for member, sees in ((ANN, True), (CAT, True), (DAN, True), (EVE, False)):
        facts = StaffFacts(member, TEAM, approvals=(), proposed=(case,))
        (answer,) = ROUTER.decide(msgspec.structs.replace(command, person=member.person), facts, ENV).effects
        assert isinstance(answer, Say)
        assert (answer.text == said) is sees
        assert answer.keyboard is None, "it is decided on in the case"
    listed = ROUTER.decide(ApprovalsAsked(), StaffFacts(THE_OPERATOR, TEAM, proposed=(case,)), ENV)
    assert listed.reply is not None
    assert said in {value for _, value in listed.reply.args} or listed.reply == said


def test_the_list_also_shows_the_broadcasts_that_wait_to_those_who_may_approve_or_started_them() -> None:
    waits = Broadcast(7, BroadcastState.SUBMITTED, int(CAT.number), NOW, submitted_by=int(CAT.number))
    others = [msgspec.structs.replace(waits, number=8, state=each) for each in BroadcastState if each != waits.state]
    said = text("approvals.broadcast", number=7, by=CAT.number)
    command = MessageReceived(CAT.person, BOT, (MessageId(5),), (Content(Kind.TEXT, text="/approvals"),), NOW)
    former = msgspec.structs.replace(CAT, role=Role.SUPPORT)
    for member, sees in ((ANN, True), (CAT, True), (DAN, False), (EVE, False), (former, True)):
        facts = StaffFacts(member, TEAM, broadcasts=(waits, *others))
        (answer,) = ROUTER.decide(msgspec.structs.replace(command, person=member.person), facts, ENV).effects
        assert isinstance(answer, Say)
        assert (answer.text == said) is sees
    listed = ROUTER.decide(ApprovalsAsked(), StaffFacts(THE_OPERATOR, TEAM, broadcasts=(waits,)), ENV)
    assert listed.reply == said


def test_declining_an_unknown_number_says_so() -> None:
    done = decide(ApprovalDeclined(77), THE_OPERATOR, approval=None)
    assert (done.reply, done.refused) == (text("approvals.unknown"), True)
    late = decide(ApprovalDeclined(7), THE_OPERATOR, approval=asked(), now=NOW + DAY_S)
    assert (late.reply, late.refused) == (text("approvals.over"), True)
