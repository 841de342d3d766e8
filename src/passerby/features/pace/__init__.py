"""Somebody sends more than one person may have in hand. They are told when it begins and when it is over."""

from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Effect, Owe, Priority, Say
from passerby.kernel.event import Overrun
from passerby.kernel.feature import Feature
from passerby.kernel.text import text


def overrun(event: Overrun, facts: Facts, env: Env) -> Decision:
    """What ends the spell is owed from the start, with the count as it stands: it must not depend on who counts."""
    me = facts.me.person
    effects: list[Effect] = [Owe(me, event.spell, text("pace.over", n=event.count))]
    if event.begins:
        # Before the answers to what was poured, if that were commands.
        effects.append(Say(me, text("pace.begun"), reply_to=event.message, priority=Priority.MATCH))
    if event.query:
        effects.append(Answer(event.query, text("pace.tapped")))
    return Decision(effects=tuple(effects))


feature = Feature("pace", events={Overrun: overrun})
