"""A bot's reactions: one emoji on a message. People react through `people`."""

from __future__ import annotations

from botapi_sandbox.world.answers import bad_request
from botapi_sandbox.world.delivery import existing_chat
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.state import Chat, ChatMessage


@method("setMessageReaction")
def set_message_reaction(request: Request) -> bool:
    """Set one reaction, or remove it. A paid one is refused. An album shows it on the first item that is not deleted.

    A custom emoji is refused unless the person reacted with the same one.
    """
    params = request.params
    chat = existing_chat(request, params["chat_id"])
    found = chat.messages.get(params["message_id"])
    if found is None:
        raise bad_request("message to react not found")
    wanted = params.get("reaction") or []
    if len(wanted) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if wanted and wanted[0]["type"] == "paid":
        raise bad_request("REACTION_INVALID")
    target = first_of_album(chat, found)
    if wanted and wanted[0]["type"] == "custom_emoji" and target.persons_reaction != wanted[0]:
        raise bad_request("REACTION_INVALID")
    target.bots_reaction = wanted[0] if wanted else None
    request.backend.show_reactions(chat, request.bot, target)
    return True


def first_of_album(chat: Chat, sent: ChatMessage) -> ChatMessage:
    """The item that carries the reactions of an album. For other messages, the message itself."""
    group = sent.message.get("media_group_id")
    if group is None:
        return sent
    return next(each for each in chat.messages.values() if each.message.get("media_group_id") == group)
