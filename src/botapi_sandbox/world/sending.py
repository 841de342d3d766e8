"""A bot's messages without files: text, places, contacts, dice, drafts, actions. Files are in `media`."""

from __future__ import annotations

from botapi_sandbox.world.answers import Json, bad_request, unsupported
from botapi_sandbox.world.delivery import deliver, writable_chat
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.text import MOST_TEXT, formatted
from botapi_sandbox.world.values import Mismatch

DICE_FACES = {"🎲": 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "🎰": 64}
LIVE_FOREVER = 0x7FFFFFFF
_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "record_audio",
        "upload_audio",
        "upload_document",
        "choose_sticker",
        "pick_up_location",
        "find_location",
        "record_video_note",
        "upload_video_note",
        "cancel",
    ]
)


@method("sendMessage")
def send_message(request: Request) -> Json:
    """Send text with entities or with a parse mode."""
    return deliver(request, texted(request))


def texted(request: Request) -> Json:
    """The fields of a text message. Raises: Refusal."""
    params = request.params
    text, entities = formatted(
        params.get("text") or "", params.get("parse_mode"), params.get("entities"), request.user, MOST_TEXT, "message"
    )
    if not text:
        raise bad_request("message text is empty")
    content: Json = {"text": text}
    if entities:
        content["entities"] = entities
    if params.get("link_preview_options"):
        content["link_preview_options"] = params["link_preview_options"]
    return content


@method("sendLocation")
def send_location(request: Request) -> Json:
    """Send a point, or with `live_period` a moving point."""
    return deliver(request, {"location": located(request.params)})


def located(params: Json) -> Json:
    """The Location object for these parameters. Raises: Refusal."""
    if not -90 <= params["latitude"] <= 90 or not -180 <= params["longitude"] <= 180:
        raise bad_request("location is invalid" if "title" in params else "wrong coordinates specified")
    if not 0 <= params.get("horizontal_accuracy", 0) <= 1500:
        raise bad_request("wrong horizontal accuracy specified")
    location: Json = {"latitude": params["latitude"], "longitude": params["longitude"]}
    for name in ("horizontal_accuracy", "live_period", "heading", "proximity_alert_radius"):
        if params.get(name):
            location[name] = params[name]
    return location


@method("sendVenue")
def send_venue(request: Request) -> Json:
    """Send a place with a name."""
    params = request.params
    point = located({"latitude": params["latitude"], "longitude": params["longitude"]})
    venue: Json = {"location": point, "title": params["title"], "address": params["address"]}
    for name in ("foursquare_id", "foursquare_type", "google_place_id", "google_place_type"):
        if params.get(name):
            venue[name] = params[name]
    return deliver(request, {"venue": venue, "location": point})


@method("sendContact")
def send_contact(request: Request) -> Json:
    """Send a phone number with a name."""
    params = request.params
    if not params["phone_number"] or not params["first_name"]:
        raise bad_request("phone number and first name must be non-empty")
    names = ("phone_number", "first_name", "last_name", "vcard")
    return deliver(request, {"contact": {name: params[name] for name in names if params.get(name)}})


@method("sendDice")
def send_dice(request: Request) -> Json:
    """Send a dice; the sandbox throws it."""
    return deliver(request, {"dice": rolled(request, request.params.get("emoji", "🎲"))})


def rolled(request: Request, emoji: str) -> Json:
    """A new throw."""
    emoji = emoji.rstrip("\ufe0f")
    return {"emoji": emoji, "value": request.backend.rng.randint(1, DICE_FACES[emoji])}


@method("sendChatAction")
def send_chat_action(request: Request) -> bool:
    """Show an action on the phone for some seconds. The history does not change."""
    chat = writable_chat(request)
    action = request.params["action"]
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    request.backend.show(chat, request.bot, {"type": "chat_action", "action": action})
    return True


@method("sendMessageDraft")
def send_message_draft(request: Request) -> bool:
    """Show a preview of an unfinished message. The history does not change."""
    chat = writable_chat(request)
    if request.params["draft_id"] == 0:
        raise bad_request("draft identifier must be non-zero")
    text, _ = formatted(
        request.params.get("text") or "",
        request.params.get("parse_mode"),
        request.params.get("entities"),
        request.user,
        MOST_TEXT,
        "message",
    )
    request.backend.show(chat, request.bot, {"type": "draft", "draft_id": request.params["draft_id"], "text": text})
    return True


@method("sendRichMessage")
def send_rich_message(request: Request) -> Json:
    """Send blocks unchanged, and HTML or Markdown as one paragraph: the sandbox has no layout engine."""
    return deliver(request, {"rich_message": rich(request)})


def rich(request: Request) -> Json:
    """The RichMessage of an InputRichMessage. Raises: Refusal."""
    given = request.params["rich_message"]
    ways = [name for name in ("blocks", "html", "markdown") if given.get(name)]
    if len(ways) != 1:
        raise bad_request("rich message must have exactly one of blocks, html and markdown")
    if ways[0] == "blocks":
        blocks = given["blocks"]
        try:
            request.backend.schema.emissions.verify(blocks, "Array of RichBlock")
        except Mismatch:
            raise unsupported("these rich blocks") from None
    else:
        text, _ = formatted(
            given[ways[0]], "HTML" if ways[0] == "html" else "Markdown", None, request.user, 32768, "message"
        )
        blocks = [{"type": "paragraph", "text": text}]
    message: Json = {"blocks": blocks}
    if given.get("is_rtl"):
        message["is_rtl"] = True
    return message
