"""`/staff`: the team as a message with buttons. Each press changes that message."""

import msgspec

from passerby.dialogue.staff import answer, in_rows, lines, refused
from passerby.domain.team import called, obstacle, roles_for
from passerby.kernel.decision import Env
from passerby.kernel.digits import whole
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.staff import Role, StaffDecision, StaffFacts, StaffMember
from passerby.kernel.text import Text, text
from passerby.staff.team.changes import change_role, revoke, role_text


def titled(member: StaffMember) -> Text:
    """A member's number, name and role."""
    return text("team.titled", who=called(member.number, member.name), role=role_text(member.role))


def _team(team: tuple[StaffMember, ...]) -> tuple[Text, Menu]:
    said = text("team.list", members=lines([titled(each) for each in team]))
    buttons = [
        Button(text("team.name", who=called(each.number, each.name)), "staff_member", str(each.number)) for each in team
    ]
    return said, Menu(in_rows(buttons))


def _back() -> tuple[Button, ...]:
    return (Button(text("team.back"), "staff_list"),)


def _named(event: ButtonPressed, facts: StaffFacts) -> StaffMember | None:
    number = event.token.partition(".")[0]
    return facts.member(int(number)) if whole(number) is not None else None


def list_team(event: MessageReceived | ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return StaffDecision(effects=answer(event, *_team(facts.team)))


def member_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Show one member, with what may be done about them."""
    assert facts.me is not None
    whom = _named(event, facts)
    if whom is None:
        return refused(event, text("team.nobody"))
    me = facts.me
    roles = [
        Button(role_text(role), "staff_role", f"{whom.number}.{role}")
        for role in roles_for(me)
        if role is not whom.role and obstacle(me, whom, facts, role) is None
    ]
    out = obstacle(me, whom, facts) is None
    revoking = ((Button(text("team.revoke"), "staff_revoke", str(whom.number)),),) if out else ()
    return StaffDecision(effects=answer(event, titled(whom), Menu((*in_rows(roles), *revoking, _back()))))


def role_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    assert facts.me is not None
    whom, role = _named(event, facts), event.token.partition(".")[2]
    if whom is None or role not in {*Role}:
        return refused(event, text("team.nobody"))
    why = obstacle(facts.me, whom, facts, Role(role))
    if why is not None:
        return refused(event, text(why))
    return _shown(event, change_role(whom, Role(role)), facts)


def revoke_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Ask once more."""
    whom = _named(event, facts)
    if whom is None:
        return refused(event, text("team.nobody"))
    sure = Button(text("team.revoke"), "staff_sure", str(whom.number))
    said = text("team.sure", who=called(whom.number, whom.name))
    return StaffDecision(effects=answer(event, said, Menu(((sure,), _back()))))


def sure_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    assert facts.me is not None
    whom = _named(event, facts)
    why = obstacle(facts.me, whom, facts)
    if whom is None or why is not None:
        return refused(event, text(why or "team.nobody"))
    return _shown(event, revoke(whom, env), facts)


def _shown(event: ButtonPressed, decision: StaffDecision, facts: StaffFacts) -> StaffDecision:
    """The decision, with the list as it is afterwards in place of the buttons."""
    changed = {each.number: each for each in decision.members}
    team = tuple(changed.get(each.number, each) for each in facts.team)
    team = tuple(each for each in team if each.revoked_at is None)
    stays = any(each.person == event.person for each in team)
    shown = answer(event, *_team(team)) if stays else answer(event, text("team.you_are_out"))
    return msgspec.structs.replace(decision, effects=(*shown, *decision.effects))
