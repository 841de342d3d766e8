"""Passes a message on to the partner of the chat in which it was written, or to nobody."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from passerby.domain.commands import begins_like_a_command
from passerby.domain.contacts import Trace, find, traces
from passerby.domain.lifecycle import together
from passerby.domain.pictures import SHOWS, blurred, blurs, looks_at, needs_look
from passerby.domain.sanctions import is_bound
from passerby.domain.sanitise import REVEALS_SENDER, bare_entities, refusal, sanitise, warning, without_words
from passerby.features.chat.held import ANYTHING, held_in, hold, place_of, release, said, tells_more
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Menu, Relay, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageEdited, MessageReceived
from passerby.kernel.ids import ChatId, MessageId, MessageRef
from passerby.kernel.participant import Chatting, Held, Participant
from passerby.kernel.rules import ContactPolicy
from passerby.kernel.sanction import SanctionKind
from passerby.kernel.text import text

_NUMBER = re.compile(r"[0-9]{1,18}")

# Looking a member up in its class costs as much as a call of a function, and every relay asks.
_TEXT: Final = Kind.TEXT
_HOLD: Final = ContactPolicy.HOLD
_OFF: Final = ContactPolicy.OFF


def predates(event: MessageReceived, facts: Facts, opened_at: float) -> bool:
    """Whether the message was written before its writer could know about this chat.

    Telegram numbers the messages of a private chat in order. So messages before the notice of the chat were meant for
    an earlier partner or for nobody. Until that notice has arrived, this holds for all messages. Without comparable
    numbers (on another bot, or if the notice was given up: `NOWHERE`), the dates decide. They are whole seconds, and
    within the same second the message goes to nobody.
    """
    anchor = facts.anchor
    if anchor is None:
        return True
    if anchor.bot == event.bot and event.messages[0] > 0:
        return event.messages[0] < anchor.message
    return int(event.sent_at) <= int(opened_at)


def relay(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    state = facts.me.state
    assert isinstance(state, Chatting), "the route for people in a chat"
    me = facts.me.person
    if len(event.contents) > 1 and _unheard(event, facts, state) is None:
        separate = [place for place, each in enumerate(event.contents) if _is_odd(each)]
        if separate:
            return _parted(event, separate, facts, env)
    obstacle = obstacle_to(event, facts, state, env)
    if obstacle is not None:
        return Decision(effects=(Say(me, text(obstacle), reply_to=event.messages[0]),))
    # The items of an album that reveal their sender were parted from it.
    if event.contents[0].kind in REVEALS_SENDER:
        kind = "contact" if event.contents[0].kind == "contact" else "place"
        return Decision(effects=(_ask_first(event, state.chat, kind),))
    trace = trace_between_strangers(event.contents, state, env, event.quote)
    if trace is None:
        passed_on, warnings = _pass_on(event, facts, state, env), _warn(event)
        return Decision((), (passed_on, *warnings) if warnings else (passed_on,))
    if len(event.contents) == 1:
        waits = hold(facts.me, state, Held(place_of(event), event.edited_at, event.reply_to))
        return Decision((waits,), (_ask_first(event, state.chat, trace, said(event.contents[0])),))
    # A confirmation can bring back only one message, so an album goes at once, without its words.
    bare = msgspec.structs.replace(event, contents=tuple(without_words(content) for content in event.contents))
    relayed = msgspec.structs.replace(_pass_on(bare, facts, state, env), copyable=False)
    held = Say(me, text("chat.album_words_held"), reply_to=event.messages[0])
    return Decision(effects=(relayed, held, *_warn(event)))


def _is_odd(content: Content) -> bool:
    """Whether an item of an album cannot be passed on with the others: it is refused, or its sender has to confirm
    it."""
    return refusal(content) is not None or content.kind in REVEALS_SENDER


def _parted(event: MessageReceived, separate: list[int], facts: Facts, env: Env) -> Decision:
    """Split an album: each item that cannot go with it becomes a message of its own, and the others stay an album."""
    others = [place for place in range(len(event.contents)) if place not in separate]
    parts = ([others] if others else []) + [[place] for place in separate]
    decisions = [relay(_only(event, places), facts, env) for places in parts]
    return Decision(effects=tuple(effect for decision in decisions for effect in decision.effects))


def _only(event: MessageReceived, places: list[int]) -> MessageReceived:
    return msgspec.structs.replace(
        event,
        messages=tuple(event.messages[place] for place in places),
        contents=tuple(event.contents[place] for place in places),
    )


def _unheard(event: MessageReceived, facts: Facts, state: Chatting) -> str | None:
    """Why no part of this may reach the partner. None if it may."""
    if not together(facts.me, facts.partner):
        return "chat.not_connected"
    return "chat.before_this_chat" if predates(event, facts, state.opened_at) else None


def obstacle_to(event: MessageReceived, facts: Facts, state: Chatting, env: Env) -> str | None:
    """Why this is never passed on, even if its sender confirms it. None if it may be passed on."""
    unheard = _unheard(event, facts, state)
    if unheard is not None:
        return unheard
    for content in event.contents:
        if (refused := refusal(content)) is not None:
            return refused
    if facts.me.sanctions and (withheld := withheld_by(facts.me, event.contents, env, event.quote)) is not None:
        return withheld
    if env.rules.contact_policy is _HOLD and trace_between_strangers(event.contents, state, env, event.quote):
        return "chat.held"
    return None


def withheld_by(me: Participant, contents: Iterable[Content], env: Env, quote: str | None = None) -> str | None:
    """The text key of the sanction that keeps these contents from the partner. None if there is none."""
    contents = tuple(contents)
    if is_bound(me, SanctionKind.MEDIA_OFF, env.now) and any(each.kind is not Kind.TEXT for each in contents):
        return "chat.media_off"
    if is_bound(me, SanctionKind.LINKS_OFF, env.now):
        quoted = find(quote) if quote else None
        if quoted is not None or any(traces(each) is not None for each in contents):
            return "chat.links_off"
    return None


def _warn(event: MessageReceived) -> tuple[Say, ...]:
    """Warn the sender of a file that may contain more than it shows. An album gets one warning."""
    for content in event.contents:
        if content.kind is not _TEXT and (key := warning(content)) is not None:
            return (Say(event.person, text(key), reply_to=event.messages[0]),)
    return ()


def trace_between_strangers(
    contents: Iterable[Content], state: Chatting, env: Env, quote: str | None = None
) -> Trace | None:
    """The trace in the words of a message, if the two have only just met and the rules look for traces."""
    if env.rules.contact_policy is _OFF or env.now - state.opened_at >= env.rules.just_met_s:
        return None
    for content in contents:
        if (found := traces(content)) is not None:
            return found
    return find(quote) if quote else None


def _pass_on(event: MessageReceived, facts: Facts, state: Chatting, env: Env) -> Relay:
    contents: list[Content] = []
    copyable, blurs_it, look = True, None, False
    for content in event.contents:
        clean = sanitise(content)
        if content.kind in SHOWS:
            if blurs_it is None:
                blurs_it = blurs(facts.partner, state, event.sent_at, env)
            if blurs_it:
                clean = blurred(clean)
            elif looks_at(facts.partner, env):
                if needs_look(clean):
                    look = True
                else:
                    clean = blurred(clean)
        contents.append(clean.content)
        copyable = copyable and clean.intact
    return Relay(
        chat=state.chat,
        sender=facts.me.person,
        source_bot=event.bot,
        sources=event.messages,
        to=state.partner,
        contents=tuple(contents),
        copyable=copyable,
        reply_to=MessageRef(event.bot, event.reply_to) if event.reply_to is not None else None,
        quote=event.quote,
        quote_position=event.quote_position,
        quote_entities=bare_entities(event.quote_entities) if event.quote_entities else (),
        look=look,
    )


def _ask_first(event: MessageReceived, chat: ChatId, what: str, asked: str = "") -> Say:
    return Say(event.person, text(f"chat.confirm_{what}"), choice(event, chat, asked), reply_to=event.messages[0])


def choice(event: MessageReceived, chat: ChatId, asked: str = "", send: str = "chat.show_it") -> Menu:
    """The buttons "Send" and "Don't send" for a held message.

    `asked` are the kinds of traces that a yes covers. `send` is the label of the first button.
    """
    # The button says what the message replies to, because in a press Telegram leaves out the reply of a reply.
    token = chat + (f".{event.reply_to}" if event.reply_to is not None else "") + (f"~{asked}" if asked else "")
    return Menu(((Button(text(send), "show", token), Button(text("chat.keep_it"), "hide", token)),))


def confirm(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The sender confirms that they want to show a contact, a place or an address.

    The button is about one chat, and does nothing in another. The message that it brings back is checked again, because
    a forged press could name any message.
    """
    state, subject = facts.me.state, event.subject
    about, _, asked = event.token.partition("~")
    chat, _, reply_to = about.partition(".")
    if not isinstance(state, Chatting) or state.chat != chat or subject is None:
        obstacle: str | None = "chat.button_too_old"
    elif _is_passed_on(subject, facts, state):
        return Decision(effects=(Answer(event.query), *_close(event, facts, "chat.shown")))
    else:
        obstacle = obstacle_to(subject, facts, state, env)
        if obstacle is None:
            if _NUMBER.fullmatch(reply_to):
                subject = msgspec.structs.replace(subject, reply_to=MessageId(int(reply_to)))
            return _ask_again(event, subject, facts, state, asked, env) or Decision(
                release(facts.me, state, place_of(subject)),
                (
                    Answer(event.query),
                    *_close(event, facts, "chat.shown"),
                    _pass_on(subject, facts, state, env),
                    *_warn(subject),
                ),
            )
    assert obstacle is not None
    return Decision(effects=(Answer(event.query, text(obstacle), alert=True), *_close(event, facts)))


def for_partner(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The button "For my partner" under words that might have been a comment on a report (see `safety.words`).

    They are checked like a new message, and no comment is expected any more.
    """
    state, subject = facts.me.state, event.subject
    chat, _, reply_to = event.token.partition(".")
    if not isinstance(state, Chatting) or state.chat != chat or subject is None:
        obstacle = Answer(event.query, text("chat.button_too_old"), alert=True)
        return Decision(effects=(obstacle, *_close(event, facts)))
    if _is_passed_on(subject, facts, state):
        return Decision(effects=(Answer(event.query), *_close(event, facts, "chat.shown")))
    me, asked = facts.me, facts.me.commenting
    if asked is not None and not asked.over:
        me = msgspec.structs.replace(me, commenting=msgspec.structs.replace(asked, over=True))
    if _NUMBER.fullmatch(reply_to):
        subject = msgspec.structs.replace(subject, reply_to=MessageId(int(reply_to)))
    decision = relay(subject, msgspec.structs.replace(facts, me=me), env)
    went = any(isinstance(effect, Relay) for effect in decision.effects)
    closed = _close(event, facts, "chat.shown" if went else "chat.not_shown")
    changes = decision.changes or ((me,) if me is not facts.me else ())
    return Decision(changes, (Answer(event.query), *closed, *decision.effects))


def _ask_again(
    event: ButtonPressed, subject: MessageReceived, facts: Facts, state: Chatting, asked: str, env: Env
) -> Decision | None:
    """Ask again if the message tells more than its sender was asked about; None if it does not."""
    held = held_in(state, place_of(subject))
    if held is None:
        return None
    if subject.edited_at < held.edited_at:
        # Telegram sent an older text than the sender sees. A press on a new question will bring the newest text, so
        # that question covers anything it may tell.
        again = _ask_first(subject, state.chat, "edited", ANYTHING)
    else:
        trace, tells = trace_between_strangers(subject.contents, state, env), said(subject.contents[0])
        if trace is None or not tells_more(tells, asked):
            return None
        again = _ask_first(subject, state.chat, trace, tells)
    return Decision(effects=(Answer(event.query), *_close(event, facts), again))


def edited_while_held(event: MessageEdited, facts: Facts, state: Chatting, held: Held, env: Env) -> Decision | None:
    """A held message was edited. It stays held, or is passed on if nothing needs confirmation any more.

    None if an earlier edit has already let it through. That edit itself may come twice.
    """
    content, at = event.content, event.edited_at
    if held.goes and at > held.edited_at:
        return None
    withheld = facts.me.sanctions and withheld_by(facts.me, (content,), env) is not None
    if withheld or refusal(content) is not None or traces(content) is not None or begins_like_a_command(content.text):
        return Decision((hold(facts.me, state, msgspec.structs.replace(held, edited_at=at)),))
    waits = hold(facts.me, state, msgspec.structs.replace(held, edited_at=at, goes=True))
    as_sent = MessageReceived(
        event.person, event.bot, (event.message,), (content,), event.sent_at or at, reply_to=held.reply_to
    )
    return Decision((waits,), (_pass_on(as_sent, facts, state, env), *_warn(as_sent)))


def decline(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    state, subject = facts.me.state, event.subject
    if not isinstance(state, Chatting) or subject is None:
        return Decision(effects=(Answer(event.query), *_close(event, facts)))
    if _is_passed_on(subject, facts, state):
        return Decision(effects=(Answer(event.query), *_close(event, facts, "chat.shown")))
    return Decision(release(facts.me, state, place_of(subject)), (Answer(event.query), *_close(event, facts)))


def _is_passed_on(subject: MessageReceived, facts: Facts, state: Chatting) -> bool:
    """Whether the held message has arrived or is on its way: the button was pressed before, or an edit let it
    through."""
    held = held_in(state, place_of(subject))
    return facts.counterpart is not None or (held is not None and held.goes)


def _close(event: ButtonPressed, facts: Facts, key: str = "chat.not_shown") -> tuple[Revise, ...]:
    """Remove the buttons, so that a question is answered only once."""
    return (Revise(facts.me.person, event.message, text(key)),) if event.message is not None else ()
