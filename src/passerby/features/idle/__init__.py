"""Idle chats: a reminder for the person whose turn it is, and later a polite end for both."""

import msgspec

from passerby.dialogue.after_chat import look_back
from passerby.dialogue.keyboards import keys_for
from passerby.domain.lifecycle import part
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Priority, Say
from passerby.kernel.event import ChatIdle
from passerby.kernel.feature import Feature
from passerby.kernel.participant import Chatting
from passerby.kernel.text import text


def remind(event: ChatIdle, facts: Facts, env: Env) -> Decision:
    """It is the turn of `me`: remind them, once for each silence, or end the chat."""
    me, rules = facts.me, env.rules
    state = me.state
    if not isinstance(state, Chatting) or state.chat != event.chat:
        return NOTHING
    quiet_s = env.now - event.since
    if rules.idle_end_s and quiet_s >= rules.idle_end_s:
        sides = part(me, facts.partner, env, reason="idle", leaver=me.person)
        told = [Say(side.person, text("idle.ended"), keys_for(side.state), priority=Priority.MATCH) for side in sides]
        return Decision(sides, (*told, *(asked for side in sides for asked in look_back(side))))
    reminded = state.nudged_at is not None and state.nudged_at >= event.since
    if not rules.idle_nudge_s or quiet_s < rules.idle_nudge_s or reminded:
        return NOTHING
    me = msgspec.structs.replace(me, state=msgspec.structs.replace(state, nudged_at=env.now))
    key = "idle.your_turn" if event.speaker is not None else "idle.nobody_spoke"
    return Decision((me,), (Say(me.person, text(key), priority=Priority.SYSTEM),))


feature = Feature("idle", events={ChatIdle: remind})
