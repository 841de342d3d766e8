"""Journeys: a chat counts as a real one as soon as both people have written enough in it. After the first one, people
may get VIP for a few days to try it."""

from passerby.domain.journeys import after_real_chat, has_talked, wrote_enough
from passerby.domain.lifecycle import together
from passerby.domain.money.referrals import after_real_chat as counts_for_invite
from passerby.domain.money.trials import with_trial
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Priority, Say
from passerby.kernel.event import WroteEnough
from passerby.kernel.feature import Feature
from passerby.kernel.participant import Chatting
from passerby.kernel.text import day, text


def talked(event: WroteEnough, facts: Facts, env: Env) -> Decision:
    """The second of the two makes it a real chat, for both. A person who had none before may get a trial."""
    me, partner, state = facts.me, facts.partner, facts.me.state
    if not isinstance(state, Chatting) or state.chat != event.chat or has_talked(me, event.chat):
        return NOTHING
    me = wrote_enough(me, event.chat)
    if partner is None or not together(me, partner) or not has_talked(partner, event.chat):
        return Decision((me,))
    changed, told = [], []
    for before, other in ((me, partner.person), (partner, me.person)):
        after = after_real_chat(before)
        tries = with_trial(after, env) if after is not before else after
        if tries is not after:
            said = text("journeys.trial", day=day(tries.vip_until))
            told.append(Say(tries.person, said, priority=Priority.SYSTEM))
        changed.append(counts_for_invite(tries, event.chat, other, env.now))
    return Decision(tuple(changed), tuple(told))


feature = Feature("journeys", events={WroteEnough: talked})
