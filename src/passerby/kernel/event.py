"""Events, named in the past tense. Telegram's updates and our own outcomes become these events and nothing else.

An event names the person whose queue it belongs to. `bot` is the bot it came through. Times are in Unix seconds, UTC.
"""

from enum import StrEnum

import msgspec

from passerby.kernel.content import Content, Entity
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId
from passerby.kernel.money_event import (
    CheckoutAnswered,
    CheckoutAsked,
    GrantTakenBack,
    PaymentAnswered,
    PaymentRefunded,
    PaymentSettled,
    ReferralGiven,
    RefundOrdered,
    RefundRefused,
    SellerClosing,
    StarCallConfirmed,
    SubscriptionUpdated,
    VipEnding,
)
from passerby.kernel.staff_event import (
    AppealRefused,
    DataOrdered,
    FarmSuspected,
    LiftOrdered,
    ReportDecided,
    SanctionOrdered,
    SanctionOverturned,
)


class Original(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A message of our bot's that a person replied to, as Telegram brought it.

    It has `raw` until somebody reads it, and that happens only if the person chose it as evidence.
    """

    message: MessageId
    content: Content | None = None
    raw: bytes = b""


class MessageReceived(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person wrote to a bot. An album has several `contents`, and `messages` runs parallel to them.

    - `edited_at` is set if the message comes with a button press and was edited before.
    - `thread` is the topic in their chat with the bot. None is the general topic.
    - `answers`: if it replies to one of our notices with buttons, the action of the first button; otherwise empty.
    - `original`: the message that it replies to, if that is one of our bot's without buttons.
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
    original: Original | None = None

    @property
    def text(self) -> str:
        """The text of a text message, otherwise an empty string. Captions are never commands."""
        first = self.contents[0]
        return first.text if first.kind == "text" else ""


class MessageEdited(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person edited a message, or Telegram says so. The content may be unchanged.

    `sent_at` is when the message itself was sent. 0 means that it is not known.
    """

    person: PersonId
    bot: BotId
    message: MessageId
    content: Content
    edited_at: float
    sent_at: float = 0.0


class ButtonPressed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """One of our inline buttons was pressed. `action` and `token` are the two halves of its data.

    `message` is the notice with the button. `subject` is the message that the notice replies to, if that is the
    person's own; `original`, if it is our bot's.
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
    original: Original | None = None


class ReactionChanged(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person set or removed a reaction. `emoji` is None if it was removed, or if a bot cannot set it."""

    person: PersonId
    bot: BotId
    message: MessageId
    emoji: str | None


class BotBlocked(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person blocked the bot (`my_chat_member`), or a refused send shows that they did.

    `refused_at` is when the refused send began. It is None if Telegram reported the block itself.
    """

    person: PersonId
    bot: BotId
    refused_at: float | None = None


class BotLost(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A send failed because Telegram refuses the bot's token. The bot can no longer reach anybody."""

    person: PersonId
    bot: BotId


class ChannelLeft(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person left a channel in which the bot is an admin (`chat_member`), or was removed from it. `channel` is its
    number, `name` its username, if it has one."""

    person: PersonId
    bot: BotId
    channel: int
    name: str = ""


class ChannelJoined(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person joined a channel in which the bot is an admin (`chat_member`)."""

    person: PersonId
    bot: BotId
    channel: int
    name: str = ""


class BotUnblocked(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person started the bot again (`my_chat_member`)."""

    person: PersonId
    bot: BotId


class Refusal(StrEnum):
    """Why a message could not be delivered to a chat."""

    UNREACHABLE = "unreachable"
    """This bot cannot write to this person: blocked, deactivated or never started."""
    KIND_REFUSED = "kind_refused"
    """The recipient's privacy settings refuse this kind, for example voice messages."""
    CANNOT_COPY = "cannot_copy"
    """The original is gone, or Telegram does not allow copying it."""
    TOO_LARGE = "too_large"
    """The file is too large."""
    TOO_LONG = "too_long"
    """The words are too long, even in pieces."""
    UNCERTAIN = "uncertain"
    """Every attempt ended without an answer. It may or may not have arrived."""
    EXPIRED = "expired"
    """It waited longer than a relay may wait."""
    BOT_LOST = "bot_lost"
    """The token of the bot that should send it has been revoked."""
    LEFT = "left"
    """The chat ended while the message was waiting."""
    BROKEN = "broken"
    """One of our bugs: Telegram rejected the request, or no attempt even reached Telegram."""
    FATAL = "fatal"
    """The message ended the process that worked on it, more than once."""


class Attempt(StrEnum):
    """The delivery that failed."""

    RELAY = "relay"
    EDIT = "edit"
    REACT = "react"
    DELETE = "delete"


class BotClosing(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The person is searching or chatting through a bot that is being drained."""

    person: PersonId
    bot: BotId


class DeliveryFailed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Something for the partner did not arrive and never will. The event's person is the sender. `recipient` may be
    gone.

    `count` is how many messages did not arrive. `message` is the first of them.
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
    """Nothing has been delivered in a person's chat since `since`. `speaker` wrote the last message; None if nobody
    wrote."""

    person: PersonId
    bot: BotId
    chat: ChatId
    since: float
    speaker: PersonId | None


class SearchDelayed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person has been searching since `since`, and it is time to tell them how the search stands.

    `fitting` is how many people who are waiting, or came recently, suit them. `expected_s` is how long others with
    similar wishes waited; None if that is not known yet.
    """

    person: PersonId
    bot: BotId
    since: float
    fitting: int
    expected_s: float | None


class WroteEnough(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person has written enough in a chat for a real chat, if their partner does so, too."""

    person: PersonId
    bot: BotId
    chat: ChatId


class Overrun(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person sent more than their quota allows, and some of it was refused unread.

    - `spell` names the time from the first refusal until they may write again.
    - `count` is how many events were refused in the spell so far.
    - `begins`: this is the first refusal.
    - `message` is the refused message, if it was one. `query` is the refused button press.
    """

    person: PersonId
    bot: BotId
    spell: str
    count: int
    begins: bool = False
    message: MessageId | None = None
    query: str = ""
    language: str = ""


class DataCopied(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person has got the copy of their data that they asked for, or can never get it. `asked_at` names the
    request."""

    person: PersonId
    bot: BotId
    asked_at: float


class ErasureDue(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The time has come to erase a person's data.

    `is_last`: it has begun, and nobody else refers to the person any more.
    """

    person: PersonId
    bot: BotId
    is_last: bool = False


class PartnerErased(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The data of `whom` is being erased. The event's person has met or saved them."""

    person: PersonId
    bot: BotId
    whom: PersonId


class Unusable(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An update that needs no reaction. It is only marked as done. `why` is one of WHY_UNUSED."""

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
    | ChannelJoined
    | ChannelLeft
    | BotClosing
    | DeliveryFailed
    | ChatIdle
    | SearchDelayed
    | SanctionOrdered
    | LiftOrdered
    | CheckoutAsked
    | CheckoutAnswered
    | PaymentSettled
    | PaymentRefunded
    | RefundOrdered
    | PaymentAnswered
    | ReferralGiven
    | SubscriptionUpdated
    | SellerClosing
    | RefundRefused
    | StarCallConfirmed
    | VipEnding
    | SanctionOverturned
    | AppealRefused
    | DataOrdered
    | ReportDecided
    | WroteEnough
    | GrantTakenBack
    | FarmSuspected
    | Overrun
    | DataCopied
    | ErasureDue
    | PartnerErased
    | Unusable
)
