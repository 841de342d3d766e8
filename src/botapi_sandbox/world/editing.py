"""Edits of a bot's own messages: text, caption, media, keyboard, live location."""

from __future__ import annotations

from botapi_sandbox.world.answers import Json, bad_request, unsupported
from botapi_sandbox.world.delivery import captioned, edited_markup, existing_chat
from botapi_sandbox.world.media import file_content
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.sending import LIVE_FOREVER, located, rich, texted
from botapi_sandbox.world.state import Chat, ChatMessage

_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
_CAPTIONED = ("photo", "video", "animation", "audio", "document", "voice", "live_photo", "paid_media")
_MEDIA = ("photo", "video", "animation", "audio", "document", "live_photo")
_CAPTION_FIELDS = ("caption", "caption_entities", "show_caption_above_media")
_TEXT_FIELDS = ("text", "entities", "link_preview_options", "rich_message")


def _editable(request: Request) -> tuple[Chat, ChatMessage]:
    params = request.params
    if params.get("inline_message_id"):
        raise unsupported("inline messages")
    request.refuse_unsupported("business_connection_id")
    if params.get("chat_id") is None:
        raise bad_request("chat_id is empty")
    if not params.get("message_id"):
        raise bad_request("message identifier is not specified")
    chat = existing_chat(request, params["chat_id"])
    found = chat.messages.get(params["message_id"])
    if found is None:
        raise bad_request("message to edit not found")
    if found.outgoing or "forward_origin" in found.message:
        raise bad_request("message can't be edited")
    return chat, found


def _replace(request: Request, chat: Chat, sent: ChatMessage, drop: tuple[str, ...], content: Json) -> Json:
    """Replace the fields in `drop` with `content`. An edit without a keyboard removes the keyboard."""
    before = sent.message
    after = {key: value for key, value in before.items() if key not in (*drop, "reply_markup")}
    after.update(content)
    markup = edited_markup(request)
    if markup is not None and markup["inline_keyboard"]:
        after["reply_markup"] = markup
    if {k: v for k, v in after.items() if k != "edit_date"} == {k: v for k, v in before.items() if k != "edit_date"}:
        raise bad_request(_SAME)
    after["edit_date"] = int(request.backend.now())
    sent.message = after
    request.made.append(after["message_id"])
    request.backend.show_edited(chat, request.bot, sent)
    return after


@method("editMessageText")
def edit_message_text(request: Request) -> Json:
    """Edit the text of a text message or a rich message."""
    chat, found = _editable(request)
    if "text" not in found.message and "rich_message" not in found.message:
        raise bad_request("there is no text in the message to edit")
    content = {"rich_message": rich(request)} if request.params.get("rich_message") else texted(request)
    return _replace(request, chat, found, _TEXT_FIELDS, content)


@method("editMessageCaption")
def edit_message_caption(request: Request) -> Json:
    """Replace the caption; without one, remove it."""
    chat, found = _editable(request)
    if not any(kind in found.message for kind in _CAPTIONED):
        raise bad_request("there is no caption in the message to edit")
    return _replace(request, chat, found, _CAPTION_FIELDS, captioned(request))


@method("editMessageMedia")
def edit_message_media(request: Request) -> Json:
    """Replace the file and its caption. An item of an album can only become a kind that fits the album."""
    chat, found = _editable(request)
    item = request.params["media"]
    if not any(kind in found.message for kind in (*_MEDIA, "text")):
        raise bad_request("message can't be edited")
    if "media_group_id" in found.message and item["type"] == "animation":
        raise bad_request("can't use the media of the specified type in the album")
    content = file_content(request, item["type"], {**item, item["type"]: item["media"]})
    drop = (*_MEDIA, *_CAPTION_FIELDS, *_TEXT_FIELDS, "has_media_spoiler")
    return _replace(request, chat, found, drop, content)


@method("editMessageReplyMarkup")
def edit_message_reply_markup(request: Request) -> Json:
    """Replace only the inline keyboard."""
    chat, found = _editable(request)
    return _replace(request, chat, found, (), {})


@method("editMessageLiveLocation")
def edit_message_live_location(request: Request) -> Json:
    """Move the point while the location is live."""
    chat, found = _editable(request)
    live_s = found.message.get("location", {}).get("live_period")
    if "venue" in found.message or not live_s:
        raise bad_request("message can't be edited")
    if live_s != LIVE_FOREVER and request.backend.now() >= found.message["date"] + live_s:
        raise bad_request("message can't be edited")
    params = request.params
    location = {**located(params), "live_period": params.get("live_period") or live_s}
    return _replace(request, chat, found, ("location",), {"location": location})


@method("stopMessageLiveLocation")
def stop_message_live_location(request: Request) -> Json:
    """Stop the updates; the point stays where it is."""
    chat, found = _editable(request)
    location = found.message.get("location", {})
    if not location.get("live_period"):
        raise bad_request("message can't be edited")
    frozen = {key: location[key] for key in ("latitude", "longitude", "horizontal_accuracy") if key in location}
    return _replace(request, chat, found, ("location",), {"location": frozen})
