"""Finds the messages that are safe to copy: messages in which we know every member.

`wire` skips members that it does not know, so a rebuilt message cannot contain them. A copy skips nothing: it shows the
message as Telegram stores it, with members that we may not know. So before a message may be copied, which is rare (see
`rich`), this module reads its getUpdates answer once more, for the names of the members.
"""

from typing import Any

import msgspec

_MEMBERS = frozenset(
    {"message_id", "from", "chat", "date", "edit_date", "rich_message", "has_protected_content", "effect_id"}
)
"""Members that we read, and members that every message has and no copy shows."""
_OTHERS = frozenset({"reply_to_message", "quote", "forward_origin"})
"""Members that hold another message: a copy is no reply and has no origin (source: Bot API 10.3, copyMessage)."""
_PERSON = frozenset({"id", "is_bot", "first_name", "last_name", "username", "language_code", "is_premium"})
_CHAT = frozenset({"id", "type", "first_name", "last_name", "username"})


def known(body: bytes) -> frozenset[int]:
    """Return the numbers of the updates whose message has only known members. `body` is a getUpdates answer."""
    try:
        answer = msgspec.json.decode(body)
        return frozenset(update["update_id"] for update in answer["result"] if _is_known(update))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return frozenset()


def _is_known(update: dict[str, Any]) -> bool:
    if len(update) != 2:
        return False
    if "message" in update:
        message = update["message"]
    elif "callback_query" in update:
        message = update["callback_query"].get("message", {}).get("reply_to_message")
    else:
        return False
    return (
        isinstance(message, dict)
        and message.keys() <= _MEMBERS | _OTHERS
        and message.get("from", {}).keys() <= _PERSON
        and message["chat"].keys() <= _CHAT
    )
