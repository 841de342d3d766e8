"""The part of Telegram's JSON that we read: the fields that a relay needs, by their Bot API names, and nothing else.

Unknown members are skipped without being built, so names, origins and other members that are not listed here never
become objects. `decode` knows what the fields *mean*; `outgoing` has what we *write*.

`updates_answer` splits answers, and handles updates that do not fit these types.
"""

import re
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from passerby.kernel.content import Entity, Whole


class User(Struct, gc=False):
    id: Whole
    is_bot: bool = False
    language_code: str = ""


class Present(Struct, gc=False):
    """An object; only its presence matters."""


class Chat(Struct, gc=False):
    """`username` is read for channels only."""

    id: Whole
    type: str
    username: str = ""


class Media(Struct, gc=False):
    """Any of Telegram's file objects. `file_name` is the sender's own. Title and performer are not even read."""

    file_id: str
    file_unique_id: str
    file_size: Whole = 0
    file_name: str | None = None
    mime_type: str | None = None
    width: Whole = 0
    height: Whole = 0
    duration: Whole = 0
    length: Whole = 0
    photo: tuple["Media", ...] = ()


class Sticker(Struct, gc=False):
    file_id: str
    file_unique_id: str
    file_size: Whole = 0
    type: str = "regular"
    is_animated: bool = False
    is_video: bool = False
    emoji: str | None = None
    set_name: str | None = None


class Dice(Struct, gc=False):
    emoji: str
    value: Whole


class PollOption(Struct, gc=False):
    text: str
    text_entities: tuple[Entity, ...] = ()
    media: Present | None = None


class Poll(Struct, gc=False):
    question: str
    options: tuple[PollOption, ...]
    question_entities: tuple[Entity, ...] = ()
    type: str = "regular"
    allows_multiple_answers: bool = False
    correct_option_ids: tuple[Whole, ...] = ()
    explanation: str | None = None
    open_period: Whole | None = None
    description: str | None = None
    media: Present | None = None
    explanation_media: Present | None = None


class ChecklistTask(Struct, gc=False):
    """We read only that it was ticked off, and not by whom."""

    text: str
    completed_by_user: Present | None = None
    completed_by_chat: Present | None = None
    completion_date: Whole = 0


class Checklist(Struct, gc=False):
    title: str
    tasks: tuple[ChecklistTask, ...] = ()


class Location(Struct, gc=False):
    latitude: float
    longitude: float
    horizontal_accuracy: float | None = None
    live_period: Whole | None = None
    heading: Whole | None = None


class Venue(Struct, gc=False):
    location: Location
    title: str
    address: str
    foursquare_id: str | None = None
    foursquare_type: str | None = None
    google_place_id: str | None = None
    google_place_type: str | None = None


class Contact(Struct, gc=False):
    """The user id and the vCard are not read: they contain more than the sender sees."""

    phone_number: str
    first_name: str
    last_name: str | None = None


class Quote(Struct, gc=False):
    text: str
    position: Whole = 0
    entities: tuple[Entity, ...] = ()


class SuccessfulPayment(Struct, gc=False):
    invoice_payload: str
    telegram_payment_charge_id: str
    total_amount: Whole
    currency: str = ""
    provider_payment_charge_id: str = ""
    is_recurring: bool = False
    is_first_recurring: bool = False
    subscription_expiration_date: Whole = 0


class RefundedPayment(Struct, gc=False):
    telegram_payment_charge_id: str
    total_amount: Whole = 0


class InlineButton(Struct, gc=False):
    callback_data: str | None = None


class InlineKeyboard(Struct, gc=False):
    inline_keyboard: tuple[tuple[InlineButton, ...], ...] = ()


class RepliedTo(Struct, gc=False):
    """Its buttons say which question of ours is replied to. A copy of a partner's message has no buttons."""

    message_id: Whole
    from_: User | None = msgspec.field(default=None, name="from")
    reply_markup: InlineKeyboard | None = None


class UsualMessage(Struct):
    """A message, without the fields of most service messages."""

    message_id: Whole
    chat: Chat
    date: Whole = 0
    from_: User | None = msgspec.field(default=None, name="from")
    message_thread_id: Whole | None = None
    is_topic_message: bool = False
    edit_date: Whole | None = None
    reply_to_message: Raw = Raw()
    """Read as `RepliedTo`. The rest of it is read only if somebody chose it as evidence."""
    quote: Quote | None = None
    has_protected_content: bool = False
    has_media_spoiler: bool = False
    show_caption_above_media: bool = False
    media_group_id: str | None = None
    effect_id: str | None = None

    text: str | None = None
    entities: tuple[Entity, ...] = ()
    caption: str | None = None
    caption_entities: tuple[Entity, ...] = ()

    rich_message: dict[str, Any] | None = None
    photo: tuple[Media, ...] = ()
    live_photo: Media | None = None
    video: Media | None = None
    video_note: Media | None = None
    animation: Media | None = None
    audio: Media | None = None
    voice: Media | None = None
    document: Media | None = None
    sticker: Sticker | None = None
    dice: Dice | None = None
    poll: Poll | None = None
    venue: Venue | None = None
    location: Location | None = None
    contact: Contact | None = None

    game: Present | None = None
    story: Present | None = None
    checklist: Checklist | None = None
    paid_media: Present | None = None
    invoice: Present | None = None
    giveaway: Present | None = None
    giveaway_winners: Present | None = None

    refunded_payment: RefundedPayment | None = None
    successful_payment: SuccessfulPayment | None = None


class Message(UsualMessage):
    """A message, or a service message: its content is not parsed."""

    boost_added: Raw = Raw()
    channel_chat_created: Raw = Raw()
    chat_background_set: Raw = Raw()
    chat_owner_changed: Raw = Raw()
    chat_owner_left: Raw = Raw()
    chat_shared: Raw = Raw()
    checklist_tasks_added: Raw = Raw()
    checklist_tasks_done: Raw = Raw()
    community_chat_added: Raw = Raw()
    community_chat_joined: Raw = Raw()
    community_chat_removed: Raw = Raw()
    connected_website: Raw = Raw()
    delete_chat_photo: Raw = Raw()
    direct_message_price_changed: Raw = Raw()
    forum_topic_closed: Raw = Raw()
    forum_topic_created: Raw = Raw()
    forum_topic_edited: Raw = Raw()
    forum_topic_reopened: Raw = Raw()
    general_forum_topic_hidden: Raw = Raw()
    general_forum_topic_unhidden: Raw = Raw()
    gift: Raw = Raw()
    gift_upgrade_sent: Raw = Raw()
    giveaway_completed: Raw = Raw()
    giveaway_created: Raw = Raw()
    group_chat_created: Raw = Raw()
    left_chat_member: Raw = Raw()
    managed_bot_created: Raw = Raw()
    message_auto_delete_timer_changed: Raw = Raw()
    migrate_from_chat_id: Raw = Raw()
    migrate_to_chat_id: Raw = Raw()
    new_chat_members: Raw = Raw()
    new_chat_photo: Raw = Raw()
    new_chat_title: Raw = Raw()
    paid_message_price_changed: Raw = Raw()
    passport_data: Raw = Raw()
    pinned_message: Raw = Raw()
    poll_option_added: Raw = Raw()
    poll_option_deleted: Raw = Raw()
    proximity_alert_triggered: Raw = Raw()
    suggested_post_approval_failed: Raw = Raw()
    suggested_post_approved: Raw = Raw()
    suggested_post_declined: Raw = Raw()
    suggested_post_paid: Raw = Raw()
    suggested_post_refunded: Raw = Raw()
    supergroup_chat_created: Raw = Raw()
    unique_gift: Raw = Raw()
    users_shared: Raw = Raw()
    video_chat_ended: Raw = Raw()
    video_chat_participants_invited: Raw = Raw()
    video_chat_scheduled: Raw = Raw()
    video_chat_started: Raw = Raw()
    web_app_data: Raw = Raw()
    write_access_allowed: Raw = Raw()


TOPIC_FIELDS = tuple(name for name in Message.__struct_fields__ if "forum_topic" in name)
"""Service messages about topics. We do nothing about them."""

_PAYMENTS = ("refunded_payment", "successful_payment")
SERVICE_FIELDS: tuple[str, ...] = (*Message.__struct_fields__[len(UsualMessage.__struct_fields__) :], *_PAYMENTS)

_USUAL = UsualMessage.__struct_fields__
CONTENT_FIELDS = tuple(
    name
    for name in _USUAL[_USUAL.index("text") : _USUAL.index(_PAYMENTS[0])]
    if not name.endswith(("entities", "caption"))
)
"""A message with one of these is no service message."""


class PressedMessage(Struct):
    """A notice of ours. If it is too old for Telegram, it comes without the message that it replies to."""

    message_id: Whole
    chat: Chat
    message_thread_id: Whole | None = None
    is_topic_message: bool = False
    reply_to_message: Message | None = None


class CallbackQuery(Struct, gc=False):
    id: str
    from_: User = msgspec.field(name="from")
    message: PressedMessage | None = None
    data: str | None = None


class ReactionType(Struct, gc=False):
    type: str
    emoji: str | None = None


class MessageReaction(Struct, gc=False):
    chat: Chat
    message_id: Whole
    new_reaction: tuple[ReactionType, ...]
    user: User | None = None


class ChatMember(Struct, gc=False):
    """A restricted person may be in the chat or not; `is_member` tells."""

    status: str
    user: User | None = None
    is_member: bool = False

    @property
    def is_in(self) -> bool:
        is_restricted_member = self.status == "restricted" and self.is_member
        return is_restricted_member or self.status in ("creator", "administrator", "member")


class ChatMemberUpdated(Struct, gc=False):
    chat: Chat
    from_: User = msgspec.field(name="from")
    new_chat_member: ChatMember = msgspec.field()


class PreCheckoutQuery(Struct, gc=False):
    id: str
    from_: User = msgspec.field(name="from")
    invoice_payload: str = msgspec.field()
    total_amount: Whole = msgspec.field()
    currency: str = ""


class BotSubscription(Struct, gc=False):
    user: User
    invoice_payload: str
    state: str


M = TypeVar("M", bound=UsualMessage)


class Update(Struct, Generic[M]):
    """One update. For kinds that we never ask for, only the id is read."""

    update_id: Whole
    message: M | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: ChatMemberUpdated | None = None
    chat_member: ChatMemberUpdated | None = None
    message_reaction: MessageReaction | None = None
    pre_checkout_query: PreCheckoutQuery | None = None
    subscription: BotSubscription | None = None


class Unreadable(Struct):
    """The readable part of a damaged update; 0 for numbers that could not be read.

    `what` is "message" or "edit" for a private chat, else "".
    """

    update_id: int
    person: int = 0
    message: int = 0
    date: int = 0
    what: str = ""
    by_bot: bool = False


class Parameters(Struct, gc=False):
    retry_after: float | None = None


class Failure(Struct, gc=False):
    """The members that an `ok: false` answer has."""

    ok: bool
    error_code: Whole = 0
    description: str = ""
    parameters: Parameters | None = None


# An unfinished string extends to the end of the body. Otherwise each quotation mark in it would be tried as a
# beginning.
TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""Strings and brackets: enough to find where values of a JSON text begin and end."""
