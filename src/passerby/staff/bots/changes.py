"""The decisions that add, drain, open and retire a bot. The staff bot, the panel and the command line share them."""

from passerby.dialogue.staff import refused
from passerby.kernel.decision import Env
from passerby.kernel.drain import Drain
from passerby.kernel.ids import BotId
from passerby.kernel.staff import AuditNote, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import BotAddAsked, DrainAsked, DrainEndAsked, RetireAsked
from passerby.kernel.text import text


def drain_of(bot: BotId, facts: StaffFacts) -> Drain | None:
    return next((each for each in facts.draining if each.bot == bot), None)


def drain(asked: DrainAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """Begin to drain a bot. If it is drained already, it gets another sister."""
    if any(each.sister == asked.bot for each in facts.draining):
        return refused(asked, text("bots.is_sister", bot=str(asked.bot)))
    if drain_of(asked.sister, facts) is not None:
        return refused(asked, text("bots.sister_closes", sister=str(asked.sister)))
    before = drain_of(asked.bot, facts)
    since = before.since if before is not None else env.now
    return StaffDecision(
        drains=(Drain(asked.bot, asked.sister, asked.username, since),),
        notes=(AuditNote("bots.draining", str(asked.bot), {"sister": str(asked.sister)}),),
        reply=text("bots.draining", bot=str(asked.bot), sister=asked.username),
    )


def end_drain(asked: DrainEndAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    if drain_of(asked.bot, facts) is None:
        return refused(asked, text("bots.not_draining", bot=str(asked.bot)))
    return StaffDecision(
        drains_over=(asked.bot,),
        notes=(AuditNote("bots.open_again", str(asked.bot)),),
        reply=text("bots.open_again", bot=str(asked.bot)),
    )


def add(asked: BotAddAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    return StaffDecision(
        notes=(AuditNote("bots.added", str(asked.bot)),),
        reply=text("bots.added", bot=str(asked.bot), name=asked.username),
    )


def retire(asked: RetireAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """Its drain ends with it, so it is open if it is added again. Another bot's sister cannot be retired."""
    if any(each.sister == asked.bot for each in facts.draining):
        return refused(asked, text("bots.is_sister", bot=str(asked.bot)))
    return StaffDecision(
        drains_over=(asked.bot,) if drain_of(asked.bot, facts) is not None else (),
        notes=(AuditNote("bots.retired", str(asked.bot)),),
        reply=text("bots.retired", bot=str(asked.bot)),
    )
