"""Decides about a message after it was sent: its writer edits it or takes it back, or somebody reacts.

Each of these follows the message to the partner. The partner's copy is looked up at the time of sending, so an edit of
a message that is still on its way waits for it.
"""

from passerby.domain.lifecycle import together
from passerby.domain.pictures import SHOWS, blurred, blurs, looks_at
from passerby.domain.sanitise import refusal, sanitise
from passerby.features.chat.held import held_in
from passerby.features.chat.relay import edited_while_held, trace_between_strangers, withheld_by
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import React, RelayDelete, RelayEdit, Say
from passerby.kernel.event import MessageEdited, MessageReceived, ReactionChanged
from passerby.kernel.ids import MessageRef
from passerby.kernel.participant import Chatting
from passerby.kernel.text import text


def edited(event: MessageEdited, facts: Facts, env: Env) -> Decision:
    """Apply an edit to the partner's copy. If the message does not belong to this chat, there is no copy, and nothing
    changes."""
    state = facts.me.state
    if not isinstance(state, Chatting) or not together(facts.me, facts.partner):
        return NOTHING
    held = held_in(state, MessageRef(event.bot, event.message))
    if held is not None and facts.counterpart is None:
        decision = edited_while_held(event, facts, state, held, env)
        if decision is not None:
            return decision
    if refusal(event.content) is not None:
        known = facts.counterpart is not None and facts.counterpart.mine
        failed = Say(facts.me.person, text("chat.edit_failed"), reply_to=event.message)
        return Decision(effects=(failed,) if known else ())
    withheld = facts.me.sanctions and withheld_by(facts.me, (event.content,), env) is not None
    if withheld or trace_between_strangers((event.content,), state, env) is not None:
        kept = Say(facts.me.person, text("chat.edit_held"), reply_to=event.message)
        return Decision(effects=(kept,) if facts.counterpart is not None else ())
    source = MessageRef(event.bot, event.message)
    clean = sanitise(event.content)
    if event.content.kind in SHOWS and (
        blurs(facts.partner, state, event.sent_at, env) or looks_at(facts.partner, env)
    ):
        clean = blurred(clean)  # nobody looks at a picture that an edit brings
    return Decision(effects=(RelayEdit(state.chat, facts.me.person, source, state.partner, clean.content),))


def reacted(event: ReactionChanged, facts: Facts, env: Env) -> Decision:
    state = facts.me.state
    if not isinstance(state, Chatting) or not together(facts.me, facts.partner):
        return NOTHING
    if event.emoji is not None and any(map(str.isalnum, event.emoji)):
        return NOTHING  # words instead of an emoji
    source = MessageRef(event.bot, event.message)
    return Decision(effects=(React(state.chat, facts.me.person, source, state.partner, event.emoji),))


def take_back(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/delete`, as a reply: delete one's own message on both sides, and the command with it."""
    me, state = facts.me, facts.me.state
    if not isinstance(state, Chatting):
        return Decision(effects=(Say(me.person, text("chat.delete_outside")),))
    if event.reply_to is None:
        return Decision(effects=(Say(me.person, text("chat.delete_how")),))
    if facts.counterpart is not None and not facts.counterpart.mine:
        return Decision(effects=(Say(me.person, text("chat.delete_not_yours")),))
    # A message without a copy may still be on its way. The deletion follows it, and comes back if there is no copy then
    # either.
    source, tidy = MessageRef(event.bot, event.reply_to), (event.reply_to, *event.messages)
    return Decision(effects=(RelayDelete(state.chat, me.person, source, state.partner, tidy),))
