"""Telegram, as the runtime sees it: updates come in as events, outgoing calls go out, failures are of a small family.

An outgoing call is ready to go: worded in its reader's language, addressed to one person through one bot. How it
becomes Bot API calls (copy or rebuild, which file id, how many requests) is the adapter's affair.
"""

from typing import Protocol, Self

import msgspec

from passerby.kernel.content import Content, Entity
from passerby.kernel.event import Event, Refusal
from passerby.kernel.ids import BotId, MessageId, PersonId, UpdateRef


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One update, decoded."""

    ref: UpdateRef
    event: Event


class InlineButton(msgspec.Struct, frozen=True, gc=False):
    """`data` is at most 64 bytes (source: Bot API, InlineKeyboardButton)."""

    label: str
    data: str


class InlineRows(msgspec.Struct, frozen=True, gc=False):
    rows: tuple[tuple[InlineButton, ...], ...]


class ReplyRows(msgspec.Struct, frozen=True, gc=False):
    """A reply keyboard; without rows, the one shown is removed."""

    rows: tuple[tuple[str, ...], ...]


Markup = InlineRows | ReplyRows


class SendNotice(msgspec.Struct, frozen=True, gc=False):
    """A notice of ours. `html` is Telegram's HTML, already escaped; link previews are always off.

    `thread` is the topic of the private chat that it goes to; None: the general one.
    """

    bot: BotId
    person: PersonId
    html: str
    markup: Markup | None = None
    reply_to: MessageId | None = None
    thread: MessageId | None = None


class EditNotice(msgspec.Struct, frozen=True, gc=False):
    """Change a notice of ours. "Not modified" counts as done."""

    bot: BotId
    person: PersonId
    message: MessageId
    html: str
    markup: InlineRows | None = None


class SendContent(msgspec.Struct, frozen=True, gc=False):
    """Pass on a message, or an album, without telling whose it is.

    `sources` are the messages as `source_bot` sees them in the chat with `source_person`. `copyable` allows the adapter
    to copy them unchanged where `bot == source_bot`; otherwise it sends `contents` anew. File names are never kept.
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


class AnswerCallback(msgspec.Struct, frozen=True, gc=False):
    """Answer a callback query. One that is too old counts as done."""

    bot: BotId
    query: str
    plain: str | None = None
    alert: bool = False


class EditContent(msgspec.Struct, frozen=True, gc=False):
    """Change a carried message. `words_only`: the file is the same and only text or caption changed.

    `source_bot` is the bot that `content`'s file id belongs to. "Not modified" counts as done.
    """

    bot: BotId
    person: PersonId
    message: MessageId
    source_bot: BotId
    source_person: PersonId
    content: Content
    words_only: bool


class SetReaction(msgspec.Struct, frozen=True, gc=False):
    """Set the bot's one reaction on a message; None takes it away. An emoji that Telegram does not allow is dropped."""

    bot: BotId
    person: PersonId
    message: MessageId
    emoji: str | None


class DeleteMessages(msgspec.Struct, frozen=True, gc=False):
    """Delete messages of a chat, at most 100. Those that are gone already count as done."""

    bot: BotId
    person: PersonId
    messages: tuple[MessageId, ...]


OutgoingCall = SendNotice | EditNotice | SendContent | AnswerCallback | EditContent | SetReaction | DeleteMessages


class TelegramError(Exception):
    """The family. None of them quotes a token, a message or a file name.

    `bot` is set where it was not the outgoing call's own bot that failed: a file is fetched through the one that it
    came to. Nothing was delivered then.
    """

    bot: BotId | None = None
    reason = ""
    """A few words about the cause, for a log line."""

    def of(self, bot: BotId) -> Self:
        """The same, blamed on this bot."""
        self.bot = bot
        return self


class Refused(TelegramError):
    """Telegram will not do this, now or later; no retry helps. Nothing was delivered."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(refusal, detail)
        self.refusal = refusal
        self.detail = detail
        self.reason = f"{refusal}: {detail}" if detail else str(refusal)


class FloodWait(TelegramError):
    """429: nothing was delivered; not before `retry_after_s` again. Which limit was hit is not told."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s
        self.reason = f"too many requests; not before {retry_after_s:g} s"


class Unavailable(TelegramError):
    """A fault on the way: 5xx, reset, time-out. `uncertain`: the request may have had its effect."""

    def __init__(self, reason: str, *, uncertain: bool) -> None:
        super().__init__(reason, uncertain)
        self.reason = reason
        self.uncertain = uncertain


class Conflict(TelegramError):
    """409: somebody else polls this bot, or a webhook is set. `reason` is Telegram's text."""

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
    """What a bot says of itself in one language ("" for everyone else): its menu, as (command, what it does); what is
    shown to who has not started it; and what stands in its profile. Empty: left as it is.
    """

    language: str
    commands: tuple[tuple[str, str], ...]
    description: str = ""
    short_description: str = ""


class Telegram(Protocol):
    """One connection to the Bot API for the whole fleet.

    Ordering: none between calls; who needs one waits for the answer.
    Raises, from every method: the `TelegramError` family and nothing else, cancellation excepted.
    """

    @property
    def bots(self) -> tuple[BotId, ...]:
        """Every bot that there is a token for, in the operator's order."""
        ...

    async def identify(self, bot: BotId) -> BotIdentity:
        """Ask who the bot is (getMe). Raises TokenRefused where the token does not work."""
        ...

    async def prepare(self, bot: BotId, menus: tuple[CommandList, ...]) -> None:
        """Set the bot's command menus and descriptions, unless they were the last that were set."""
        ...

    async def updates(self, bot: BotId, offset: int | None, limit: int, timeout_s: int) -> list[Arrival]:
        """Long-poll once. Everything below `offset` is confirmed, that is deleted, by this very call.

        Albums come as one arrival an item. Every update yields an arrival; what cannot be decoded is `Unusable`.
        Raises: Conflict, besides the rest.
        """
        ...

    async def send(self, outgoing: OutgoingCall) -> tuple[MessageId, ...]:
        """Carry out an outgoing call; return the ids of the messages that now stand in the recipient's chat, in order.

        Atomicity: an album arrives whole or not at all. Never retried inside: each call makes at most one attempt that
        could be seen by the recipient.
        """
        ...

    async def aclose(self) -> None:
        """Finish what is under way and close every connection."""
        ...
