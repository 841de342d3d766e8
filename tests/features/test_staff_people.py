"""The view of a person who showed their code, and the orders of staff."""

from random import Random

import msgspec
import pytest

from passerby.domain.alone import IMPOSED_ALONE, LIFTS_ALONE, summed
from passerby.kernel.alone import Alone
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, Event, MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.participant import Participant, Profile
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind, SupportCode
from passerby.kernel.staff import (
    THE_OPERATOR,
    DataOrder,
    LiftOrder,
    Role,
    SanctionOrder,
    StaffDecision,
    StaffFacts,
    StaffId,
    StaffMember,
    StaffRequest,
    Subject,
)
from passerby.kernel.staff_requests import DataAsked, LiftAsked, PersonAsked, SanctionAsked
from passerby.kernel.text import Text, text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL

NOW = 1_800_000_000.0
BOT = BotId(1000009)
CODE = "ABCDEFGH"
ENV = Env(NOW, Random(1))
ROUTER = StaffRouter(ALL)
BAN = Sanction("beef", SanctionKind.BANNED, Reason.SCAM, NOW - 5, by=4)
BOB = Participant(
    PersonId(777), 3, profile=Profile(NOW, 31, NOW, language="de"), support=SupportCode(CODE, NOW + 9), seen_at=NOW
)
SUBJECT = Subject(CODE, BOB, 2)
BANNED = Subject(CODE, msgspec.structs.replace(BOB, sanctions=(BAN,)))


def member(role: Role) -> StaffMember:
    return StaffMember(StaffId(4), PersonId(104), role, NOW)


def decide(
    event: Event | StaffRequest, role: Role | None = Role.MODERATOR, of: Subject | None = SUBJECT
) -> StaffDecision:
    me = THE_OPERATOR if role is None else member(role)
    return ROUTER.decide(event, StaffFacts(me, (me,), subject=of), ENV)


def wrote(words: str) -> MessageReceived:
    return MessageReceived(PersonId(104), BOT, (MessageId(5),), (Content(Kind.TEXT, text=words),), NOW)


def pressed(data: str) -> ButtonPressed:
    action, _, token = data.partition(":")
    return ButtonPressed(PersonId(104), BOT, "q", MessageId(5), action, token)


def shown(done: StaffDecision) -> tuple[Text, list[str]]:
    """The text that is shown, and what its buttons carry."""
    last = done.effects[-1]
    assert isinstance(last, Say | Revise)
    rows = last.keyboard.rows if isinstance(last.keyboard, Menu) else ()
    return last.text, [f"{button.action}:{button.token}" for row in rows for button in row]


DATA = [f"person_copy:{CODE}", f"person_erase:{CODE}"]


def test_a_person_is_shown_by_code_without_anything_that_names_them_and_the_look_is_noted() -> None:
    done = decide(wrote("/person abcd-efgh"))
    card, buttons = shown(done)
    assert dict(card.args) == {
        "code": "ABCD-EFGH",
        "age": "31",
        "languages": "de",
        "seen": text("days.20833"),
        "reported": 2,
        "sanctions": text("people.no_sanctions"),
    }
    assert "777" not in repr(done)
    assert buttons == [f"person_kind:{CODE}", *DATA]
    assert [(note.action, note.subject) for note in done.notes] == [("person.looked_at", "code ABCD-EFGH")]
    assert shown(decide(pressed(f"person_show:{CODE}")))[0] == card
    assert decide(PersonAsked(CODE), None).reply == card


def test_sanctions_and_appeals_are_shown_with_a_button_that_lifts_them() -> None:
    card, buttons = shown(decide(pressed(f"person_show:{CODE}"), Role.ADMIN, BANNED))
    what = text(
        "people.sanction",
        what=text("people.kind_banned"),
        why=text("reasons.scam"),
        until=text("people.for_good"),
    )
    assert dict(card.args)["sanctions"] == what
    assert buttons == [f"person_kind:{CODE}", f"person_lift:{CODE}.beef", *DATA]
    asked = msgspec.structs.replace(BAN, appeal=Appeal.OPEN, until=NOW + 9)
    appealed = Subject(CODE, Participant(PersonId(777), sanctions=(asked,)))
    card, buttons = shown(decide(wrote(f"/person {CODE}"), Role.SUPPORT, appealed))
    assert buttons == DATA, "the support restricts nobody"
    assert dict(card.args)["age"] == dict(card.args)["languages"] == "–"
    assert dict(card.args)["sanctions"] == text(
        "people.appealed",
        what=text(
            "people.sanction",
            what=text("people.kind_banned"),
            why=text("reasons.scam"),
            until=text("people.until", day=text("days.20833")),
        ),
    )


def test_an_unknown_code_shows_nothing() -> None:
    assert shown(decide(wrote("/person"), of=None))[0] == text("people.how")
    for code in (CODE, "foo", "ABCD-EFG", "ABCD-EFGH-J", "👋"):
        assert shown(decide(wrote(f"/person {code}"), of=None))[0] == text("people.unknown_code"), code
    for action in ("person_show", "person_kind", "person_why", "person_long", "person_do", "person_lift"):
        done = decide(pressed(f"{action}:{CODE}.banned.scam.1"), of=None)
        assert (done.refused, done.orders, done.notes) == (True, (), ()), action
    for asked in (
        PersonAsked(CODE),
        SanctionAsked(CODE, SanctionKind.BANNED, Reason.SCAM),
        LiftAsked(CODE, "beef"),
    ):
        assert decide(asked, None, None).refused


@pytest.mark.parametrize(
    "data",
    [
        *("person_why:ABCDEFGH", "person_why:ABCDEFGH.king", "person_long:ABCDEFGH.banned", "person_do:ABCDEFGH"),
        *("person_long:ABCDEFGH.banned.why", "person_do:ABCDEFGH.banned.scam.7", "person_do:ABCDEFGH.banned.scam.1.2"),
    ],
)
def test_a_button_that_was_never_shown_orders_nothing(data: str) -> None:
    done = decide(pressed(data), Role.OWNER)
    assert (done.refused, done.orders) == (True, ())


def test_nobody_chooses_the_length_of_a_warning() -> None:
    _, reasons = shown(decide(pressed(f"person_why:{CODE}.warning")))
    assert reasons[0] == f"person_do:{CODE}.warning.spam.24"
    for ordered in (
        pressed(reasons[0]),
        pressed(f"person_do:{CODE}.warning.spam.720"),
        *(SanctionAsked(CODE, SanctionKind.WARNING, Reason.SPAM, hours) for hours in (None, 2.0)),
    ):
        (order,) = decide(ordered).orders
        assert isinstance(order, SanctionOrder)
        assert (order.sanction.kind, order.sanction.until) == (SanctionKind.WARNING, NOW + 86_400)


def test_three_questions_lead_to_a_sanction() -> None:
    asked, kinds = shown(decide(pressed(f"person_kind:{CODE}")))
    assert asked == text("people.choose_kind")
    assert kinds == [*(f"person_why:{CODE}.{kind}" for kind in SanctionKind), f"person_show:{CODE}"]
    asked, reasons = shown(decide(pressed(f"person_why:{CODE}.banned")))
    assert asked == text("people.choose_reason")
    assert reasons[0] == f"person_long:{CODE}.banned.spam"
    asked, lengths = shown(decide(pressed(f"person_long:{CODE}.banned.scam")))
    assert asked == text("people.choose_length")
    assert lengths[:2] == [f"person_do:{CODE}.banned.scam.1", f"person_do:{CODE}.banned.scam.24"]
    assert f"person_do:{CODE}.banned.scam.0" not in lengths, "a moderator bans for a time"
    assert f"person_do:{CODE}.banned.scam.0" in shown(decide(pressed(f"person_long:{CODE}.banned.scam"), Role.OWNER))[1]
    done = decide(pressed(f"person_do:{CODE}.banned.scam.24"))
    (order,) = done.orders
    assert isinstance(order, SanctionOrder)
    assert order.person == 777
    assert order.sanction == Sanction(
        order.sanction.id, SanctionKind.BANNED, Reason.SCAM, NOW, NOW + 86_400, by=StaffId(4)
    )
    (note,) = done.notes
    assert (note.action, note.subject) == ("person.sanctioned", "code ABCD-EFGH")
    assert dict(note.details) == {
        "sanction": order.sanction.id,
        "kind": "banned",
        "why": "scam",
        "until": NOW + 86_400,
    }
    assert shown(done) == (text("people.done"), [f"person_show:{CODE}"])
    assert isinstance(done.effects[0], Answer)


def test_only_members_who_may_ban_ask_for_a_restriction_without_an_end() -> None:
    asked = SanctionAsked(CODE, SanctionKind.BANNED, Reason.THREAT, note="case 7")
    assert decide(asked, Role.MODERATOR) == StaffDecision(reply=text("people.needs_ban"), refused=True)
    done = decide(asked, None)
    (interim,) = done.orders
    assert isinstance(interim, SanctionOrder)
    assert (interim.sanction.kind, interim.sanction.until) == (SanctionKind.SUSPENDED, NOW + 86_400), "not a ban yet"
    assert (done.notes[0].action, done.notes[0].reason) == ("approval.asked", "case 7")
    assert decide(asked, Role.SUPPORT).reply == text("team.not_allowed")


def test_a_sanction_is_lifted_only_while_it_binds() -> None:
    done = decide(pressed(f"person_lift:{CODE}.beef"), Role.ADMIN, BANNED)
    assert done.orders == (LiftOrder(PersonId(777), "beef"),)
    assert [(note.action, dict(note.details)) for note in done.notes] == [
        ("person.sanction_lifted", {"sanction": "beef"})
    ]
    assert decide(LiftAsked(CODE, "beef"), None, BANNED).reply == text("people.lifted")
    gone = decide(LiftAsked(CODE, "cafe"), None, BANNED)
    assert gone == StaffDecision(reply=text("people.no_such_sanction"), refused=True)


def test_a_member_does_not_end_their_own_restriction_alone() -> None:
    me = StaffMember(StaffId(4), BANNED.person.person, Role.ADMIN, NOW)
    done = ROUTER.decide(pressed(f"person_lift:{CODE}.beef"), StaffFacts(me, (me,), subject=BANNED), ENV)
    assert done.orders == ()
    assert [each.person for each in done.approvals] == [777]


def test_a_member_who_lifts_many_sanctions_in_a_day_needs_a_second_one_for_more() -> None:
    team = tuple(StaffMember(StaffId(number), PersonId(100 + number), Role.ADMIN, NOW) for number in (4, 5))
    facts = StaffFacts(team[0], team, subject=BANNED, alone=Alone(lifts=LIFTS_ALONE - 1))
    press = pressed(f"person_lift:{CODE}.beef")
    last = ROUTER.decide(press, facts, ENV)
    assert last.orders == (LiftOrder(PersonId(777), "beef"),)
    assert summed((note.action, note.details) for note in last.notes) == Alone(lifts=1)
    asked = ROUTER.decide(press, msgspec.structs.replace(facts, alone=Alone(lifts=LIFTS_ALONE)), ENV)
    (approval,) = asked.approvals
    assert (asked.orders, approval.person, approval.needs) == ((), 777, "ban")
    agree = ButtonPressed(PersonId(105), BOT, "q", MessageId(5), "approval_agree", str(approval.number))
    second = StaffFacts(team[1], team, subject=BANNED, approvals=(approval,), approval=approval)
    done = ROUTER.decide(agree, second, ENV)
    assert done.orders == (LiftOrder(PersonId(777), "beef"),)
    assert summed((note.action, note.details) for note in done.notes) == Alone(), "it was not done alone"
    for meanwhile, why in ((SUBJECT, "people.no_such_sanction"), (None, "people.gone")):
        late = ROUTER.decide(agree, msgspec.structs.replace(second, subject=meanwhile), ENV)
        assert (late.orders, late.reply) == ((), text(why))


@pytest.mark.parametrize(("hours", "needs"), [("24", "sanction"), ("0", "ban")])
def test_a_member_who_sanctions_many_people_in_a_day_needs_a_second_one_for_more(hours: str, needs: str) -> None:
    team = tuple(StaffMember(StaffId(number), PersonId(100 + number), Role.ADMIN, NOW) for number in (4, 5))
    facts = StaffFacts(team[0], team, subject=SUBJECT, alone=Alone(imposed=IMPOSED_ALONE - 1))
    press = pressed(f"person_do:{CODE}.banned.scam.{hours}")
    last = ROUTER.decide(press, facts, ENV)
    assert len(last.orders) == 1
    assert summed((note.action, note.details) for note in last.notes) == Alone(imposed=1)
    asked = ROUTER.decide(press, msgspec.structs.replace(facts, alone=Alone(imposed=IMPOSED_ALONE)), ENV)
    (approval,) = asked.approvals
    assert (asked.orders, approval.person, approval.needs) == ((), 777, needs)
    assert summed((note.action, note.details) for note in asked.notes) == Alone()
    second = StaffFacts(team[1], team, subject=SUBJECT, approvals=(approval,), approval=approval)
    agree = ButtonPressed(PersonId(105), BOT, "q", MessageId(5), "approval_agree", str(approval.number))
    done = ROUTER.decide(agree, second, ENV)
    (order,) = done.orders
    assert isinstance(order, SanctionOrder)
    assert (order.sanction.kind, order.sanction.until) == (SanctionKind.BANNED, NOW + 86_400 if hours == "24" else None)
    assert summed((note.action, note.details) for note in done.notes) == Alone(), "it was not done alone"
    declined = ROUTER.decide(msgspec.structs.replace(agree, action="approval_decline"), second, ENV)
    assert declined.orders == (), "nothing was done meanwhile that could be undone"


def test_the_second_member_reads_of_a_warning_without_a_length() -> None:
    team = tuple(StaffMember(StaffId(number), PersonId(100 + number), Role.ADMIN, NOW) for number in (4, 5))
    facts = StaffFacts(team[0], team, subject=SUBJECT, alone=Alone(imposed=IMPOSED_ALONE))
    (approval,) = ROUTER.decide(pressed(f"person_do:{CODE}.warning.spam.24"), facts, ENV).approvals
    assert (approval.what.key, "long" in dict(approval.what.args)) == ("people.ask_warning", False)
    second = StaffFacts(team[1], team, subject=SUBJECT, approvals=(approval,), approval=approval)
    agree = ButtonPressed(PersonId(105), BOT, "q", MessageId(5), "approval_agree", str(approval.number))
    assert len(ROUTER.decide(agree, second, ENV).orders) == 1
    declined = ROUTER.decide(msgspec.structs.replace(agree, action="approval_decline"), second, ENV)
    assert declined.orders == (), "nothing was done meanwhile that could be undone"


def test_a_member_who_cannot_restrict_for_good_cannot_lift_such_a_restriction() -> None:
    pressing = pressed(f"person_lift:{CODE}.beef")
    done = decide(pressing, Role.MODERATOR, BANNED)
    assert (done.refused, done.reply, done.orders, done.notes) == (True, text("team.not_allowed"), (), ())
    assert shown(decide(pressed(f"person_show:{CODE}"), Role.MODERATOR, BANNED))[1] == [f"person_kind:{CODE}", *DATA]
    for_a_time = Subject(CODE, msgspec.structs.replace(BOB, sanctions=(msgspec.structs.replace(BAN, until=NOW + 9),)))
    assert decide(pressing, Role.MODERATOR, for_a_time).orders == (LiftOrder(PersonId(777), "beef"),)


def test_a_button_pressed_twice_orders_one_sanction() -> None:
    first = decide(pressed(f"person_do:{CODE}.banned.scam.24"))
    (order,) = first.orders
    assert isinstance(order, SanctionOrder)
    waits = msgspec.structs.replace(SUBJECT, ordered=(order.sanction,))
    imposed = Subject(CODE, msgspec.structs.replace(BOB, sanctions=(order.sanction,)))
    for subject in (waits, imposed):
        again = decide(pressed(f"person_do:{CODE}.banned.scam.24"), of=subject)
        assert not again.changes
        assert shown(again)[0] == shown(first)[0]
    assert decide(pressed(f"person_do:{CODE}.banned.rude.24"), of=waits).orders != ()
    assert decide(pressed(f"person_do:{CODE}.banned.scam.24"), of=None).refused


REACHED = Subject(CODE, Participant(PersonId(777), 1, BOT, (BOT,)))


def test_support_has_a_copy_sent_to_the_person_and_gets_none() -> None:
    done = decide(pressed(f"person_copy:{CODE}"), Role.SUPPORT, REACHED)
    assert done.orders == (DataOrder(PersonId(777)),)
    assert [(note.action, note.subject) for note in done.notes] == [("person.copy_ordered", "code ABCD-EFGH")]
    assert shown(done)[0] == text("people.copy_ordered")


def test_an_erasure_is_asked_for_once_more_and_then_ordered() -> None:
    asked = decide(pressed(f"person_erase:{CODE}"), Role.SUPPORT, REACHED)
    assert asked.orders == ()
    assert shown(asked)[1] == [f"person_gone:{CODE}", f"person_show:{CODE}"]
    done = decide(pressed(f"person_gone:{CODE}"), Role.SUPPORT, REACHED)
    assert done.orders == (DataOrder(PersonId(777), erases=True),)
    by_command = decide(DataAsked(CODE, erases=True, note="by letter"), None, REACHED)
    assert (by_command.orders, by_command.notes[0].reason) == (done.orders, "by letter")


@pytest.mark.parametrize("action", ["person_copy", "person_erase", "person_gone"])
def test_without_a_valid_code_nothing_of_it_happens(action: str) -> None:
    assert decide(pressed(f"{action}:{CODE}"), Role.SUPPORT, None).orders == ()


def test_nobody_asks_for_the_data_of_somebody_whom_no_bot_reaches() -> None:
    away = Subject(CODE, Participant(PersonId(777)))
    done = decide(DataAsked(CODE), None, away)
    assert (done.orders, done.reply) == ((), text("people.not_reached"))
