"""What happened, in the past tense. Telegram's updates and our own outcomes are decoded into these and nothing else.

An event names the person whose queue it belongs to; `bot` is the bot it came through. Times are Unix seconds, UTC.
"""

from enum import StrEnum

import msgspec

from passerby.kernel.content import Content, Entity
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId


class MessageReceived(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person wrote to a bot. `contents` has several items for an album, then `messages` runs parallel to it.

    `edited_at` is set if the message comes with a button press and was edited before.
    `thread` is the topic of their chat with the bot that it is in; None: the general one.
    `answers`: if it replies to a notice of ours with buttons, the action of the first one; else empty.
    """

    person: PersonId
    bot: BotId
    messages: tuple[MessageId, ...]
    contents: tuple[Content, ...]
    sent_at: float
    reply_to: MessageId | None = None
    quote: str | None = None
    quote_position: int = 0
    quote_entities: tuple[Entity, ...] = ()
    language: str = ""
    edited_at: float = 0.0
    thread: MessageId | None = None
    answers: str = ""

    @property
    def text(self) -> str:
        """The text of a text message, else the empty string: captions are never commands."""
        first = self.contents[0]
        return first.text if first.kind == "text" else ""


class MessageEdited(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person edited a message, or Telegram says so: the content may be unchanged."""

    person: PersonId
    bot: BotId
    message: MessageId
    content: Content
    edited_at: float


class ButtonPressed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An inline button of ours was pressed. `action` and `token` are the two halves of its data.

    `message` is the notice that carries the button, `subject` the message that the notice replies to, if it does.
    """

    person: PersonId
    bot: BotId
    query: str
    message: MessageId | None
    action: str
    token: str
    language: str = ""
    subject: MessageReceived | None = None
    thread: MessageId | None = None


class ReactionChanged(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person set or removed their reaction; `emoji` None when removed or when it is one we cannot set."""

    person: PersonId
    bot: BotId
    message: MessageId
    emoji: str | None


class BotBlocked(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person blocked the bot (`my_chat_member`), or a send was refused in a way that says so.

    `refused_at` is when the send that was refused began; None when Telegram itself tells of the block.
    """

    person: PersonId
    bot: BotId
    refused_at: float | None = None


class BotLost(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A send failed because Telegram refuses the bot's token: nobody can be reached through it any more."""

    person: PersonId
    bot: BotId


class BotUnblocked(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person started the bot anew (`my_chat_member`)."""

    person: PersonId
    bot: BotId


class Refusal(StrEnum):
    """Why a message could not be delivered to a chat."""

    UNREACHABLE = "unreachable"
    """Blocked, deactivated, never started: this bot cannot write to this person."""
    KIND_REFUSED = "kind_refused"
    """The recipient's privacy settings refuse this kind (voice messages, say)."""
    CANNOT_COPY = "cannot_copy"
    """The source is gone or Telegram does not let it be passed on."""
    TOO_LARGE = "too_large"
    """The file."""
    TOO_LONG = "too_long"
    """The words are too long, even in pieces."""
    UNCERTAIN = "uncertain"
    """Every try ended without an answer: it may or may not have arrived."""
    EXPIRED = "expired"
    """It waited longer than a relay may wait."""
    BOT_LOST = "bot_lost"
    """The bot it should leave through has been revoked."""
    LEFT = "left"
    """The chat ended while it was waiting its turn."""
    BROKEN = "broken"
    """A bug of ours: Telegram rejected the request, or no try got as far as one."""
    FATAL = "fatal"
    """The message ended the process that worked on it, more than once."""


class Attempt(StrEnum):
    """What was to be delivered."""

    RELAY = "relay"
    EDIT = "edit"
    REACT = "react"
    DELETE = "delete"


class DeliveryFailed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Something for the partner did not arrive, and will not. The event's person is the sender; `recipient` may be
    gone.

    `count`: how many messages did not arrive; `message` is the first of them.
    """

    person: PersonId
    bot: BotId
    message: MessageId
    chat: ChatId
    recipient: PersonId
    recipient_bot: BotId
    refusal: Refusal
    attempt: Attempt = Attempt.RELAY
    count: int = 1


class ChatIdle(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Nothing has been delivered in a person's chat since `since`. `speaker` had the last word; None: nobody spoke."""

    person: PersonId
    bot: BotId
    chat: ChatId
    since: float
    speaker: PersonId | None


class SearchDelayed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person has been waiting since `since`, and it is time to tell them how things stand.

    `fitting` is how many of those who wait or came by lately suit them; `expected_s` is how long it took others with
    such wishes, None while nobody knows.
    """

    person: PersonId
    bot: BotId
    since: float
    fitting: int
    expected_s: float | None


class Overrun(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person sent more than they may have in hand, and some of it was refused unread.

    `spell` names the time from the first refusal until they may write again; `count` is how many events were refused in
    it so far. `begins`: this is the first refusal. `message` is the refused message, if it was one; `query` is a
    pressed button.
    """

    person: PersonId
    bot: BotId
    spell: str
    count: int
    begins: bool = False
    message: MessageId | None = None
    query: str = ""
    language: str = ""


class Unusable(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An update that needs no reaction: it is only marked as done. `why` is one of WHY_UNUSED."""

    person: PersonId
    bot: BotId
    why: str = "not_asked_for"


WHY_UNUSED = ("not_asked_for", "by_bot", "not_private", "topic", "unreadable")


Event = (
    MessageReceived
    | MessageEdited
    | ButtonPressed
    | ReactionChanged
    | BotBlocked
    | BotLost
    | BotUnblocked
    | DeliveryFailed
    | ChatIdle
    | SearchDelayed
    | Overrun
    | Unusable
)
