"""Telegram's error texts for requests that do not fit the schema; our own texts if Telegram accepts the request."""

from __future__ import annotations

from botapi_sandbox.world.answers import Refusal, bad_request
from botapi_sandbox.world.values import Mismatch

_MISSING = {
    "chat_id": "chat_id is empty",
    "from_chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "message_ids": "message identifiers are not specified",
    "photo": "there is no photo in the request",
    "video": "there is no video in the request",
    "animation": "there is no animation in the request",
    "audio": "there is no audio in the request",
    "voice": "there is no voice in the request",
    "video_note": "there is no video note in the request",
    "document": "there is no document in the request",
    "sticker": "there is no sticker in the request",
    "live_photo": "there is no live photo in the request",
    "file_id": "file_id not specified",
    "callback_query_id": "query is too old and response timeout expired or query ID is invalid",
    "action": "wrong parameter action in request",
    "user_id": "invalid user_id specified",
}
_NOT_AN_OBJECT = {
    "reply_markup": "object expected as reply markup",
    "entities": "can't parse entities: expected an Array of MessageEntity",
    "caption_entities": "can't parse entities: expected an Array of MessageEntity",
    "message_ids": "can't parse message identifiers JSON array",
    "media": "can't parse media JSON object",
    "reply_parameters": "can't parse reply parameters JSON object",
}
_LONG = {
    "callback_data": "BUTTON_DATA_INVALID",
    "payload": "INVOICE_PAYLOAD_INVALID",
    "title": "INVOICE_TITLE_INVALID",
    "answerCallbackQuery.text": "MESSAGE_TOO_LONG",
    "question": "poll question length must not exceed 300",
    "options": "poll options length must not exceed 100",
    "secret_token": "secret token is too long",
    "command": "BOT_COMMAND_INVALID",
    "description": "BOT_COMMAND_DESCRIPTION_INVALID",
}
_TYPES = {
    "message_id": "invalid message_id specified",
    "user_id": "invalid user_id specified",
    "latitude": "failed to parse latitude",
    "longitude": "failed to parse longitude",
}


def mismatch_refusal(method: str, error: Mismatch) -> Refusal:
    """The refusal for a request that does not fit the schema."""
    top, last = error.path[0] if error.path else "", next((s for s in reversed(error.path) if not s.isdigit()), "")
    words: str | None = None
    match error.kind:
        case "missing" if len(error.path) == 1:
            words = _MISSING.get(last, f'parameter "{last}" is required')
        case "type" | "json":
            words = _NOT_AN_OBJECT.get(top) if error.kind == "json" or len(error.path) == 1 else None
            words = words or _TYPES.get(last)
        case "long" | "short":
            words = _LONG.get(f"{method}.{last}") or _LONG.get(last)
        case "enum" if method == "setMessageReaction":
            words = "REACTION_INVALID"
    return bad_request(words or f"{method}: {error}")
