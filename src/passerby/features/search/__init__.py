"""Starting and cancelling a search. The matcher decides who is paired with whom."""

from typing import assert_never

import msgspec

from passerby.dialogue.after_chat import SEEK, ask_again, what_was_said
from passerby.dialogue.challenge import ask_for_picture
from passerby.dialogue.closing import go_on_elsewhere, is_closing
from passerby.dialogue.keyboards import CANCEL, FIND, WITH_HELLO, keys_for
from passerby.dialogue.searching import tell_search, tell_still_searching
from passerby.dialogue.sponsor import JOINED, ask_to_join, is_held_up, not_joined, suggest
from passerby.domain.after_chat import last_partner
from passerby.domain.farms.challenge import is_asked
from passerby.domain.farms.hello import begins_with_hello
from passerby.domain.farms.wordings import named, wording_of
from passerby.domain.lifecycle import cancel, pair, refresh_ticket, search
from passerby.domain.matching.estimates import blurred
from passerby.domain.matching.wishes import common
from passerby.domain.tastes import ICEBREAKERS, worded
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Priority, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived, SearchDelayed
from passerby.kernel.feature import Feature, MenuCommand
from passerby.kernel.ids import NOWHERE, ChatId, MessageId, search_of
from passerby.kernel.participant import Chatting, Idle, Participant, Preferences, Searching
from passerby.kernel.text import Text, text


def _tell(facts: Facts, key: str, reply_to: MessageId | None = None) -> Decision:
    return Decision(effects=(Say(facts.me.person, text(key), keys_for(facts.me.state), reply_to),))


def find(event: MessageReceived | ButtonPressed, facts: Facts, env: Env) -> Decision:
    match facts.me.state:
        case Searching():
            return Decision(effects=(tell_still_searching(facts.me, "search.already"),))
        case Chatting():
            return _tell(facts, "search.in_chat")
        case Idle():
            if is_closing(facts.me, env):
                return Decision(effects=(go_on_elsewhere(facts.me, env),))
            if is_held_up(facts, env):
                return Decision(effects=(ask_to_join(facts.me, env),))
            me = search(facts.me, env)
            return Decision((me,), (tell_search(me), *suggest(facts, env), *ask_for_picture(me)))
        case never:
            assert_never(never)


def seek(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The button "Find" under the question about the last chat. If it is pressed late, the answer says what the person
    is doing now."""
    found = find(event, facts, env)
    me = found.changes[0] if found.changes else facts.me
    asked = () if last_partner(me, event.token) is None else ask_again(event, what_was_said(me), me, env.now)
    return Decision(found.changes, (Answer(event.query), *asked, *found.effects))


def joined(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The button under the request to join the sponsor's channel."""
    if is_held_up(facts, env):
        return Decision(effects=(not_joined(event),))
    found = find(event, facts, env)
    return Decision(found.changes, (Answer(event.query), *found.effects))


def give_up(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """The Cancel key. Without a search, it changes nothing."""
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
    """Answer a message that was written while searching. It goes to nobody."""
    return _tell(facts, "search.nobody_yet", event.messages[0])


def hint(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """Answer a message that was written while idle. It goes to nobody.

    If it was sent before the last chat ended but read after it, it was meant for that partner, and the answer says so.
    """
    last = facts.me.last
    if last is not None and event.sent_at <= last.closed_at:
        return _tell(facts, "search.came_too_late", event.messages[0])
    return _tell(facts, "search.idle", event.messages[0])


def introduce(one: Participant, other: Participant, env: Env) -> Decision:
    """Introduce two people who were paired. The notice anchors the chat: see `Facts.anchor`.

    It names what they have in common. If both like opening questions, it asks one, the same for both. Its wording
    depends on the chat (`domain.farms.wordings`).
    """
    chat = ChatId(f"{env.rng.getrandbits(80):020x}")
    assert isinstance(one.state, Searching), "only searching people are paired"
    assert isinstance(other.state, Searching), "only searching people are paired"
    shared = common(one.state.ticket, other.state.ticket)
    question = env.rng.randrange(ICEBREAKERS) + 1
    both_like = one.preferences.icebreakers and other.preferences.icebreakers
    sides = pair(one, other, chat, env.now)
    return Decision(
        sides,
        tuple(
            Say(
                side.person,
                _found(wording_of(chat), shared.interests, question if both_like else None),
                WITH_HELLO if begins_with_hello(chat) else keys_for(side.state),
                priority=Priority.MATCH,
                anchors=chat,
            )
            for side in sides
        ),
    )


def _found(wording: int, interests: tuple[str, ...], question: int | None) -> Text:
    asked = text(f"icebreakers.{question}") if question is not None else None
    tags = tuple(worded(each) for each in interests)
    match tags, asked:
        case (), None:
            return text(named("search.found", wording))
        case (), Text():
            return text(named("search.found_asking", wording), question=asked)
        case _, None:
            return text(named("search.found_alike", wording), interests=tags)
        case _:
            return text(named("search.found_alike_asking", wording), interests=tags, question=asked)


def delayed(event: SearchDelayed, facts: Facts, env: Env) -> Decision:
    """Tell somebody how their search stands, and offer to widen it. The next time, the same notice is revised."""
    state = facts.me.state
    if not isinstance(state, Searching) or state.ticket.since != event.since:
        return NOTHING
    if is_asked(facts.me):
        return Decision(effects=ask_for_picture(facts.me))
    said = text("search.delayed", chance=_chance(event), wait=_wait(event))
    menu = _wider(facts.me, state)
    at = facts.anchor
    if at is not None and at != NOWHERE and at.bot == facts.me.bot:
        return Decision(effects=(Revise(facts.me.person, at.message, said, menu, search=event.since),))
    me = facts.me.person
    told = Say(me, said, menu, priority=Priority.SYSTEM, anchors=search_of(me), search=event.since)
    return Decision(effects=(told,))


def _chance(event: SearchDelayed) -> Text:
    return text(f"search.chance_{blurred(event.fitting)}")


def _wait(event: SearchDelayed) -> Text:
    """The expected wait, in steps of ten seconds or in minutes. It is a measurement, not a promise."""
    if event.expected_s is None:
        return text("search.wait_unknown")
    if event.expected_s < 55:
        return text("search.wait_seconds", n=10 * max(1, round(event.expected_s / 10)))
    return text("search.wait_minutes", n=max(1, round(event.expected_s / 60)))


def _wider(me: Participant, state: Searching) -> Menu | None:
    """The buttons to drop a wish. None if the wishes are as wide as they can be."""
    wants = state.ticket.wants
    rows = []
    if wants.genders:
        rows.append((Button(text("search.any_gender"), "widen", "gender"),))
    if wants.age_min is not None or wants.age_max is not None:
        rows.append((Button(text("search.any_age"), "widen", "age"),))
    if not wants.other_languages:
        rows.append((Button(text("search.any_language"), "widen", "language"),))
    return Menu(tuple(rows)) if rows else None


WIDER: dict[str, dict[str, object]] = {
    "gender": {"genders": ()},
    "age": {"age_min": None, "age_max": None},
    "language": {"other_languages": True},
}


def widen(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Drop a wish from now on. The person keeps their place in the queue."""
    me, change = facts.me, WIDER.get(event.token)
    if change is None:
        return Decision(effects=(Answer(event.query),))
    wants: Preferences = msgspec.structs.replace(me.preferences, **change)
    me = refresh_ticket(msgspec.structs.replace(me, preferences=wants), env)
    effects: list[Effect] = [Answer(event.query)]
    if event.message is not None:
        searching = isinstance(me.state, Searching)
        menu = _wider(me, me.state) if isinstance(me.state, Searching) else None
        said = text("search.widened" if searching else "search.widened_later")
        effects.append(Revise(me.person, event.message, said, menu))
    return Decision((me,) if me != facts.me else (), tuple(effects))


feature = Feature(
    "search",
    commands={"search": find, "find": find, "chat": find},
    menu=(MenuCommand("search", "commands.search", 10),),
    words={FIND: find, CANCEL: give_up},
    presses={"widen": widen, SEEK: seek, JOINED: joined},
    messages={Searching: patience, Idle: hint},
    events={SearchDelayed: delayed},
    sponsored=(find, seek, joined),
)
