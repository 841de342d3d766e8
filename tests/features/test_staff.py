"""Staff decisions as values: who may do what, and what the staff bot shows."""

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec
import pytest

from passerby.domain.alerts.rules import CLOCK_SKEW
from passerby.domain.alerts.runbooks import what_to_do
from passerby.domain.team import PERMISSIONS, is_last_owner, may, obstacle, reaches, roles_for
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Menu, Revise, Say
from passerby.kernel.event import BotBlocked, ButtonPressed, Event, MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.staff import (
    THE_OPERATOR,
    Allowed,
    AuditNote,
    Invite,
    Permission,
    Role,
    StaffDecision,
    StaffFacts,
    StaffFeature,
    StaffId,
    StaffMember,
    StaffRequest,
)
from passerby.kernel.staff_requests import InviteAsked, RevocationAsked, RoleAsked
from passerby.kernel.text import text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL

NOW = 1_800_000_000.0
BOT = BotId(1000009)
ENV = Env(NOW, Random(1))
ROUTER = StaffRouter(ALL)


def member(number: int, role: Role, **more: Any) -> StaffMember:
    return StaffMember(StaffId(number), PersonId(100 + number), role, NOW - 60, **more)


OWNER, ADMIN, MODERATOR, SUPPORT, ANALYST = (member(number, role) for number, role in enumerate(Role, start=1))
TEAM = (OWNER, ADMIN, MODERATOR, SUPPORT, ANALYST)


def facts(me: StaffMember | None, team: tuple[StaffMember, ...] = TEAM, invite: Invite | None = None) -> StaffFacts:
    return StaffFacts(me, team, StaffId(9), invite)


def wrote(words: str, person: int = 101) -> MessageReceived:
    return MessageReceived(
        PersonId(person), BOT, (MessageId(5),), (Content(Kind.TEXT, text=words),), NOW, language="de"
    )


def pressed(data: str, person: int = 101, message: int | None = 5) -> ButtonPressed:
    action, _, token = data.partition(":")
    at = None if message is None else MessageId(message)
    return ButtonPressed(PersonId(person), BOT, "q", at, action, token)


def decide(event: Event | StaffRequest, known: StaffFacts) -> StaffDecision:
    return ROUTER.decide(event, known, ENV)


def labels(menu: object) -> list[str]:
    assert isinstance(menu, Menu)
    return [button.action + ":" + button.token for row in menu.rows for button in row]


def test_an_invite_lasts_as_long_as_was_asked_for() -> None:
    for lasts_s, expected in ((None, 600.0), (9_000.0, 9_000.0)):
        (made,) = decide(InviteAsked("d", Role.OWNER, lasts_s=lasts_s), facts(THE_OPERATOR)).invites
        assert made.expires_at - made.made_at == expected


def test_every_role_has_at_most_the_permissions_of_the_ranks_above() -> None:
    for higher, lower in zip(Role, list(Role)[1:], strict=False):
        assert reaches(member(1, higher), lower)
        assert not reaches(member(1, lower), higher)
    assert PERMISSIONS[Role.OWNER] == frozenset(Permission)
    assert Permission.MONEY not in PERMISSIONS[Role.MODERATOR]
    assert PERMISSIONS[Role.ANALYST] == {Permission.FIGURES}
    assert roles_for(MODERATOR) == (Role.MODERATOR, Role.SUPPORT, Role.ANALYST)
    assert not may(None, None)
    assert may(ANALYST, None)


def test_the_operator_at_the_command_line_may_do_what_an_owner_may() -> None:
    assert obstacle(THE_OPERATOR, ADMIN, facts(THE_OPERATOR), Role.OWNER) is None
    assert obstacle(THE_OPERATOR, OWNER, facts(THE_OPERATOR)) == "team.last_owner"
    assert obstacle(THE_OPERATOR, None, facts(THE_OPERATOR)) == "team.nobody"
    assert obstacle(MODERATOR, ANALYST, facts(MODERATOR)) == "team.not_allowed"
    assert not is_last_owner(ADMIN, facts(None))


def test_an_invite_is_made_with_its_role_and_ends_after_ten_minutes() -> None:
    done = decide(InviteAsked("digest", Role.SUPPORT, "Sue"), facts(THE_OPERATOR))
    assert done == StaffDecision(
        invites=(Invite("digest", Role.SUPPORT, StaffId(0), NOW, NOW + 600, "Sue"),),
        notes=(AuditNote("team.invited", details={"role": Role.SUPPORT}),),
        reply=text("team.invited", role=text("team.role_support"), minutes=10),
    )


def test_nobody_invites_above_their_rank_or_without_the_permission() -> None:
    assert decide(InviteAsked("d", Role.OWNER), facts(ADMIN)) == StaffDecision(
        reply=text("team.above_you"), refused=True
    )
    assert decide(InviteAsked("d", Role.ANALYST), facts(MODERATOR)).reply == text("team.not_allowed")


def test_a_new_member_gets_the_invites_role_and_owners_and_the_inviter_hear_of_it() -> None:
    invite = Invite("digest", Role.MODERATOR, StaffId(2), NOW - 599, NOW + 1, "Mo")
    done = decide(wrote("/start secret", 777), facts(None, invite=invite))
    said = text("team.joined", who="#9 Mo", role=text("team.role_moderator"))
    assert done == StaffDecision(
        (StaffMember(StaffId(9), PersonId(777), Role.MODERATOR, NOW, "Mo", "de"),),
        (msgspec.structs.replace(invite, used_by=StaffId(9), used_at=NOW),),
        (AuditNote("team.joined", "#9", {"role": Role.MODERATOR, "invited_by": 2}),),
        effects=(
            Say(PersonId(777), text("team.welcome", role=text("team.role_moderator"))),
            Say(OWNER.person, said),
            Say(ADMIN.person, said),
        ),
    )


def test_a_member_who_comes_back_has_their_old_number_so_that_they_cannot_agree_to_their_own_requests() -> None:
    invite = Invite("digest", Role.MODERATOR, StaffId(2), NOW - 599, NOW + 1)
    former = StaffMember(StaffId(5), PersonId(777), Role.ADMIN, NOW - 5_000, revoked_at=NOW - 1_000)
    done = decide(wrote("/start secret", 777), msgspec.structs.replace(facts(None, invite=invite), former=former))
    [back] = done.members
    assert (back.number, back.role, back.joined_at, back.revoked_at) == (5, Role.MODERATOR, NOW, None)


@pytest.mark.parametrize(
    "invite",
    [
        None,
        Invite("digest", Role.OWNER, StaffId(0), NOW - 600, NOW),
        Invite("digest", Role.OWNER, StaffId(0), NOW - 60, NOW + 540, used_by=StaffId(1), used_at=NOW - 1),
        Invite("digest", Role.MODERATOR, StaffId(77), NOW - 60, NOW + 540),
        Invite("digest", Role.OWNER, StaffId(2), NOW - 60, NOW + 540),
        Invite("digest", Role.ANALYST, StaffId(3), NOW - 60, NOW + 540),
    ],
    ids=["unknown", "too old", "used", "by a revoked member", "by a lower rank", "by somebody who may not invite"],
)
def test_an_unknown_old_or_used_invite_changes_nothing(invite: Invite | None) -> None:
    done = decide(wrote("/start secret", 777), facts(None, invite=invite))
    assert done == StaffDecision(effects=(Say(PersonId(777), text("team.link_useless")),))


def test_strangers_read_that_the_bot_is_not_for_them() -> None:
    said = text("team.stranger")
    assert decide(wrote("/staff", 777), facts(None)).effects == (Say(PersonId(777), said),)
    assert decide(pressed("staff_list:", 777), facts(None)).effects == (Answer("q", said, alert=True),)
    assert decide(BotBlocked(PersonId(777), BOT), facts(None)) == StaffDecision()


def test_help_names_the_commands_that_the_role_allows() -> None:
    known = [
        *("alerts", "answer", "approvals", "bots", "broadcast", "cases", "help"),
        *("money", "next", "panel", "payments", "person", "purchase", "staff", "whoami"),
    ]
    assert [each for each in ROUTER.commands if each != "start"] == known
    for me, words, named in (
        (OWNER, "/help", [f"/{name}" for name in known]),
        (ANALYST, "anything else", ["/approvals", "/help", "/panel", "/whoami"]),
    ):
        (said,) = decide(wrote(words), facts(me)).effects
        assert isinstance(said, Say)
        every = [f"/{name}" for name in (*known, "start")]
        assert [name for name in every if name in repr(said)] == named
    assert decide(BotBlocked(PersonId(101), BOT), facts(OWNER)) == StaffDecision()


def test_a_member_who_starts_the_bot_again_stays_what_they_are() -> None:
    invite = Invite("digest", Role.OWNER, StaffId(0), NOW, NOW + 600)
    done = decide(wrote("/start secret"), facts(ANALYST, invite=invite))
    you = text("team.titled", who="#5", role=text("team.role_analyst"))
    assert done == StaffDecision(effects=(Say(PersonId(101), text("team.already_in", you=you)),))
    (said,) = decide(wrote("/whoami"), facts(ANALYST)).effects
    assert said == Say(PersonId(101), text("team.whoami", you=you, allowed=(text("team.may_figures"),)))


def test_a_member_is_shown_with_only_what_may_be_done_about_them() -> None:
    (_, shown) = decide(pressed("staff_member:3"), facts(ADMIN)).effects
    assert isinstance(shown, Revise)
    assert labels(shown.keyboard) == [
        "staff_role:3.admin",
        "staff_role:3.support",
        "staff_role:3.analyst",
        "staff_revoke:3",
        "staff_list:",
    ]
    (_, shown) = decide(pressed("staff_member:1"), facts(ADMIN)).effects
    assert isinstance(shown, Revise)
    assert labels(shown.keyboard) == ["staff_list:"]


def test_a_press_on_a_message_that_is_gone_gets_a_new_one() -> None:
    stopped, said = decide(pressed("staff_list:", message=None), facts(OWNER)).effects
    assert (stopped, type(said)) == (Answer("q"), Say)


@pytest.mark.parametrize(
    ("data", "me", "why"),
    [
        ("staff_member:7", OWNER, "team.nobody"),
        ("staff_member:x", OWNER, "team.nobody"),
        ("staff_revoke:7", OWNER, "team.nobody"),
        ("staff_sure:7", OWNER, "team.nobody"),
        ("staff_sure:1", ADMIN, "team.above_you"),
        ("staff_sure:1", OWNER, "team.last_owner"),
        ("staff_role:7.admin", OWNER, "team.nobody"),
        ("staff_role:3.king", OWNER, "team.nobody"),
        ("staff_role:3.owner", ADMIN, "team.above_you"),
        ("staff_role:1.admin", OWNER, "team.last_owner"),
        ("staff_list:", MODERATOR, "team.not_allowed"),
    ],
)
def test_a_press_that_is_not_allowed_changes_nothing(data: str, me: StaffMember, why: str) -> None:
    done = decide(pressed(data, me.person), facts(me))
    assert done == StaffDecision(effects=(Answer("q", text(why), alert=True),), reply=text(why), refused=True)


def test_a_command_that_is_not_allowed_is_answered_with_why() -> None:
    why = text("team.not_allowed")
    done = decide(wrote("/staff"), facts(SUPPORT))
    assert done == StaffDecision(effects=(Say(PersonId(101), why),), reply=why, refused=True)


def test_a_button_of_a_former_release_does_nothing() -> None:
    assert decide(pressed("gone:1"), facts(OWNER)).effects == (Answer("q"),)


def test_a_new_role_is_told_to_its_member_and_noted() -> None:
    done = decide(RoleAsked(StaffId(3), Role.ADMIN), facts(THE_OPERATOR))
    assert done == StaffDecision(
        (msgspec.structs.replace(MODERATOR, role=Role.ADMIN),),
        notes=(AuditNote("team.role_changed", "#3", {"from": Role.MODERATOR, "to": Role.ADMIN}),),
        effects=(Say(MODERATOR.person, text("team.your_role", role=text("team.role_admin"))),),
        reply=text("team.role_changed", who="#3", role=text("team.role_admin")),
    )
    same = decide(RoleAsked(StaffId(3), Role.MODERATOR), facts(THE_OPERATOR))
    assert same == StaffDecision(reply=text("team.same_role"))
    assert decide(RoleAsked(StaffId(7), Role.ADMIN), facts(THE_OPERATOR)).reply == text("team.nobody")


def test_a_role_is_changed_by_a_button_and_the_list_shows_it() -> None:
    done = decide(pressed("staff_role:3.admin"), facts(OWNER))
    assert [each.role for each in done.members] == [Role.ADMIN]
    assert isinstance(done.effects[1], Revise)


def test_a_revoked_member_is_told_and_noted_and_the_list_is_shown_without_them() -> None:
    done = decide(pressed("staff_sure:3"), facts(ADMIN))
    assert done.members == (msgspec.structs.replace(MODERATOR, revoked_at=NOW),)
    assert done.notes == (AuditNote("team.revoked", "#3", {"role": Role.MODERATOR}),)
    _, shown, told = done.effects
    assert isinstance(shown, Revise)
    assert labels(shown.keyboard) == ["staff_member:1", "staff_member:2", "staff_member:4", "staff_member:5"]
    assert told == Say(MODERATOR.person, text("team.you_are_out"))
    assert decide(RevocationAsked(StaffId(3)), facts(ADMIN)).members == done.members
    assert decide(RevocationAsked(StaffId(1)), facts(THE_OPERATOR)).reply == text("team.last_owner")


def test_a_member_who_removes_themselves_does_not_see_the_list() -> None:
    done = decide(pressed("staff_sure:2", ADMIN.person), facts(ADMIN))
    _, shown, _ = done.effects
    assert shown == Revise(ADMIN.person, MessageId(5), text("team.you_are_out"))


def test_removing_somebody_asks_first() -> None:
    done = decide(pressed("staff_revoke:3"), facts(OWNER))
    assert not done.changes
    _, shown = done.effects
    assert isinstance(shown, Revise)
    assert labels(shown.keyboard) == ["staff_sure:3", "staff_list:"]


@pytest.mark.parametrize(
    ("event", "before", "after"),
    [
        (wrote("/alerts on"), False, True),
        (wrote("/alerts off"), True, False),
        (wrote("/alerts"), True, True),
        (wrote("/alerts maybe"), False, False),
        (pressed("staff_alerts:on"), False, True),
        (pressed("staff_alerts:off"), False, False),
    ],
)
def test_alerts_are_turned_on_and_off(event: Event, before: bool, after: bool) -> None:
    me = msgspec.structs.replace(SUPPORT, alerts=before)
    done = decide(event, facts(me))
    changed = (msgspec.structs.replace(me, alerts=after),) if before != after else ()
    assert done.members == changed
    assert [note.action for note in done.notes] == (
        [] if before == after else ["alerts.wanted" if after else "alerts.unwanted"]
    )
    shown = done.effects[-1]
    assert isinstance(shown, Say | Revise)
    assert shown.text == text("staff_alerts.on" if after else "staff_alerts.off")
    assert labels(shown.keyboard) == [f"staff_alerts:{'off' if after else 'on'}"]


def test_two_staff_features_cannot_have_the_same_key() -> None:
    def nothing(event: object, known: StaffFacts, env: Env) -> StaffDecision:
        return StaffDecision()

    def helping(commands: Mapping[str, Permission | None]) -> Any:
        return nothing

    def routed(*more: StaffFeature) -> StaffRouter:
        return StaffRouter((StaffFeature("base", help=helping, stranger=nothing), *more))

    routed(StaffFeature("one", {"x": Allowed(nothing)}, {"x": Allowed(nothing)}))
    with pytest.raises(ValueError, match="two has x"):
        routed(StaffFeature("one", {"x": Allowed(nothing)}), StaffFeature("two", {"x": Allowed(nothing)}))
    with pytest.raises(ValueError, match="one staff feature answers strangers"):
        routed(StaffFeature("another", stranger=nothing))
    with pytest.raises(ValueError, match="one staff feature answers strangers"):
        StaffRouter(())


def test_a_role_is_changed_by_its_button() -> None:
    done = decide(pressed("staff_role:3.admin"), facts(OWNER))
    assert done.members == (msgspec.structs.replace(MODERATOR, role=Role.ADMIN),)
    assert done.notes == (AuditNote("team.role_changed", "#3", {"from": Role.MODERATOR, "to": Role.ADMIN}),)


@pytest.mark.parametrize(
    ("action", "noted", "said"),
    [
        ("alert_ack", "alert.acknowledged", "staff_alerts.acknowledged"),
        ("alert_silence", "alert.silenced", "staff_alerts.silenced"),
    ],
)
def test_an_alert_is_acknowledged_or_silenced_by_its_button(action: str, noted: str, said: str) -> None:
    done = decide(pressed(f"{action}:{CLOCK_SKEW.name}"), facts(OWNER))
    assert done == StaffDecision(notes=(AuditNote(noted, CLOCK_SKEW.name),), effects=(Answer("q", text(said)),))


def test_a_button_under_an_alert_shows_its_runbook() -> None:
    done = decide(pressed(f"alert_help:{CLOCK_SKEW.name}"), facts(OWNER))
    shown = text("staff_alerts.words", words=what_to_do(CLOCK_SKEW))
    assert done.effects == (Answer("q"), Say(OWNER.person, shown))


@pytest.mark.parametrize("action", ["alert_ack", "alert_silence", "alert_help"])
def test_a_button_under_an_alert_that_no_longer_exists_does_nothing(action: str) -> None:
    assert decide(pressed(f"{action}:gone"), facts(OWNER)) == StaffDecision(effects=(Answer("q"),))
