"""Bots that close: their people are sent to a sister bot before they are retired."""

from passerby.dialogue.staff import refused
from passerby.kernel.decision import Env
from passerby.kernel.drain import Drain
from passerby.kernel.staff import (
    Allowed,
    AuditNote,
    DrainAsked,
    DrainEndAsked,
    Permission,
    StaffDecision,
    StaffFacts,
    StaffFeature,
)
from passerby.kernel.text import text


def drain(asked: DrainAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """Close a bot. Asked again, it gets another sister."""
    if any(each.bot == asked.sister for each in facts.draining):
        return refused(asked, text("bots.sister_closes", sister=str(asked.sister)))
    before = next((each for each in facts.draining if each.bot == asked.bot), None)
    since = before.since if before is not None else env.now
    return StaffDecision(
        drains=(Drain(asked.bot, asked.sister, asked.username, since),),
        notes=(AuditNote("bots.draining", str(asked.bot), {"sister": str(asked.sister)}),),
        reply=text("bots.draining", bot=str(asked.bot), sister=asked.username),
    )


def end_drain(asked: DrainEndAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    if all(each.bot != asked.bot for each in facts.draining):
        return refused(asked, text("bots.not_draining", bot=str(asked.bot)))
    return StaffDecision(
        drains_over=(asked.bot,),
        notes=(AuditNote("bots.open_again", str(asked.bot)),),
        reply=text("bots.open_again", bot=str(asked.bot)),
    )


feature = StaffFeature(
    "bots",
    requests={
        DrainAsked: Allowed(drain, Permission.SETTINGS),
        DrainEndAsked: Allowed(end_drain, Permission.SETTINGS),
    },
)
