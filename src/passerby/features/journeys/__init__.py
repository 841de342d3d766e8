"""Journeys: a chat counts as a real one as soon as both people have written enough in it."""

from passerby.domain.journeys import after_real_chat, has_talked, wrote_enough
from passerby.domain.lifecycle import together
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.event import WroteEnough
from passerby.kernel.feature import Feature
from passerby.kernel.participant import Chatting


def talked(event: WroteEnough, facts: Facts, env: Env) -> Decision:
    """The second of the two makes it a real chat, for both."""
    me, partner, state = facts.me, facts.partner, facts.me.state
    if not isinstance(state, Chatting) or state.chat != event.chat or has_talked(me, event.chat):
        return NOTHING
    me = wrote_enough(me, event.chat)
    if partner is None or not together(me, partner) or not has_talked(partner, event.chat):
        return Decision((me,))
    return Decision(tuple(after_real_chat(each) for each in (me, partner)))


feature = Feature("journeys", events={WroteEnough: talked})
