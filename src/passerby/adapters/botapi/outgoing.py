"""Our requests to Telegram: those of the hot path as structs, and the parts that all requests share.

Members that have their default value are left out. Methods of the cold path (media, polls, places) take plain dicts
made of the same parts.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from passerby.kernel.content import Content, Entity
from passerby.kernel.ids import MessageId
from passerby.ports.telegram import InlineButton, InlineRows, Markup, ReplyRows, SendContent


class LinkPreviewOptions(Struct, frozen=True, gc=False):
    is_disabled: bool


NO_PREVIEW = LinkPreviewOptions(True)
"""A preview would fetch a stranger's URL and show what is there."""


class ReplyParameters(Struct, frozen=True, gc=False, omit_defaults=True):
    """Never with `allow_sending_without_reply`: it hides every error of the lookup, also a 429."""

    message_id: int
    quote: str | None = None
    quote_position: int | None = None
    quote_entities: Sequence[Entity] = ()


class SendMessage(Struct, gc=False, omit_defaults=True):
    chat_id: int
    text: str
    link_preview_options: LinkPreviewOptions | None = None
    parse_mode: str | None = None
    entities: Sequence[Entity] = ()
    protect_content: bool = False
    message_effect_id: str | None = None
    reply_parameters: ReplyParameters | None = None
    reply_markup: dict[str, Any] | None = None
    message_thread_id: int | None = None
    disable_notification: bool = False
    allow_paid_broadcast: bool = False


class EditMessageText(Struct, gc=False, omit_defaults=True):
    chat_id: int
    message_id: int
    text: str
    link_preview_options: LinkPreviewOptions | None = None
    parse_mode: str | None = None
    reply_markup: dict[str, Any] | None = None


class CopyMessage(Struct, gc=False, omit_defaults=True):
    chat_id: int
    from_chat_id: int
    message_id: int
    protect_content: bool = False
    message_effect_id: str | None = None
    reply_parameters: ReplyParameters | None = None
    message_thread_id: int | None = None


class AnswerCallbackQuery(Struct, gc=False, omit_defaults=True):
    callback_query_id: str
    text: str | None = None
    show_alert: bool = False


def markup(of: Markup | None) -> dict[str, Any] | None:
    """Return the keyboard in the Bot API's form."""
    if of is None:
        return None
    if isinstance(of, InlineRows):
        return {"inline_keyboard": [[_button(button) for button in row] for row in of.rows]}
    return _reply_keyboard(of)


@lru_cache(256)
def _reply_keyboard(of: ReplyRows) -> dict[str, Any]:
    """There are a few for each language, and nobody changes them."""
    if not of.rows:
        return {"remove_keyboard": True}
    return {
        "keyboard": [[{"text": label} for label in row] for row in of.rows],
        "resize_keyboard": True,
        "is_persistent": True,
    }


def _button(button: InlineButton) -> dict[str, str]:
    if button.url:
        return {"text": button.label, "url": button.url}
    return {"text": button.label, "callback_data": button.data}


def entities(of: Content) -> Sequence[Entity]:
    """Return the content's entities without mentions of accounts: they have lost their target and Telegram refuses
    them."""
    found = of.entities
    if not found:
        return found
    return [e for e in found if e.type != "text_mention"] if any(e.type == "text_mention" for e in found) else found


def reply(
    to: MessageId | None, quote: str | None = None, position: int = 0, entities: Sequence[Entity] = ()
) -> ReplyParameters | None:
    if to is None or to <= 0:  # a message without an id of its own (an ephemeral one) cannot be replied to
        return None
    return ReplyParameters(to, quote, position, entities) if quote else ReplyParameters(to)


def reply_of(content_call: SendContent) -> ReplyParameters | None:
    return reply(content_call.reply_to, content_call.quote, content_call.quote_position, content_call.quote_entities)


def captioned(content: Content, *, shown: bool) -> dict[str, Any]:
    """Return the members of a caption, and for media that are `shown`, how they are shown."""
    members: dict[str, Any] = {}
    if content.text:
        members["caption"] = content.text
        if kept := entities(content):
            members["caption_entities"] = kept
        if content.caption_above and shown:
            members["show_caption_above_media"] = True
    if content.spoiler and shown:
        members["has_spoiler"] = True
    return members
