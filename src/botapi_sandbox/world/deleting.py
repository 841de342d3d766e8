"""deleteMessage(s): which messages a bot may delete."""

from __future__ import annotations

from botapi_sandbox.world.answers import bad_request
from botapi_sandbox.world.copying import MOST_AT_ONCE
from botapi_sandbox.world.delivery import existing_chat
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.state import Chat, ChatMessage

DICE_KEPT_S = 24 * 3600


def _is_deletable(request: Request, sent: ChatMessage) -> bool:
    age_s: float = request.backend.now() - sent.message["date"]
    if "dice" in sent.message and age_s <= DICE_KEPT_S:
        return False
    return age_s < request.backend.switches.delete_within_s


def _delete(request: Request, chat: Chat, message_id: int) -> None:
    del chat.messages[message_id]
    request.made.append(message_id)
    request.backend.show(chat, request.bot, {"type": "deleted", "message_id": message_id})


@method("deleteMessage")
def delete_message(request: Request) -> bool:
    """Delete one message. In a private chat this includes the person's messages, within 48 hours."""
    message_id = request.params["message_id"]
    chat = existing_chat(request, request.params["chat_id"])
    found = chat.messages.get(message_id)
    if found is None:
        raise bad_request("message to delete not found")
    if not _is_deletable(request, found):
        raise bad_request("message can't be deleted for everyone")
    _delete(request, chat, message_id)
    return True


@method("deleteMessages")
def delete_messages(request: Request) -> bool:
    """Skip messages that are gone or too old."""
    ids = request.params["message_ids"]
    if not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > MOST_AT_ONCE:
        raise bad_request("too many message identifiers specified")
    chat = existing_chat(request, request.params["chat_id"])
    for message_id in ids:
        found = chat.messages.get(message_id)
        if found is not None and _is_deletable(request, found):
            _delete(request, chat, message_id)
    return True
