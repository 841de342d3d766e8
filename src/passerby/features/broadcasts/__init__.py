"""The button below each broadcast: a person opts out of its category, and may change their mind.

The broadcasts themselves are sent by the runtime (`runtime.broadcasts`).
"""

import msgspec

from passerby.kernel.broadcast import Category
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Menu, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.feature import Feature
from passerby.kernel.text import text

_OPTIONAL = frozenset(Category) - {Category.SYSTEM}


def mute(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    me = facts.me
    if event.token not in _OPTIONAL:
        return Decision(effects=(Answer(event.query),))
    undo = Menu(((Button(text("mute.undo"), "unmute", event.token),),))
    told = (Answer(event.query), Say(me.person, text("mute.done", what=text(f"mute.{event.token}")), undo))
    if event.token in me.muted:
        return Decision(effects=told)
    return Decision((msgspec.structs.replace(me, muted=(*me.muted, event.token)),), told)


def unmute(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    me = facts.me
    told = (Answer(event.query), Say(me.person, text("mute.undone")))
    if event.token not in me.muted:
        return Decision(effects=told)
    return Decision((msgspec.structs.replace(me, muted=tuple(each for each in me.muted if each != event.token)),), told)


feature = Feature("broadcasts", presses={"mute": mute, "unmute": unmute})
