"""Texts for people in a bot that is being drained."""

from passerby.dialogue.keyboards import keys_for
from passerby.kernel.decision import Env
from passerby.kernel.effect import Say
from passerby.kernel.participant import Chatting, Participant
from passerby.kernel.text import text


def is_closing(me: Participant, env: Env) -> bool:
    """Whether the bot that they use is being drained: they begin nothing new in it."""
    return me.bot in env.draining


def go_on_elsewhere(me: Participant, env: Env) -> Say:
    """The link to the sister bot. The bot must be closing."""
    assert me.bot is not None, "somebody without a bot uses none that closes"
    said = "closing.in_chat" if isinstance(me.state, Chatting) else "closing.go_on"
    return Say(me.person, text(said, link=env.draining[me.bot].link), keys_for(me.state))
