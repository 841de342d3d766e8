"""copyMessage(s) and forwardMessage(s): what is kept, what is made new, what is refused.

Sources: tdlib/td `MessageContent.cpp` (`dup_message_content`, `can_forward_message_content`), `MessagesManager.cpp`
(`can_forward_message`, `get_forwarded_messages`). In short:

- A copy keeps everything a person wrote with all entities, even `text_mention`, which names a person.
- Never copied: service messages, invoices, paid media, giveaways and their winners, stories, games of other bots.
- Made new: dice are thrown again; polls start without votes (a quiz only if its answer is known); a live location
  becomes a fixed point; a checklist loses its ticks.
- A bot can copy protected content, but cannot forward it.
"""

from __future__ import annotations

from itertools import pairwise

from botapi_sandbox.world import polls
from botapi_sandbox.world.answers import Json, Refusal, bad_request
from botapi_sandbox.world.delivery import account_for, captioned, deliver, existing_chat, writable_chat
from botapi_sandbox.world.media import new_album_id
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.sending import rolled
from botapi_sandbox.world.state import Chat, ChatMessage

KINDS = (
    "text", "rich_message", "live_photo", "animation", "audio", "document", "photo", "sticker", "video", "video_note",
    "voice", "contact", "dice", "poll", "venue", "location", "checklist",
)  # fmt: skip
"""Content that can be copied. If a message has several of these fields, the first one here tells its kind."""
_REFUSED = ("invoice", "paid_media", "giveaway", "giveaway_winners", "story", "game", "successful_payment")
_CARRIED = (
    *KINDS, "entities", "link_preview_options", "caption", "caption_entities", "show_caption_above_media",
    "has_media_spoiler",
)  # fmt: skip
_CAPTIONED = frozenset({"animation", "audio", "document", "photo", "video", "voice", "live_photo"})
MOST_AT_ONCE = 100


def kind_of(message: Json) -> str | None:
    """The kind of a message's content. None for service messages and for content that no bot may copy."""
    if any(name in message for name in _REFUSED):
        return None
    return next((name for name in KINDS if name in message), None)


def copied_content(request: Request, message: Json) -> Json:
    """The content of a copy. Raises: Refusal."""
    kind = kind_of(message)
    if kind is None:
        raise bad_request("the message can't be copied")
    content = {name: message[name] for name in _CARRIED if name in message}
    if kind == "dice":
        content["dice"] = rolled(request, message["dice"]["emoji"])
    elif kind == "location":
        content["location"] = {
            key: value
            for key, value in message["location"].items()
            if key not in ("live_period", "heading", "proximity_alert_radius")
        }
    elif kind == "poll":
        content["poll"] = polls.unvoted_copy(request, message["poll"])
    elif kind == "checklist":
        ticks = ("completed_by_user", "completed_by_chat", "completion_date")
        tasks = [{k: v for k, v in task.items() if k not in ticks} for task in message["checklist"]["tasks"]]
        content["checklist"] = {**message["checklist"], "tasks": tasks}
    return content


def _source(request: Request, message_id: int, verb: str) -> ChatMessage:
    chat = existing_chat(request, request.params["from_chat_id"])
    found = chat.messages.get(message_id)
    if found is None:
        raise bad_request(f"message to {verb} not found")
    return found


@method("copyMessage")
def copy_message(request: Request) -> Json:
    """Send a new message without a link to the old one. A new caption replaces the caption and its entities."""
    params = request.params
    request.refuse_unsupported("video_start_timestamp")
    chat = writable_chat(request)
    found = _source(request, params["message_id"], "copy")
    content = copied_content(request, found.message)
    if params.get("caption") is not None and kind_of(content) in _CAPTIONED:
        for name in ("caption", "caption_entities", "show_caption_above_media"):
            content.pop(name, None)
        content.update(captioned(request))
    return {"message_id": deliver(request, content, chat)["message_id"]}


@method("copyMessages")
def copy_messages(request: Request) -> list[Json]:
    """Skip missing messages. With `Switches.copy_messages_half`, copy the others and still answer an error."""
    chat, found, missing = _batch(request, "copy")
    contents = []
    for each in found:
        if kind_of(each.message) is not None:
            content = copied_content(request, each.message)
            if request.params.get("remove_caption"):
                for name in ("caption", "caption_entities", "show_caption_above_media"):
                    content.pop(name, None)
            contents.append((each, content))
    if not contents:
        raise bad_request("there are no messages to copy" if found else "message to copy not found")
    sent = _send_all(request, chat, contents)
    if missing and request.backend.switches.copy_messages_half:
        raise bad_request(f'failed to send message #{missing[0]} with the error message "MESSAGE_ID_INVALID"')
    return sent


@method("forwardMessage")
def forward_message(request: Request) -> Json:
    """Send a message that names the original author."""
    request.refuse_unsupported("video_start_timestamp")
    chat = writable_chat(request)
    found = _source(request, request.params["message_id"], "forward")
    return deliver(request, _forwarded(request, found), chat)


@method("forwardMessages")
def forward_messages(request: Request) -> list[Json]:
    """Skip messages that cannot be forwarded."""
    chat, found, _ = _batch(request, "forward")
    contents = []
    for each in found:
        try:
            contents.append((each, _forwarded(request, each)))
        except Refusal:
            continue
    if not contents:
        raise bad_request("there are no messages to forward" if found else "message to forward not found")
    return _send_all(request, chat, contents)


def _batch(request: Request, verb: str) -> tuple[Chat, list[ChatMessage], list[int]]:
    """The target chat, the messages that exist, and the positions (from 1) of the missing ones."""
    ids = request.params["message_ids"]
    if not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > MOST_AT_ONCE:
        raise bad_request(f"too many messages to {verb}")
    if any(second <= first for first, second in pairwise(ids)):
        raise bad_request("message identifiers must be in a strictly increasing order")
    chat = writable_chat(request)
    source = existing_chat(request, request.params["from_chat_id"])
    found = [source.messages[each] for each in ids if each in source.messages]
    return chat, found, [place for place, each in enumerate(ids, start=1) if each not in source.messages]


def _send_all(request: Request, chat: Chat, contents: list[tuple[ChatMessage, Json]]) -> list[Json]:
    account_for(request, chat, len(contents))
    albums: dict[str, str] = {}
    sent = []
    for each, content in contents:
        group = each.message.get("media_group_id")
        if group is not None:
            new_group = albums.setdefault(group, new_album_id(request.backend.rng.getrandbits))
            content = {**content, "media_group_id": new_group}
        sent.append({"message_id": deliver(request, content, chat, accounted=True)["message_id"]})
    return sent


def _forwarded(request: Request, sent: ChatMessage) -> Json:
    message = sent.message
    if message.get("has_protected_content"):
        raise bad_request("message has protected content and can't be forwarded")
    if kind_of(message) is None and not any(name in message for name in ("story", "game", "giveaway", "invoice")):
        raise bad_request("the message can't be forwarded")
    content = {name: message[name] for name in (*_CARRIED, *_REFUSED) if name in message}
    return {"forward_origin": origin_of(message), **content}


def origin_of(message: Json) -> Json:
    """The original author of a message, and its date."""
    origin: Json = message.get("forward_origin") or {
        "type": "user",
        "sender_user": message["from"],
        "date": message["date"],
    }
    return origin
