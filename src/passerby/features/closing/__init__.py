"""A bot is being drained: people who search or chat in it are told where to go on.

A search goes on in another bot that the person has started, or ends. A chat goes on here until it ends, or moves with
its people as soon as they open the sister.
"""

import msgspec

from passerby.dialogue.closing import go_on_elsewhere, is_closing
from passerby.dialogue.keyboards import keys_for
from passerby.domain.lifecycle import cancel, refresh_ticket
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Say
from passerby.kernel.event import BotClosing
from passerby.kernel.feature import Feature
from passerby.kernel.participant import Chatting, Searching
from passerby.kernel.text import text


def move_on(event: BotClosing, facts: Facts, env: Env) -> Decision:
    me = facts.me
    if me.bot != event.bot or not is_closing(me, env):
        return NOTHING
    match me.state:
        case Searching():
            other = next((bot for bot in me.bots if bot not in env.draining), None)
            if other is None:
                stopped = cancel(me)
                return Decision((stopped,), (go_on_elsewhere(stopped, env),))
            bots = (other, *(bot for bot in me.bots if bot != other))
            moved = refresh_ticket(msgspec.structs.replace(me, bot=other, bots=bots, thread=None), env)
            here = Say(me.person, text("closing.search_moved"), keys_for(moved.state))
            return Decision((moved,), (here,))
        case Chatting():
            return Decision(effects=(go_on_elsewhere(me, env),))
        case _:
            return NOTHING


feature = Feature("closing", events={BotClosing: move_on})
