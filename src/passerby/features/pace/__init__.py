"""A person sends more than their quota allows. They are told when refusals begin and when they are over."""

from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Effect, Owe, Priority, Say
from passerby.kernel.event import Overrun
from passerby.kernel.feature import Feature
from passerby.kernel.text import text


def overrun(event: Overrun, facts: Facts, env: Env) -> Decision:
    """The notice for the end of a spell is stored from the start, with the current count, because it must survive this
    process."""
    me = facts.me.person
    effects: list[Effect] = [Owe(me, event.spell, text("pace.over", n=event.count))]
    if event.begins:
        # This priority puts it before the answers to commands that were admitted earlier.
        effects.append(Say(me, text("pace.begun"), reply_to=event.message, priority=Priority.MATCH))
    if event.query:
        effects.append(Answer(event.query, text("pace.tapped")))
    return Decision(effects=tuple(effects))


feature = Feature("pace", events={Overrun: overrun})
