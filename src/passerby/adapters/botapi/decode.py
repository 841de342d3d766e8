"""Turns Telegram's updates into the kernel's events.

Only updates of people in private chats are used. Updates by a bot, from other chats, or of a kind that no feature
handles become `Unusable`. A message that cannot be read is treated as one of an unknown kind: its sender is told. Only
a message's content is kept: sender, forward origin, via-bot and external reply are never read (`wire`), contacts lose
their user id, and `text_mention` entities their target.
"""

import msgspec

from passerby.adapters.botapi import copies, money_events, wire
from passerby.adapters.botapi.contents import content
from passerby.adapters.botapi.updates_answer import AnyUpdate, read_updates
from passerby.kernel.content import Content, Kind
from passerby.kernel.event import (
    BotBlocked,
    BotUnblocked,
    ButtonPressed,
    ChannelJoined,
    ChannelLeft,
    Event,
    MessageEdited,
    MessageReceived,
    Original,
    ReactionChanged,
    Unusable,
)
from passerby.kernel.ids import BotId, MessageId, PersonId, update_ref
from passerby.ports.telegram import Arrival

_QUOTED = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler", "custom_emoji", "date_time"})
"""Formatting that a quote must repeat, so that Telegram finds it in the quoted message (source: Bot API 10.3,
ReplyParameters)."""


def arrivals(body: bytes, bot: BotId) -> list[Arrival]:
    """Decode a getUpdates answer: one arrival for each update, in order.

    Raises: ValueError if the body is not such an answer.
    """
    found = [Arrival(update_ref((bot, update.update_id)), event(update, bot)) for update in read_updates(body)]
    if b'"rich_message"' in body and any(_may_be_copied(_message_in(arrival.event)) for arrival in found):
        known = copies.known(body)
        found = [arrival if arrival.ref.update in known else _never_copied(arrival) for arrival in found]
    return found


def _message_in(event: Event) -> MessageReceived | None:
    match event:
        case MessageReceived():
            return event
        case ButtonPressed():
            return event.subject
        case _:
            return None


def _may_be_copied(message: MessageReceived | None) -> bool:
    """Whether the message could only be passed on as a copy."""
    if message is None or message.contents[0].kind is not Kind.RICH:
        return False
    detail = message.contents[0].detail or {}
    return detail.get("rebuilt") is None and detail.get("copyable") is True


def _never_copied(arrival: Arrival) -> Arrival:
    """The same arrival, but not copyable: a copy would show members that were not read."""
    message = _message_in(arrival.event)
    if message is None or not _may_be_copied(message):
        return arrival
    bare = msgspec.structs.replace(message.contents[0], detail={"rebuilt": None, "copyable": False})
    message = msgspec.structs.replace(message, contents=(bare,))
    event = arrival.event
    event = msgspec.structs.replace(event, subject=message) if isinstance(event, ButtonPressed) else message
    return msgspec.structs.replace(arrival, event=event)


def event(update: AnyUpdate | wire.Unreadable, bot: BotId) -> Event:
    """Return the event that an update means."""
    if not isinstance(update, wire.Update):
        return _unreadable(update, bot)
    if update.message is not None:
        return _received(update.message, bot)
    if update.callback_query is not None:
        return _pressed(update.callback_query, bot)
    if update.edited_message is not None:
        return _edited(update.edited_message, bot)
    if update.message_reaction is not None:
        return _reacted(update.message_reaction, bot)
    if update.my_chat_member is not None:
        return _member_changed(update.my_chat_member, bot)
    if update.chat_member is not None:
        return _channel_member(update.chat_member, bot)
    if update.pre_checkout_query is not None:
        return money_events.checkout(update.pre_checkout_query, bot)
    if update.subscription is not None:
        return money_events.updated(update.subscription, bot)
    return Unusable(PersonId(0), bot)


def _is_by_bot(user: wire.User | None, bot: BotId) -> bool:
    """Whether a bot sent it. We do not answer bots: two bots that answer each other would never stop."""
    return user is not None and (user.is_bot or user.id == bot)


def _unreadable(update: wire.Unreadable, bot: BotId) -> Event:
    """Return the event for an unreadable update. If it was a message, its sender learns that it was not passed on."""
    person = PersonId(update.person)
    if update.by_bot or update.person == bot:
        return Unusable(person, bot, "by_bot")
    if not person or update.what == "":
        return Unusable(person, bot, "unreadable")
    if update.what == "edit":
        return MessageEdited(person, bot, MessageId(update.message), Content(Kind.UNKNOWN), float(update.date))
    return MessageReceived(person, bot, (MessageId(update.message),), (Content(Kind.UNKNOWN),), float(update.date))


def _received(message: wire.UsualMessage, bot: BotId) -> Event:
    sender, is_private = message.from_, message.chat.type == "private"
    if is_private and (message.successful_payment is not None or message.refunded_payment is not None):
        money = money_events.in_message(message, bot)
        if money is not None:
            return money
    if not is_private or sender is None or sender.is_bot or sender.id == bot:
        unused = _unused(message, bot)
        if unused is not None:
            return unused
    # Id 0 stands for messages that cannot be addressed (ephemeral ones): we can neither reply to them nor copy them.
    held = content(message) if message.message_id > 0 else Content(Kind.UNKNOWN)
    if held.kind is Kind.SERVICE and any(getattr(message, name) for name in wire.TOPIC_FIELDS):
        return Unusable(PersonId(message.chat.id), bot, "topic")
    quote, raw = message.quote, message.reply_to_message
    if not raw and quote is None:  # most messages; the others set more fields
        return MessageReceived(
            PersonId(message.chat.id),
            bot,
            (MessageId(message.message_id),),
            (held,),
            float(message.date),
            language=sender.language_code if sender else "",
            edited_at=float(message.edit_date or 0),
            thread=_thread(message) if message.is_topic_message else None,
        )
    replied = _replied_to(raw) if raw else None
    return MessageReceived(
        person=PersonId(message.chat.id),
        bot=bot,
        messages=(MessageId(message.message_id),),
        contents=(held,),
        sent_at=float(message.date),
        reply_to=MessageId(replied.message_id) if replied else None,
        quote=quote.text if quote else None,
        quote_position=quote.position if quote else 0,
        quote_entities=tuple(e for e in quote.entities if e.type in _QUOTED) if quote else (),
        language=sender.language_code if sender else "",
        edited_at=float(message.edit_date or 0),
        thread=_thread(message) if message.is_topic_message else None,
        answers=_question(replied) if replied is not None else "",
        original=_original(replied, raw, bot) if replied is not None else None,
    )


_replies = msgspec.json.Decoder(wire.RepliedTo)
_messages = msgspec.json.Decoder(wire.Message)


def _replied_to(raw: msgspec.Raw) -> wire.RepliedTo | None:
    try:
        return _replies.decode(raw)
    except (ValueError, RecursionError):
        return None


def _original(replied: wire.RepliedTo, raw: msgspec.Raw, bot: BotId) -> Original | None:
    """Return the replied-to message, unread, if the bot sent it and it asks for no press."""
    if replied.from_ is None or replied.from_.id != bot or replied.reply_markup is not None:
        return None
    return Original(MessageId(replied.message_id), raw=bytes(raw))


def content_of(original: Original) -> Content | None:
    """Return what somebody chose as evidence. None if it cannot be read."""
    if original.content is not None:
        return original.content
    try:
        return content(_messages.decode(original.raw))
    except (ValueError, RecursionError):
        return None


def _question(replied: wire.RepliedTo | None) -> str:
    """Return the action of the first button under the replied-to message; empty if there is none."""
    markup = replied.reply_markup if replied is not None else None
    first = next((button for row in markup.inline_keyboard for button in row), None) if markup is not None else None
    return (first.callback_data or "").partition(":")[0] if first is not None else ""


def _unused(message: wire.UsualMessage, bot: BotId) -> Unusable | None:
    """Return why a message is not used; None if it is used."""
    sender = message.from_
    person = PersonId(sender.id if sender else 0)
    if message.chat.type != "private":
        return Unusable(person, bot, "not_private")
    if _is_by_bot(sender, bot):
        return Unusable(person, bot, "by_bot")
    return None


def _thread(message: wire.UsualMessage | wire.PressedMessage) -> MessageId | None:
    """Return the topic that a message is in; None for the general one."""
    return MessageId(message.message_thread_id) if message.is_topic_message and message.message_thread_id else None


def _edited(message: wire.UsualMessage, bot: BotId) -> Event:
    unused = _unused(message, bot)
    if unused is not None or message.message_id <= 0:
        return unused or Unusable(PersonId(message.chat.id), bot, "unreadable")
    return MessageEdited(
        person=PersonId(message.chat.id),
        bot=bot,
        message=MessageId(message.message_id),
        content=content(message),
        edited_at=float(message.edit_date or message.date),
        sent_at=float(message.date),
    )


def _pressed(query: wire.CallbackQuery, bot: BotId) -> Event:
    person = PersonId(query.from_.id)
    message = query.message
    if _is_by_bot(query.from_, bot):
        return Unusable(person, bot, "by_bot")
    if message is not None and message.chat.type != "private":
        return Unusable(person, bot, "not_private")
    if query.data is None:
        return Unusable(person, bot)
    action, _, token = query.data.partition(":")
    return ButtonPressed(
        person=person,
        bot=bot,
        query=query.id,
        message=MessageId(message.message_id) if message and message.message_id > 0 else None,
        action=action,
        token=token,
        language=query.from_.language_code,
        subject=_subject(message, bot, query.from_.id),
        thread=_thread(message) if message is not None else None,
        original=_shown(message, bot),
    )


def _shown(pressed: wire.PressedMessage | None, bot: BotId) -> Original | None:
    """Return the bot's own message that the pressed notice replies to."""
    message = pressed.reply_to_message if pressed is not None else None
    if message is None or message.from_ is None or message.from_.id != bot:
        return None
    return Original(MessageId(message.message_id), content(message))


def _subject(pressed: wire.PressedMessage | None, bot: BotId, presser: int) -> MessageReceived | None:
    """Return the presser's own message that the pressed notice replies to."""
    message = pressed.reply_to_message if pressed is not None else None
    if message is None or message.from_ is None or not presser == message.from_.id == message.chat.id:
        return None
    subject = _received(message, bot)
    return subject if isinstance(subject, MessageReceived) else None


def _reacted(reaction: wire.MessageReaction, bot: BotId) -> Event:
    if reaction.chat.type != "private" or reaction.user is None:
        return Unusable(PersonId(reaction.user.id if reaction.user else 0), bot, "not_private")
    if _is_by_bot(reaction.user, bot):
        return Unusable(PersonId(reaction.user.id), bot, "by_bot")
    emoji = next((r.emoji for r in reaction.new_reaction if r.type == "emoji" and r.emoji), None)
    return ReactionChanged(
        person=PersonId(reaction.chat.id), bot=bot, message=MessageId(reaction.message_id), emoji=emoji
    )


def _member_changed(change: wire.ChatMemberUpdated, bot: BotId) -> Event:
    person = PersonId(change.from_.id)
    if _is_by_bot(change.from_, bot):
        return Unusable(person, bot, "by_bot")
    if change.chat.type == "private":
        match change.new_chat_member.status:
            case "kicked":
                return BotBlocked(person, bot)
            case "member":
                return BotUnblocked(person, bot)
    return Unusable(person, bot, "not_private")


def _channel_member(change: wire.ChatMemberUpdated, bot: BotId) -> Event:
    """A person joined a channel or left it. Somebody else may have changed that."""
    member, channel = change.new_chat_member, change.chat
    if member.user is None or _is_by_bot(member.user, bot):
        return Unusable(PersonId(change.from_.id), bot, "by_bot")
    person, what = PersonId(member.user.id), ChannelJoined if member.is_in else ChannelLeft
    return what(person, bot, channel.id, channel.username)
