"""The data of a world. Everything is reachable from `State`, and the state file stores all of it.

There are no rules here. Data that a restart may lose (waiting polls, webhook back-off, the journal) is elsewhere.
"""

from __future__ import annotations

import msgspec

from botapi_sandbox.world.answers import Json


class Person(msgspec.Struct, kw_only=True):
    """An invented Telegram user."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str = "en"
    deactivated: bool = False
    premium: bool = False
    """Has Telegram Premium, which allows longer captions."""
    stars: int = 10_000
    """The balance in Stars, which payments take from."""
    refuses_voice: bool = False
    """Has "voice messages: nobody" in the privacy settings."""

    def user(self) -> Json:
        """The Bot API `User`."""
        user: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.last_name:
            user["last_name"] = self.last_name
        if self.username:
            user["username"] = self.username
        user["language_code"] = self.language_code
        if self.premium:
            user["is_premium"] = True
        return user

    def chat(self) -> Json:
        """The Bot API `Chat` of a private chat with this person."""
        chat: Json = {"id": self.id, "first_name": self.first_name, "type": "private"}
        if self.last_name:
            chat["last_name"] = self.last_name
        if self.username:
            chat["username"] = self.username
        return chat


class ChatMessage(msgspec.Struct, rename={"persons_reaction": "mine", "bots_reaction": "bots"}):
    """One message of a private chat, as its bot sees it. A change replaces `message` and never mutates it."""

    message: Json
    outgoing: bool
    """True if the person wrote it."""
    persons_reaction: Json | None = None
    """A ReactionType. State files have its former name, so that older ones can still be read."""
    bots_reaction: Json | None = None


class Chat(msgspec.Struct):
    """The private chat of a person and a bot."""

    person_id: int
    started: bool = False
    blocked: bool = False
    keyboard: Json | None = None
    messages: dict[int, ChatMessage] = msgspec.field(default_factory=dict)
    topics: set[int] = msgspec.field(default_factory=set)
    """The topics that are open."""


class Queued(msgspec.Struct):
    """One update in a bot's queue; `body` is the encoded Update."""

    update_id: int
    kind: str
    update_queue: str
    """The webhook queue it belongs to: updates of one queue are delivered in order."""
    expires_at: float
    body: bytes


class Webhook(msgspec.Struct, kw_only=True):
    """The settings from setWebhook, and the last error for getWebhookInfo."""

    url: str
    secret: str = ""
    max_connections: int = 40
    ip_address: str | None = None
    has_certificate: bool = False
    last_error_date: int | None = None
    last_error_message: str | None = None


class Queue(msgspec.Struct):
    """A bot's updates that are not confirmed yet, oldest first."""

    next_id: int
    items: list[Queued] = msgspec.field(default_factory=list)
    size_bytes: int = 0
    soonest: float = float("inf")
    """No update expires before this."""
    last_at: float = 0.0
    allowed: list[str] | None = None
    webhook: Webhook | None = None


class FileRecord(msgspec.Struct, kw_only=True, rename={"details": "facts"}):
    """A file without its bytes. They are stored separately, under the key `blob`."""

    unique: str
    kind: str
    size: int
    blob: str
    number: int
    name: str | None = None
    mime: str | None = None
    details: Json = msgspec.field(default_factory=dict)
    """width, height, duration, performer, title, emoji, set_name ... depending on the kind."""
    sizes: list[FileRecord] = msgspec.field(default_factory=list)
    """For photos: the smaller versions, smallest first."""


class Press(msgspec.Struct):
    """A callback query that waits for its answer."""

    id: str
    bot_id: int
    person_id: int
    at: float


class Payment(msgspec.Struct, kw_only=True):
    """One attempt of a person to pay an invoice."""

    query_id: str
    bot_id: int
    person_id: int
    at: float
    title: str
    payload: str
    currency: str
    amount: int
    status: str = "pending"
    """pending, approved, paid, refused, timeout, or short: the person had too few Stars."""
    error: str | None = None
    charge_id: str | None = None
    refunded_at: float | None = None
    paid_at: float | None = None
    subscription_period: int | None = None
    subscription: str | None = None
    """The id of the first charge, if this payment is part of a subscription."""


class Subscription(msgspec.Struct, kw_only=True):
    """A subscription, by the id of its first charge. `until` is in Unix seconds.

    `cancelled`: it is not renewed. `by_bot`: the bot cancelled it, so the person cannot take it up again.
    """

    first_charge: str
    bot_id: int
    person_id: int
    title: str
    payload: str
    amount: int
    period: int
    until: float
    cancelled: bool = False
    by_bot: bool = False
    failed: bool = False


class Invoice(msgspec.Struct, kw_only=True):
    """An offer of a bot, for Stars: from createInvoiceLink or sendInvoice."""

    bot_id: int
    title: str
    payload: str
    currency: str
    amount: int
    subscription_period: int | None = None


class StickerSet(msgspec.Struct, kw_only=True):
    """A sticker set; its owner bot, or 0 for one that comes with the sandbox."""

    name: str
    title: str
    sticker_type: str
    owner_bot: int
    stickers: list[str] = msgspec.field(default_factory=list)
    """Unique ids of its files."""


class Bot(msgspec.Struct, kw_only=True):
    """A bot with all its data."""

    id: int
    token: str
    first_name: str
    username: str
    queue: Queue
    chats: dict[int, Chat] = msgspec.field(default_factory=dict)
    next_message_id: int = 1
    revoked: bool = False
    joins_groups: bool = True
    topics: bool = False
    """Whether its private chats have topics, which people may open."""
    commands: dict[str, list[Json]] = msgspec.field(default_factory=dict)
    texts: dict[str, str] = msgspec.field(default_factory=dict)
    """Name and descriptions by "<what>:<language>"."""
    menu_buttons: dict[str, Json] = msgspec.field(default_factory=dict)
    links: dict[str, tuple[str, float]] = msgspec.field(default_factory=dict)
    """Valid download paths: path -> (file, valid until, in Unix seconds)."""
    invoices: dict[str, Invoice] = msgspec.field(default_factory=dict)
    """By invoice key, which is a message id or a link's slug."""
    stars: int = 0

    def user(self) -> Json:
        """The Bot API `User` as it appears in messages."""
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}


class Channel(msgspec.Struct, kw_only=True):
    """A channel. It has members and admins, and no posts."""

    id: int
    title: str
    username: str | None = None
    admins: list[int] = msgspec.field(default_factory=list)
    """Ids of bots."""
    members: list[int] = msgspec.field(default_factory=list)
    """Ids of people."""

    def chat(self) -> Json:
        """The Bot API `Chat`."""
        chat: Json = {"id": self.id, "title": self.title, "type": "channel"}
        if self.username:
            chat["username"] = self.username
        return chat


class State(msgspec.Struct, kw_only=True):
    """Everything that a restart must restore."""

    seed: int = 0
    loads: int = 0
    """How often this state was loaded. Random numbers are seeded with (seed, loads)."""
    people: dict[int, Person] = msgspec.field(default_factory=dict)
    bots: dict[int, Bot] = msgspec.field(default_factory=dict)
    files: dict[str, FileRecord] = msgspec.field(default_factory=dict)
    sticker_sets: dict[str, StickerSet] = msgspec.field(default_factory=dict)
    presses: dict[str, Press] = msgspec.field(default_factory=dict)
    payments: dict[str, Payment] = msgspec.field(default_factory=dict)
    subscriptions: dict[str, Subscription] = msgspec.field(default_factory=dict)
    channels: dict[int, Channel] = msgspec.field(default_factory=dict)
    next_file_number: int = 1
