"""Ending a chat, or moving on to the next one. Nothing can keep a person in a chat."""

from typing import assert_never

from passerby.dialogue.after_chat import look_back, tell_left
from passerby.dialogue.challenge import ask_for_picture
from passerby.dialogue.closing import go_on_elsewhere, is_closing
from passerby.dialogue.keyboards import keys_for
from passerby.dialogue.searching import tell_search, tell_still_searching
from passerby.dialogue.sponsor import ask_to_join, is_held_up, suggest
from passerby.domain.lifecycle import cancel, part, search
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.participant import Chatting, Idle, Searching
from passerby.kernel.text import text


def _tell(facts: Facts, key: str) -> Decision:
    return Decision(effects=(Say(facts.me.person, text(key), keys_for(facts.me.state)),))


def move_on(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/next`: end this chat and search again. Outside a chat it searches. In a bot that closes it only ends the
    chat."""
    closes = is_closing(facts.me, env)
    match facts.me.state:
        case Idle():
            if closes:
                return Decision(effects=(go_on_elsewhere(facts.me, env),))
            if is_held_up(facts, env):
                return Decision(effects=(ask_to_join(facts.me, env),))
            me = search(facts.me, env)
            return Decision((me,), (tell_search(me), *suggest(facts, env), *ask_for_picture(me)))
        case Searching():
            return Decision(effects=(tell_still_searching(facts.me, "chat.next_while_searching"),))
        case Chatting():
            again = not closes and not is_held_up(facts, env)
            sides = part(facts.me, facts.partner, env, reason="next", leaver=facts.me.person, again=again)
            if closes:
                return Decision(sides, (go_on_elsewhere(sides[0], env), *look_back(sides[0]), *tell_left(sides)))
            if not again:
                told = Say(facts.me.person, text("chat.you_left"), keys_for(sides[0].state))
                return Decision(sides, (told, *look_back(sides[0]), ask_to_join(sides[0], env), *tell_left(sides)))
            said = Say(facts.me.person, text("chat.you_moved_on"), keys_for(sides[0].state))
            return Decision(sides, (said, *look_back(sides[0]), *ask_for_picture(sides[0]), *tell_left(sides)))
        case never:
            assert_never(never)


def stop(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/stop`: end the chat, or the search."""
    match facts.me.state:
        case Idle():
            return _tell(facts, "chat.stop_while_idle")
        case Searching():
            me = cancel(facts.me)
            return Decision((me,), (Say(me.person, text("chat.search_stopped"), keys_for(me.state)),))
        case Chatting():
            sides = part(facts.me, facts.partner, env, reason="stop", leaver=facts.me.person)
            said = Say(facts.me.person, text("chat.you_left"), keys_for(sides[0].state))
            return Decision(sides, (said, *look_back(sides[0]), *tell_left(sides)))
        case never:
            assert_never(never)
