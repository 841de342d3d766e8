"""Unknown commands: mistyped ones, or those of another bot. They reach the partner only if their sender confirms it.

Such a message is held like one with a trace. The button passes it on, and so does an edit that turns it into a plain
sentence.
"""

from collections.abc import Collection

from passerby.dialogue.keyboards import keys_for
from passerby.domain.commands import command_in, nearest, slip_in
from passerby.features.chat.held import hold, place_of
from passerby.features.chat.relay import choice, obstacle_to
from passerby.kernel.decision import Decider, Decision, Env, Facts
from passerby.kernel.effect import Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.participant import Chatting, Held
from passerby.kernel.text import Text, text


def answer_to_unknown(commands: Collection[str]) -> Decider:
    """Make the decider for messages that look like a command but are none of `commands`."""

    def answer(event: MessageReceived, facts: Facts, env: Env) -> Decision:
        me, state = facts.me, facts.me.state
        typed = command_in(event.text) or slip_in(event.text, commands) or ""
        meant = nearest(typed, commands)
        if not isinstance(state, Chatting):
            said = _said("chat.no_such_command", "chat.meant", meant)
            return Decision(effects=(Say(me.person, said, keys_for(state), event.messages[0]),))
        obstacle = obstacle_to(event, facts, state, env)
        if obstacle is not None:
            return Decision(effects=(Say(me.person, text(obstacle), reply_to=event.messages[0]),))
        waits = hold(me, state, Held(place_of(event), event.edited_at, event.reply_to))
        said = _said("chat.no_such_command_here", "chat.meant_here", meant)
        return Decision(
            (waits,), (Say(me.person, said, choice(event, state.chat, send="chat.send_as_message"), event.messages[0]),)
        )

    return answer


def _said(unknown: str, resembling: str, meant: str | None) -> Text:
    return text(unknown) if meant is None else text(resembling, command=f"/{meant}")
