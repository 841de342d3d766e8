"""Turns a relay effect into an outgoing call. The partner's copy of the message is looked up at the last moment.

Relay effects of one chat leave in order. So when an edit, a reaction or a reply is first in its queue, its message has
been delivered and is in the map. If it is not in the map, it never will be, and there is nothing to do.

Most relay effects are one send. This module decides if one needs several (see `steps`): before the send, or after
Telegram has refused it as a whole.
"""

from typing import Final, assert_never

from passerby.domain.fingerprint import Prints
from passerby.domain.pieces import SURE, Limits, fits
from passerby.kernel.content import Kind
from passerby.kernel.effect import React, Relay, RelayDelete, RelayEdit, RelayEffect
from passerby.kernel.event import Attempt, Refusal
from passerby.kernel.ids import BotId, MessageId, MessageRef, message_ref
from passerby.ports.live_store import LiveStore
from passerby.ports.message_map import Copied
from passerby.ports.telegram import DeleteMessages, EditContent, OutgoingCall, SendContent, SetReaction
from passerby.runtime.delivery.steps import FOR_ALL, EditSteps, RelaySteps

_TEXT: Final = Kind.TEXT  # to look it up in its class costs as much as a call


def address_at_hand(relay_effect: RelayEffect, bot: BotId) -> SendContent | None:
    """Return the outgoing call if no copy has to be looked up for it, and it is one send; None otherwise."""
    if type(relay_effect) is not Relay or relay_effect.reply_to is not None or len(relay_effect.contents) > 1:
        return None
    content = relay_effect.contents[0]
    if (content.kind is not _TEXT or len(content.text) > SURE) and not fits(content):
        return None
    return SendContent(
        bot,
        relay_effect.to,
        relay_effect.source_bot,
        relay_effect.sender,
        relay_effect.sources,
        relay_effect.contents,
        relay_effect.copyable,
        thread=relay_effect.thread,
    )


async def address(
    relay_effect: RelayEffect, bot: BotId, store: LiveStore, prints: Prints
) -> OutgoingCall | RelaySteps | EditSteps | Refusal | None:
    """Return the outgoing call for a relay effect that leaves through `bot`; None if there is nothing to do.

    If a message cannot be deleted because its copy is not known (any more), returns EXPIRED.
    """
    match relay_effect:
        case Relay():
            whole = await _content_call(relay_effect, bot, store)
            if len(relay_effect.contents) == 1 and fits(relay_effect.contents[0]):
                return whole
            steps = await _steps(relay_effect, whole, store, prints)
            return whole if steps.alone else steps
        case RelayEdit(chat=chat, source=source, content=content):
            copy = await store.counterpart(chat, source)
            if copy is None or not copy.mine or prints.fits(copy.print, content, chat):
                return None
            if copy.rest or not fits(content):
                return EditSteps(relay_effect, copy, prints)
            words_only = prints.fits_body(copy.print, content, chat)
            at = copy.at
            return EditContent(
                at.bot, relay_effect.to, at.message, source.bot, relay_effect.sender, content, words_only
            )
        case React(chat=chat, source=source):
            found = await store.counterpart(chat, source)
            return SetReaction(found.at.bot, relay_effect.to, found.at.message, relay_effect.emoji) if found else None
        case RelayDelete(chat=chat, source=source):
            found = await store.counterpart(chat, source)
            if found is None or not found.mine:
                return Refusal.EXPIRED
            return DeleteMessages(found.at.bot, relay_effect.to, (found.at.message, *found.rest))
        case _:
            assert_never(relay_effect)


async def in_parts(
    relay_effect: RelayEffect, bot: BotId, refusal: Refusal, store: LiveStore, prints: Prints
) -> RelaySteps | EditSteps | None:
    """Return the steps for a relay effect that was refused as one send; None if no part of it could be sent either."""
    if refusal in FOR_ALL:
        return None
    match relay_effect:
        case Relay(contents=contents) if len(contents) > 1 or refusal is Refusal.TOO_LONG:
            steps = await _steps(relay_effect, await _content_call(relay_effect, bot, store), store, prints)
            steps.refused(refusal)
            return steps
        case RelayEdit(chat=chat, source=source) if refusal is Refusal.TOO_LONG:
            copy = await store.counterpart(chat, source)
            return EditSteps(relay_effect, copy, prints, Limits(caption=0)) if copy is not None and copy.mine else None
        case _:
            return None


async def _steps(relay: Relay, whole: SendContent, store: LiveStore, prints: Prints) -> RelaySteps:
    """Return the steps. Some messages may have arrived before a process died or a lease was lost."""
    arrived = {}
    for place, source in enumerate(relay.sources):
        found = await store.counterpart(relay.chat, MessageRef(relay.source_bot, source))
        if found is not None and found.mine and found.at.bot == whole.bot:
            arrived[place] = found
    return RelaySteps(relay, whole, arrived, prints)


async def _content_call(relay: Relay, bot: BotId, store: LiveStore) -> SendContent:
    """Return the send. A reply is left out if its message is on another bot or no longer known."""
    answered = await store.counterpart(relay.chat, relay.reply_to) if relay.reply_to is not None else None
    if answered is None or answered.at.bot != bot:
        return _sent_by(bot, relay)
    return _sent_by(bot, relay, answered.at.message)


def _sent_by(bot: BotId, relay: Relay, reply_to: MessageId | None = None) -> SendContent:
    return SendContent(
        bot,
        relay.to,
        relay.source_bot,
        relay.sender,
        relay.sources,
        relay.contents,
        relay.copyable,
        reply_to,
        relay.quote if reply_to is not None else None,
        relay.quote_position,
        relay.quote_entities,
        relay.thread,
    )


def copies(
    relay_effect: RelayEffect, bot: BotId, messages: tuple[MessageId, ...], prints: Prints
) -> tuple[Copied, ...]:
    """Return what the message map stores for a relay effect that arrived as `messages`."""
    if type(relay_effect) is Relay and len(messages) == 1:
        source = message_ref((relay_effect.source_bot, relay_effect.sources[0]))
        printed = prints.of(relay_effect.contents[0], relay_effect.chat)
        return (Copied(source, message_ref((bot, messages[0])), printed),)
    match relay_effect:
        case Relay(chat=chat, source_bot=source_bot, sources=sources, contents=contents):
            return tuple(
                [
                    Copied(MessageRef(source_bot, source), MessageRef(bot, copy), prints.of(content, chat))
                    for source, copy, content in zip(sources, messages, contents, strict=False)
                ]
            )
        case RelayEdit(chat=chat, source=source, content=content) if messages:
            return (Copied(source, MessageRef(bot, messages[0]), prints.of(content, chat)),)
        case _:
            return ()


ATTEMPTS: dict[type[RelayEffect], Attempt] = {
    Relay: Attempt.RELAY,
    RelayEdit: Attempt.EDIT,
    React: Attempt.REACT,
    RelayDelete: Attempt.DELETE,
}


def subject(relay_effect: RelayEffect) -> MessageRef:
    """Return the sender's message that a relay effect is about, as the sender's bot sees it."""
    return (
        MessageRef(relay_effect.source_bot, relay_effect.sources[0])
        if isinstance(relay_effect, Relay)
        else relay_effect.source
    )
