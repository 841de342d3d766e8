"""Decides which staff members may do which acts.

A role is a set of permissions, and has a rank. Nobody acts on somebody of a higher rank than their own, or gives away
a higher rank. The last owner stays an owner: nobody can revoke them or give them another role.
"""

from passerby.kernel.staff import Invite, Permission, Role, StaffFacts, StaffId, StaffMember

INVITE_S = 600.0
"""How long an invite may be used."""

_ALERTED = {Permission.ALERTS, Permission.FIGURES}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission) - {Permission.LEGAL},
    Role.MODERATOR: frozenset({Permission.PEOPLE, Permission.SANCTION, *_ALERTED}),
    Role.SUPPORT: frozenset({Permission.PEOPLE, Permission.MONEY, *_ALERTED}),
    Role.ANALYST: frozenset({Permission.FIGURES}),
}
_RANKS = {role: rank for rank, role in enumerate(reversed(Role))}


def may(member: StaffMember | None, permission: Permission | None) -> bool:
    """Whether a member has the permission. None as permission: every member has it."""
    return member is not None and (permission is None or permission in PERMISSIONS[member.role])


def reaches(member: StaffMember, role: Role) -> bool:
    """Whether the member's rank is not below the role's: they may give it, and act on somebody who has it."""
    return _RANKS[member.role] >= _RANKS[role]


def roles_for(member: StaffMember) -> tuple[Role, ...]:
    """The roles that the member may give, the highest first."""
    return tuple(role for role in Role if reaches(member, role))


def is_last_owner(member: StaffMember, facts: StaffFacts) -> bool:
    owners = [each for each in facts.team if each.role is Role.OWNER]
    return member.role is Role.OWNER and [each.number for each in owners] == [member.number]


def obstacle(me: StaffMember, whom: StaffMember | None, facts: StaffFacts, role: Role | None = None) -> str | None:
    """The text key of the reason why `me` may not give `whom` this role (None: revoke them). None if they may."""
    if whom is None:
        return "team.nobody"
    if not may(me, Permission.TEAM):
        return "team.not_allowed"
    if not reaches(me, whom.role) or (role is not None and not reaches(me, role)):
        return "team.above_you"
    if role is not Role.OWNER and is_last_owner(whom, facts):
        return "team.last_owner"
    return None


def is_open(invite: Invite, now: float) -> bool:
    """Whether the invite may still be used."""
    return invite.used_at is None and now < invite.expires_at


def called(number: StaffId, name: str) -> str:
    """How lists and the audit name a staff member: their number, and their name if they have one."""
    return f"#{number} {name}".rstrip()
