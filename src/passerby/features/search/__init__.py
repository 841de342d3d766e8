"""Looking for somebody, and giving up looking. Who is paired with whom is the matcher's affair."""

from typing import assert_never

from passerby.domain.keyboards import CANCEL, FIND, keys_for
from passerby.domain.lifecycle import cancel, pair, search
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Priority, Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.feature import Feature
from passerby.kernel.ids import ChatId
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.kernel.text import text


def _tell(facts: Facts, key: str) -> Decision:
    return Decision(effects=(Say(facts.me.person, text(key), keys_for(facts.me.state)),))


def find(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    match facts.me.state:
        case Searching():
            return _tell(facts, "search.already")
        case Chatting():
            return _tell(facts, "search.in_chat")
        case Idle():
            me = search(facts.me, env)
            return Decision((me,), (Say(me.person, text("search.begun"), keys_for(me.state)),))
        case never:
            assert_never(never)


def give_up(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """The Cancel key. Pressed late, when somebody has been found or nothing was sought, it changes nothing."""
    match facts.me.state:
        case Searching():
            me = cancel(facts.me)
            return Decision((me,), (Say(me.person, text("search.cancelled"), keys_for(me.state)),))
        case Chatting():
            return _tell(facts, "search.found_meanwhile")
        case Idle():
            return _tell(facts, "search.not_searching")
        case never:
            assert_never(never)


def patience(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """Something written while searching: it goes to nobody."""
    return _tell(facts, "search.nobody_yet")


def hint(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """Something written while idle: it goes to nobody, and the way on is one key away.

    What was sent before the last chat ended, and read after, was meant for that partner; it says so.
    """
    last = facts.me.last
    if last is not None and event.sent_at <= last.closed_at:
        return _tell(facts, "search.came_too_late")
    return _tell(facts, "search.idle")


def introduce(one: Participant, other: Participant, env: Env) -> Decision:
    """Two people have been found for each other. The notice anchors the chat: see `Facts.anchor`."""
    chat = ChatId(f"{env.rng.getrandbits(80):020x}")
    sides = pair(one, other, chat, env.now)
    return Decision(
        sides,
        tuple(
            Say(side.person, text("search.found"), keys_for(side.state), priority=Priority.MATCH, anchors=chat)
            for side in sides
        ),
    )


feature = Feature(
    "search",
    commands={"search": find, "find": find, "chat": find},
    words={FIND: find, CANCEL: give_up},
    messages={Searching: patience, Idle: hint},
)
