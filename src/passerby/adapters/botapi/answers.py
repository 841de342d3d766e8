"""A table of the texts with which Telegram refuses a call: what each of them means, and what we do about it.

Upper and lower case do not matter. The first row whose fragment is in the text counts, so special rows come before
general ones. A row with *parts* says what to leave out of the message: an effect, formatting, a reply. The message is
then sent again without it (see `parts`). The row's meaning and refusal count only if the message has no such part. The
last rows recognise a part by a single word, because Telegram has many sentences for these refusals. A wrong guess costs
only one more attempt.

Sources: the code of the Bot API server and of TDLib (there, look for `fail_query_with_error` and
`process_send_message_fail_error`). Codes such as `user_is_blocked` are from MTProto's list of errors, where they are in
capitals.
"""

import re
from enum import Enum, StrEnum, auto
from typing import Final, NamedTuple

from passerby.kernel.event import Refusal


class Meaning(Enum):
    """The meaning of an answer for the code that made the call."""

    FINAL = auto()
    """Another attempt would be refused as well."""
    UNKNOWN = auto()
    """No row matches. One attempt without any decoration may succeed (see `parts`)."""
    FILE_UNKNOWN = auto()
    """This bot does not know the file by that id, or Telegram does not accept the file; a fresh upload may work."""
    ALREADY_SO = auto()
    """There is nothing to do: an edit changes nothing, a message is gone, or nobody waits for this callback query."""
    TOKEN = auto()
    """Telegram does not accept the bot's token."""
    CONFLICT = auto()
    """Somebody else polls this bot, or it has a webhook."""
    SERVER = auto()
    """A fault inside Telegram. It may have carried out the request, or not."""


class Part(StrEnum):
    """Parts of a message that can be left out."""

    EFFECT = "effect"
    CUSTOM_EMOJI = "custom_emoji"
    ENTITIES = "entities"
    """All formatting, custom emoji included."""
    QUOTE = "quote"
    REPLY = "reply"
    """The reply, with its quote."""
    PREVIEW = "preview"
    """The options for link previews."""
    LOOK = "look"
    """The icons and colours of buttons."""
    KEYBOARD = "keyboard"
    THREAD = "thread"
    """The topic; without it the message goes to the general topic."""


class Row(NamedTuple):
    """`fragment` is a piece of the refusal's text, in lower case."""

    fragment: str
    meaning: Meaning
    refusal: Refusal
    parts: tuple[Part, ...] = ()
    """The fields to leave out, in this order."""


NO_REFUND: Final = (
    "charge_not_found",
    "charge_id_invalid",
    "charge_id_empty",
    "user_deactivated",
    "user is deactivated",
)
"""Pieces of the refusals of a refund that never change: Telegram knows no such payment of this person to this bot, or
their account is gone. A bot that has too few Stars is another matter: it may get some."""

_KEYS = (Part.LOOK, Part.KEYBOARD)
_FORMAT = (Part.CUSTOM_EMOJI, Part.ENTITIES)


def _part(fragment: str, *parts: Part, meaning: Meaning = Meaning.UNKNOWN, refusal: Refusal = Refusal.BROKEN) -> Row:
    return Row(fragment, meaning, refusal, parts)


TABLE: tuple[Row, ...] = (
    # parts, by their codes and the server's wordings
    _part("button_", *_KEYS),
    _part("keyboard_", *_KEYS),
    _part("reply_markup_", *_KEYS),
    _part("effect_id_", Part.EFFECT),
    _part("message_effect", Part.EFFECT),
    _part("custom_emoji_", Part.CUSTOM_EMOJI, Part.LOOK),
    _part("document_invalid", *_FORMAT, meaning=Meaning.FILE_UNKNOWN),
    _part("premium_account_required", Part.CUSTOM_EMOJI, Part.EFFECT, Part.LOOK),
    _part("entity_", *_FORMAT),
    _part("entities_", *_FORMAT),
    _part("can't parse entities", *_FORMAT),
    _part("quote_", Part.QUOTE, Part.REPLY),
    _part("reply_message", Part.REPLY),
    _part("reply_to_", Part.REPLY),
    _part("message to be replied not found", Part.REPLY),
    _part("replied message not found", Part.REPLY),
    _part("reply message not found", Part.REPLY),
    _part("message to reply not found", Part.REPLY),
    _part("message thread not found", Part.THREAD, Part.REPLY),
    _part("topic_", Part.THREAD),
    _part("thread_", Part.THREAD),
    _part("webpage_", Part.PREVIEW),
    # seen also after the first refund of a charge (tdlib/telegram-bot-api#690)
    Row("charge_already_refunded", Meaning.ALREADY_SO, Refusal.BROKEN),
    # the recipient cannot be written to by this bot
    Row("bot was blocked by the user", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("user_is_blocked", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("user is deactivated", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("user_deactivated", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("input_user_deactivated", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("bot can't initiate conversation", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("chat not found", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("peer_id_invalid", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("can't send messages to the bot", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("can't send messages to bots", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("user_is_bot", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("bot was kicked", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("bot is not a member", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("chat was deleted", Meaning.FINAL, Refusal.UNREACHABLE),
    Row("group chat was upgraded", Meaning.FINAL, Refusal.UNREACHABLE),
    # the recipient refuses this kind of message
    Row("voice_messages_forbidden", Meaning.FINAL, Refusal.KIND_REFUSED),
    Row("chat_send_", Meaning.FINAL, Refusal.KIND_REFUSED),
    Row("user_privacy_restricted", Meaning.FINAL, Refusal.KIND_REFUSED),
    Row("privacy_premium_required", Meaning.FINAL, Refusal.KIND_REFUSED),
    Row("not enough rights to send", Meaning.FINAL, Refusal.KIND_REFUSED),
    Row("have no write access to the chat", Meaning.FINAL, Refusal.KIND_REFUSED),
    Row("chat_write_forbidden", Meaning.FINAL, Refusal.KIND_REFUSED),
    # the source is gone or may not be passed on
    Row("message to copy not found", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("message to forward not found", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("message can't be copied", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("messages can't be copied", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("message has protected content", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("message_id_invalid", Meaning.FINAL, Refusal.CANNOT_COPY),
    # edits and callback queries
    Row("message is not modified", Meaning.ALREADY_SO, Refusal.BROKEN),
    Row("message_not_modified", Meaning.ALREADY_SO, Refusal.BROKEN),
    Row("query is too old", Meaning.ALREADY_SO, Refusal.BROKEN),
    Row("query id is invalid", Meaning.ALREADY_SO, Refusal.BROKEN),
    Row("query_id_invalid", Meaning.ALREADY_SO, Refusal.BROKEN),
    Row("message to edit not found", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("message can't be edited", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("there is no text in the message to edit", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("there is no caption in the message to edit", Meaning.FINAL, Refusal.CANNOT_COPY),
    # reactions and deletions: if the message is gone there is nothing to do, and the sender need not know
    Row("reaction_invalid", Meaning.ALREADY_SO, Refusal.CANNOT_COPY),
    Row("reactions_too_many", Meaning.ALREADY_SO, Refusal.CANNOT_COPY),
    Row("message to react not found", Meaning.ALREADY_SO, Refusal.CANNOT_COPY),
    Row("message to delete not found", Meaning.ALREADY_SO, Refusal.CANNOT_COPY),
    Row("message can't be deleted", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("message_delete_forbidden", Meaning.FINAL, Refusal.CANNOT_COPY),
    # files
    Row("file is too big", Meaning.FINAL, Refusal.TOO_LARGE),
    Row("request entity too large", Meaning.FINAL, Refusal.TOO_LARGE),
    # a person with Premium may write a longer caption than a bot: it then follows in messages of its own
    Row("caption is too long", Meaning.FINAL, Refusal.TOO_LONG),
    Row("caption_too_long", Meaning.FINAL, Refusal.TOO_LONG),
    Row("message is too long", Meaning.FINAL, Refusal.TOO_LONG),
    Row("message_too_long", Meaning.FINAL, Refusal.TOO_LONG),
    Row("photo_invalid_dimensions", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("image_process_failed", Meaning.FINAL, Refusal.CANNOT_COPY),
    Row("wrong file identifier", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    Row("wrong remote file identifier", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    Row("invalid file_id", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    Row("wrong file_id or the file is temporarily unavailable", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    Row("file_reference_", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    Row("file_id_invalid", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    Row("media_empty", Meaning.FILE_UNKNOWN, Refusal.CANNOT_COPY),
    Row("stickerset_invalid", Meaning.FINAL, Refusal.CANNOT_COPY),
    # our own bugs
    Row("message text is empty", Meaning.FINAL, Refusal.BROKEN),
    Row("text must be non-empty", Meaning.FINAL, Refusal.BROKEN),
    Row("method not found", Meaning.FINAL, Refusal.BROKEN),
    # the bot itself
    Row("unauthorized", Meaning.TOKEN, Refusal.BOT_LOST),
    Row("invalid token specified", Meaning.TOKEN, Refusal.BOT_LOST),
    Row("unallowed token specified", Meaning.TOKEN, Refusal.BOT_LOST),
    Row("logged out", Meaning.TOKEN, Refusal.BOT_LOST),
    Row("terminated by other getupdates", Meaning.CONFLICT, Refusal.BROKEN),
    Row("webhook is active", Meaning.CONFLICT, Refusal.BROKEN),
    Row("terminated by setwebhook", Meaning.CONFLICT, Refusal.BROKEN),
    # faults inside Telegram
    Row("internal server error", Meaning.SERVER, Refusal.UNCERTAIN),
    Row("sent message was immediately deleted", Meaning.SERVER, Refusal.UNCERTAIN),
    # parts, by a single word
    _part("button", *_KEYS),
    _part("keyboard", *_KEYS),
    _part("reply markup", *_KEYS),
    _part("reply_markup", *_KEYS),
    _part("effect", Part.EFFECT),
    _part("custom emoji", Part.CUSTOM_EMOJI, Part.LOOK),
    _part("custom_emoji", Part.CUSTOM_EMOJI, Part.LOOK),
    _part("emoji", Part.CUSTOM_EMOJI, Part.LOOK, meaning=Meaning.FILE_UNKNOWN),
    _part("quote", Part.QUOTE, Part.REPLY),
    _part("reply", Part.REPLY),
    _part("replied", Part.REPLY),
    _part("thread", Part.THREAD, Part.REPLY),
    _part("topic", Part.THREAD),
    _part("forum", Part.THREAD),
    _part("webpage", Part.PREVIEW),
    _part("web page", Part.PREVIEW),
    _part("preview", Part.PREVIEW),
    _part("entit", *_FORMAT),
    _part("can't parse", *_FORMAT),
    _part("parse_mode", Part.ENTITIES),
    _part("url_invalid", Part.ENTITIES, Part.PREVIEW),
)

_ABOUT_A_FILE = re.compile("file|photo|video|audio|voice|sticker|document|media|animation|image|thumb|upload")


def unknown(text: str) -> Row:
    """Return a row for a refusal with code 400 that no row of the table matches. `text` is in lower case."""
    meaning = Meaning.FILE_UNKNOWN if _ABOUT_A_FILE.search(text) else Meaning.UNKNOWN
    return Row("", meaning, Refusal.BROKEN)
