"""The key that says hello. Some chats begin with it (`domain.farms.hello`); it works in every chat."""

import msgspec

from passerby.dialogue.keyboards import keys_for
from passerby.dialogue.states import UNSENT
from passerby.domain.farms.hello import HELLO
from passerby.features.chat.relay import relay
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.participant import Chatting
from passerby.kernel.text import text


def hello(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """Pass on a greeting in place of the label."""
    me = facts.me
    if not isinstance(me.state, Chatting):
        told = Say(me.person, text(UNSENT[type(me.state)]), keys_for(me.state), event.messages[0])
        return Decision(effects=(told,))
    return relay(msgspec.structs.replace(event, contents=(Content(Kind.TEXT, text=HELLO),)), facts, env)
