"""The decisions that change who is staff."""

import msgspec

from passerby.dialogue.staff import refused
from passerby.domain.team import INVITE_S, called, is_open, may, obstacle, reaches
from passerby.kernel.decision import Env
from passerby.kernel.effect import Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.staff import (
    COMMAND_LINE,
    THE_OPERATOR,
    AuditNote,
    Invite,
    Permission,
    Role,
    StaffDecision,
    StaffFacts,
    StaffMember,
)
from passerby.kernel.staff_requests import InviteAsked, RevocationAsked, RoleAsked
from passerby.kernel.text import Text, text


def role_text(role: Role) -> Text:
    return text(f"team.role_{role}")


def invite(asked: InviteAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    me = facts.me
    assert me is not None
    if not reaches(me, asked.role):
        return refused(asked, text("team.above_you"))
    lasts_s = INVITE_S if asked.lasts_s is None else asked.lasts_s
    made = Invite(asked.digest, asked.role, me.number, env.now, env.now + lasts_s, asked.name)
    note = AuditNote("team.invited", details={"role": asked.role})
    reply = text("team.invited", role=role_text(asked.role), minutes=int(lasts_s // 60))
    return StaffDecision(invites=(made,), notes=(note,), reply=reply)


def _stands(opened: Invite, facts: StaffFacts) -> bool:
    """Whether the inviter may still make this invite: not if they were revoked, or have a lower role now."""
    maker = THE_OPERATOR if opened.made_by == COMMAND_LINE else facts.member(opened.made_by)
    return may(maker, Permission.TEAM) and maker is not None and reaches(maker, opened.role)


def join(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """Somebody opened an invite's link."""
    opened = facts.invite
    if opened is None or not is_open(opened, env.now) or not _stands(opened, facts):
        return StaffDecision(effects=(Say(event.person, text("team.link_useless")),))
    # With a new number, they could agree to what they asked for before they were revoked.
    number = facts.former.number if facts.former is not None else facts.next_number
    new = StaffMember(number, event.person, opened.role, env.now, opened.name, event.language, alerts=False)
    used = msgspec.structs.replace(opened, used_by=new.number, used_at=env.now)
    note = AuditNote("team.joined", called(new.number, ""), {"role": new.role, "invited_by": opened.made_by})
    said = text("team.joined", who=called(new.number, new.name), role=role_text(new.role))
    told = tuple(
        Say(each.person, said)
        for each in facts.team
        if may(each, Permission.TEAM) and (each.number == opened.made_by or each.role is Role.OWNER)
    )
    welcome = Say(event.person, text("team.welcome", role=role_text(new.role)))
    return StaffDecision((new,), (used,), (note,), effects=(welcome, *told))


def change_role(member: StaffMember, role: Role) -> StaffDecision:
    """The role of a member changes. Whether it may is decided before."""
    if role is member.role:
        return StaffDecision(reply=text("team.same_role"))
    changed = msgspec.structs.replace(member, role=role)
    note = AuditNote("team.role_changed", called(member.number, ""), {"from": member.role, "to": role})
    told = Say(member.person, text("team.your_role", role=role_text(role)))
    reply = text("team.role_changed", who=called(member.number, member.name), role=role_text(role))
    return StaffDecision((changed,), notes=(note,), effects=(told,), reply=reply)


def revoke(member: StaffMember, env: Env) -> StaffDecision:
    """A member is revoked: they are no longer staff. Whether they may be revoked is decided before."""
    changed = msgspec.structs.replace(member, revoked_at=env.now, alerts=False)
    note = AuditNote("team.revoked", called(member.number, ""), {"role": member.role})
    told = Say(member.person, text("team.you_are_out"))
    return StaffDecision(
        (changed,), notes=(note,), effects=(told,), reply=text("team.revoked", who=called(member.number, member.name))
    )


def role_asked(asked: RoleAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    assert facts.me is not None
    whom = facts.member(asked.member)
    why = obstacle(facts.me, whom, facts, asked.role)
    if whom is None or why is not None:
        return refused(asked, text(why or "team.nobody"))
    return change_role(whom, asked.role)


def revoke_asked(asked: RevocationAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    assert facts.me is not None
    whom = facts.member(asked.member)
    why = obstacle(facts.me, whom, facts)
    if whom is None or why is not None:
        return refused(asked, text(why or "team.nobody"))
    return revoke(whom, env)
