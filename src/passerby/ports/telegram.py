"""Telegram, as the runtime sees it: updates come in as events, calls go out, and failures form a small family.

An outgoing call is complete: it is in its reader's language, and addressed to one person through one bot. The adapter
decides how it becomes Bot API calls (copy or rebuild, which file id, how many requests).
"""

from collections.abc import Awaitable
from typing import Protocol, Self

import msgspec

from passerby.kernel.content import Content, Entity
from passerby.kernel.event import Event, Original, Refusal
from passerby.kernel.ids import BotId, MessageId, PersonId, UpdateRef
from passerby.kernel.money import ChargeId, StarRow


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One update, decoded."""

    ref: UpdateRef
    event: Event


class InlineButton(msgspec.Struct, frozen=True, gc=False):
    """`data` is at most 64 bytes (source: Bot API, InlineKeyboardButton). With `url`, it opens that instead."""

    label: str
    data: str
    url: str = ""


class InlineRows(msgspec.Struct, frozen=True, gc=False):
    rows: tuple[tuple[InlineButton, ...], ...]


class ReplyRows(msgspec.Struct, frozen=True, gc=False):
    """A reply keyboard. Without rows: remove the one that is shown."""

    rows: tuple[tuple[str, ...], ...]


Markup = InlineRows | ReplyRows


class SendNotice(msgspec.Struct, frozen=True, gc=False):
    """Send a notice. `html` is Telegram's HTML, already escaped. Link previews are always off.

    `thread` is the topic of the private chat; None: the general one.
    """

    bot: BotId
    person: PersonId
    html: str
    markup: Markup | None = None
    reply_to: MessageId | None = None
    thread: MessageId | None = None


class EditNotice(msgspec.Struct, frozen=True, gc=False):
    """Edit a notice. "Not modified" counts as done."""

    bot: BotId
    person: PersonId
    message: MessageId
    html: str
    markup: InlineRows | None = None


class SendFile(msgspec.Struct, frozen=True, gc=False):
    """Send a file of our own, with a caption in Telegram's HTML."""

    bot: BotId
    person: PersonId
    name: str
    data: bytes
    html: str
    thread: MessageId | None = None


class SendContent(msgspec.Struct, frozen=True, gc=False):
    """Pass on a message or an album without revealing its sender.

    `sources` are the messages as `source_bot` sees them in the chat with `source_person`. `copyable`: the adapter may
    copy them unchanged if `bot == source_bot`. Otherwise it rebuilds them from `contents`. File names are never kept.

    `markup`, `silent` (no sound) and `paid` (Telegram may charge for what is above its free rate) are for broadcasts.
    """

    bot: BotId
    person: PersonId
    source_bot: BotId
    source_person: PersonId
    sources: tuple[MessageId, ...]
    contents: tuple[Content, ...]
    copyable: bool = False
    reply_to: MessageId | None = None
    quote: str | None = None
    quote_position: int = 0
    quote_entities: tuple[Entity, ...] = ()
    thread: MessageId | None = None
    markup: InlineRows | None = None
    silent: bool = False
    paid: bool = False


class AnswerCallback(msgspec.Struct, frozen=True, gc=False):
    """Answer a callback query. If it is too old, that counts as done."""

    bot: BotId
    query: str
    plain: str | None = None
    alert: bool = False


class EditContent(msgspec.Struct, frozen=True, gc=False):
    """Edit a relayed message. `words_only`: the file is the same, only the text or caption changed.

    `source_bot` is the bot that `content`'s file id belongs to. "Not modified" counts as done. Without `markup`, the
    message has no buttons afterwards.
    """

    bot: BotId
    person: PersonId
    message: MessageId
    source_bot: BotId
    source_person: PersonId
    content: Content
    words_only: bool
    markup: InlineRows | None = None


class SetReaction(msgspec.Struct, frozen=True, gc=False):
    """Set the bot's only reaction to a message; None removes it. An emoji that Telegram does not allow is dropped."""

    bot: BotId
    person: PersonId
    message: MessageId
    emoji: str | None


class DeleteMessages(msgspec.Struct, frozen=True, gc=False):
    """Delete messages of a chat, at most 100. Messages that no longer exist count as done."""

    bot: BotId
    person: PersonId
    messages: tuple[MessageId, ...]


class SendInvoice(msgspec.Struct, frozen=True, gc=False):
    """Send an invoice in Stars. Titles have at most 32 characters, descriptions 255 (source: Bot API, sendInvoice).

    `renews`: for a subscription of 30 days. It is a message with a link, whose button says `label`.
    """

    bot: BotId
    person: PersonId
    title: str
    description: str
    payload: str
    stars: int
    renews: bool
    label: str
    thread: MessageId | None = None


class AnswerCheckout(msgspec.Struct, frozen=True, gc=False):
    """Approve a checkout, or refuse it with a sentence. If it is too old, that counts as done."""

    bot: BotId
    query: str
    refusal: str = ""


class RefundStars(msgspec.Struct, frozen=True, gc=False):
    """Give the Stars of a charge back. "Already refunded" counts as done."""

    bot: BotId
    person: PersonId
    charge: ChargeId


class CancelSubscription(msgspec.Struct, frozen=True, gc=False):
    """Stop charging a person. `charge` is the first charge of the subscription.

    It is not certain which of its two ids Telegram wants, so `provider_charge` is tried if the other is refused.
    """

    bot: BotId
    person: PersonId
    charge: ChargeId
    provider_charge: str = ""


OutgoingCall = (
    SendNotice
    | EditNotice
    | SendFile
    | SendContent
    | AnswerCallback
    | EditContent
    | SetReaction
    | DeleteMessages
    | SendInvoice
    | AnswerCheckout
    | RefundStars
    | CancelSubscription
)


class TelegramError(Exception):
    """The base of all failures. None of them quotes a token, a message or a file name.

    `bot` is set if another bot than the call's own failed: a file is fetched through the bot that received it. Then
    nothing was delivered.
    """

    bot: BotId | None = None
    reason = ""
    """The cause in a few words, for the log."""

    def of(self, bot: BotId) -> Self:
        """The same error, with this bot as the one that failed."""
        self.bot = bot
        return self


class Refused(TelegramError):
    """Telegram refuses this call for good; a retry does not help. Nothing was delivered."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(refusal, detail)
        self.refusal = refusal
        self.detail = detail
        self.reason = f"{refusal}: {detail}" if detail else str(refusal)


class NeverRefunded(Refused):
    """Telegram will never give these Stars back: it knows no such payment, or the buyer's account is gone."""


class FloodWait(TelegramError):
    """429: nothing was delivered; wait `retry_after_s`. Telegram does not say which limit was hit."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s
        self.reason = f"too many requests; not before {retry_after_s:g} s"


class Unavailable(TelegramError):
    """A fault on the way: 5xx, reset, time-out. `uncertain`: the request may have been carried out."""

    def __init__(self, reason: str, *, uncertain: bool) -> None:
        super().__init__(reason, uncertain)
        self.reason = reason
        self.uncertain = uncertain


class Conflict(TelegramError):
    """409: another program polls this bot, or a webhook is set. `reason` is Telegram's text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenRefused(TelegramError):
    """401, or 404 on getMe: the token is revoked or wrong, the bot is deleted, or Telegram made a mistake.

    Nothing was delivered.
    """

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = f"the token is refused ({detail})" if detail else "the token is refused"


class BotIdentity(msgspec.Struct, frozen=True, gc=False):
    bot: BotId
    username: str
    title: str


class CommandList(msgspec.Struct, frozen=True, gc=False):
    """A bot's description of itself in one language; "" is for all other languages. Empty fields are left unchanged.

    `commands`: its menu, as (command, what it does). `description`: shown before somebody starts the bot.
    `short_description`: shown in its profile. `name`: its name, up to 64 characters.
    """

    language: str
    commands: tuple[tuple[str, str], ...]
    description: str = ""
    short_description: str = ""
    name: str = ""


class Telegram(Protocol):
    """One connection to the Bot API for the whole fleet.

    Ordering: none between calls. A caller that needs an order waits for each answer.
    Raises, from every method: only the `TelegramError` family, and cancellation.
    """

    @property
    def bots(self) -> tuple[BotId, ...]:
        """Every bot that has a token, in the operator's order."""
        ...

    async def identify(self, bot: BotId) -> BotIdentity:
        """Ask who the bot is (getMe). Raises TokenRefused if the token does not work."""
        ...

    async def prepare(self, bot: BotId, menus: tuple[CommandList, ...]) -> None:
        """Set the bot's command menus and descriptions, unless these were set last time."""
        ...

    async def is_member(self, bot: BotId, channel: str, person: PersonId) -> bool:
        """Whether a person is a member of a channel: its number, or its @username. The bot must be an admin of it.

        Raises: also Refused, if Telegram knows neither the channel nor the person, or does not tell this bot.
        """
        ...

    async def updates(self, bot: BotId, offset: int | None, limit: int, timeout_s: int) -> list[Arrival]:
        """Long-poll once. This call confirms, and so deletes, every update below `offset`.

        Each item of an album is an arrival. Every update yields one; an update that cannot be decoded is `Unusable`.
        Raises: also Conflict.
        """
        ...

    def send(self, outgoing: OutgoingCall) -> Awaitable[tuple[MessageId, ...]]:
        """Carry out an outgoing call, from when this is awaited. Returns the ids of the messages in the recipient's
        chat, in order.

        Atomicity: an album arrives completely or not at all. There is no retry inside: each call makes at most one
        attempt that the recipient could see.
        """
        ...

    def content_of(self, original: Original) -> Content | None:
        """Read a message that somebody chose as evidence. None if it cannot be read."""
        ...

    async def star_rows(self, bot: BotId, offset: int, limit: int) -> list[StarRow]:
        """A bot's transactions in Stars, the oldest first, without the first `offset`. `limit` is at most 100."""
        ...

    async def aclose(self) -> None:
        """Finish the calls that are under way, and close every connection."""
        ...
