"""Passkeys: a second factor for the panel. A member who has one shows it after every sign-in.

Whether a passkey is genuine is checked before (`passerby.adapters.passkeys`).
"""

from passerby.dialogue.staff import refused
from passerby.domain.team import obstacle
from passerby.kernel.decision import Env
from passerby.kernel.effect import Say
from passerby.kernel.panel import Passkey, PasskeysGone
from passerby.kernel.staff import COMMAND_LINE, AuditNote, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import PasskeyAdded, PasskeyRemoved, PasskeysReset
from passerby.kernel.text import text


def added(asked: PasskeyAdded, facts: StaffFacts, env: Env) -> StaffDecision:
    me = facts.me
    assert me is not None
    if me.number == COMMAND_LINE:
        return refused(asked, text("team.not_allowed"))
    made = Passkey(asked.name, me.number, asked.key, asked.count, asked.label, env.now, env.now)
    said = text("staff_panel.passkey_added", browser=asked.label)
    note = AuditNote("passkey.added", f"#{me.number}", {"browser": asked.label})
    return StaffDecision(passkeys=(made,), notes=(note,), effects=(Say(me.person, said),), reply=said)


def removed(asked: PasskeyRemoved, facts: StaffFacts, env: Env) -> StaffDecision:
    """Only their own: the name of another member's is not found among theirs."""
    me = facts.me
    assert me is not None
    said = text("staff_panel.passkeys_gone")
    told = (Say(me.person, said),) if me.number != COMMAND_LINE else ()
    gone = PasskeysGone(me.number, asked.name)
    note = AuditNote("passkey.removed", f"#{me.number}")
    return StaffDecision(passkeys_gone=(gone,), notes=(note,), effects=told, reply=said)


def reset(asked: PasskeysReset, facts: StaffFacts, env: Env) -> StaffDecision:
    """A lost passkey: whoever may change the member's role lets them in with Telegram alone, until they add another."""
    me, whom = facts.me, facts.member(asked.member)
    assert me is not None
    why = obstacle(me, whom, facts, whom.role if whom is not None else None)
    if whom is None or why is not None:
        return refused(asked, text(why or "team.nobody"))
    said = text("staff_panel.passkeys_gone")
    note = AuditNote("passkeys.reset", f"#{whom.number}")
    return StaffDecision(
        passkeys_gone=(PasskeysGone(whom.number),), notes=(note,), effects=(Say(whom.person, said),), reply=said
    )
