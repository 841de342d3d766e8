"""The team: joining by an invite, roles, leaving. It also has the commands that are for every staff member."""

from collections.abc import Mapping

from passerby.dialogue.staff import lines
from passerby.domain.team import may
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.staff import Allowed, Permission, StaffDecider, StaffDecision, StaffFacts, StaffFeature
from passerby.kernel.staff_requests import InviteAsked, RevocationAsked, RoleAsked
from passerby.kernel.text import Text, text
from passerby.staff.team.changes import invite, join, revoke_asked, role_asked
from passerby.staff.team.lists import list_team, member_pressed, revoke_pressed, role_pressed, sure_pressed, titled


def _whoami(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    assert facts.me is not None
    allowed = tuple(text(f"team.may_{each}") for each in Permission if may(facts.me, each))
    said = text("team.whoami", you=titled(facts.me), allowed=allowed)
    return StaffDecision(effects=(Say(event.person, said),))


def _help(commands: Mapping[str, Permission | None]) -> StaffDecider:
    def show(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
        said: list[Text] = [
            text("team.command", command=f"/{name}", what=text(f"staff_commands.{name}"))
            for name, needs in commands.items()
            if name != "start" and may(facts.me, needs)
        ]
        return StaffDecision(effects=(Say(event.person, text("team.help", commands=lines(said))),))

    return show


def _stranger(event: object, facts: StaffFacts, env: Env) -> StaffDecision:
    match event:
        case MessageReceived(text=words) if words.startswith("/start "):
            return join(event, facts, env)
        case MessageReceived():
            return StaffDecision(effects=(Say(event.person, text("team.stranger")),))
        case ButtonPressed():
            return StaffDecision(effects=(Answer(event.query, text("team.stranger"), alert=True),))
        case _:
            return StaffDecision()


def _start(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/start` by a staff member. An invite that they open stays open for somebody else."""
    assert facts.me is not None
    return StaffDecision(effects=(Say(event.person, text("team.already_in", you=titled(facts.me))),))


feature = StaffFeature(
    "team",
    commands={
        "start": Allowed(_start),
        "whoami": Allowed(_whoami),
        "staff": Allowed(list_team, Permission.TEAM),
    },
    presses={
        "staff_list": Allowed(list_team, Permission.TEAM),
        "staff_member": Allowed(member_pressed, Permission.TEAM),
        "staff_role": Allowed(role_pressed, Permission.TEAM),
        "staff_revoke": Allowed(revoke_pressed, Permission.TEAM),
        "staff_sure": Allowed(sure_pressed, Permission.TEAM),
    },
    requests={
        InviteAsked: Allowed(invite, Permission.TEAM),
        RoleAsked: Allowed(role_asked, Permission.TEAM),
        RevocationAsked: Allowed(revoke_asked, Permission.TEAM),
    },
    help=_help,
    stranger=_stranger,
)
