"""Splits a getUpdates answer into its updates.

One unreadable update must not cost the others. The whole answer is decoded at once. If that fails, the answer is cut
into its updates by hand: msgspec skips nested values recursively even for `Raw`, so one update that is nested too
deeply makes it fail on the whole list. An update that still cannot be decoded is salvaged as far as possible.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Generic

import msgspec
from msgspec import Struct

from passerby.adapters.botapi.salvage import parsed, salvaged
from passerby.adapters.botapi.wire import CONTENT_FIELDS, TOKENS, M, Message, Unreadable, Update, UsualMessage

AnyUpdate = Update[UsualMessage] | Update[Message]


class UpdatesAnswer(Struct, Generic[M]):
    ok: bool
    result: list[Update[M]]


_usual_answers = msgspec.json.Decoder(UpdatesAnswer[UsualMessage])
"""To read a text with the fields of all service messages would take half as long again."""
_answers = msgspec.json.Decoder(UpdatesAnswer[Message])
_updates = msgspec.json.Decoder(Update[Message])

_READ = tuple(name for name in Update.__struct_fields__ if name != "update_id")
NOT_ASKED_FOR = frozenset(
    {
        "business_connection", "business_message", "channel_post", "chat_boost", "chat_join_request", "chat_member",
        "chosen_inline_result", "deleted_business_messages", "edited_business_message", "edited_channel_post",
        "guest_message", "inline_query", "managed_bot", "message_reaction_count", "poll", "poll_answer",
        "purchased_paid_media", "removed_chat_boost", "shipping_query", "stopped_message_generation",
    }
)  # fmt: skip
"""Known kinds of updates that have nothing to do with our chats (source: Bot API 10.3, Update)."""


_NO_MESSAGES = frozenset({"callback_query", "message_reaction", "my_chat_member", "pre_checkout_query", "subscription"})


def read_updates(body: bytes) -> list[AnyUpdate | Unreadable]:
    """Decode a getUpdates answer that has `ok: true`, in order.

    Raises: ValueError if the body is not such an answer.
    """
    answer: UpdatesAnswer[UsualMessage] | UpdatesAnswer[Message]
    try:
        answer = _usual_answers.decode(body)
        if any(
            update.message.text is None and _is_service(update.message) for update in answer.result if update.message
        ):
            answer = _answers.decode(body)
    except (ValueError, RecursionError):
        return [update for piece in _cut(body) if (update := _read_alone(piece))]
    if not answer.ok:
        raise ValueError("the answer is not ok")
    others = [update for update in answer.result if update.message is None]
    if any(map(_is_empty, others)):
        return [update for piece in _cut(body) if (update := _read_alone(piece))]
    return [*answer.result]


def _is_service(message: UsualMessage) -> bool:
    return all(getattr(message, name) in (None, ()) for name in CONTENT_FIELDS)


def _is_empty(update: AnyUpdate) -> bool:
    return update.message is None and all(getattr(update, name) is None for name in _READ)


def _read_alone(piece: bytes) -> Update[Message] | Unreadable | None:
    try:
        update = _updates.decode(piece)
        if not _is_empty(update):
            return update
    except (ValueError, RecursionError):
        pass
    found = _UPDATE_ID.search(piece)
    if found is None:
        return None  # without an id we cannot confirm it; the offset of the next update skips it
    try:
        value = parsed(piece)
    except ValueError:
        return Unreadable(int(found[1]))
    if not isinstance(value, dict):
        return Unreadable(int(found[1]))
    if value.keys() <= NOT_ASKED_FOR | {"update_id"}:
        return Update[Message](int(found[1]))
    unreadable = _unreadable(int(found[1]), value)
    update_or_none = salvaged(value | {"update_id": unreadable.update_id})
    if update_or_none is None or _is_empty(update_or_none):
        return unreadable
    return update_or_none


def _unreadable(update_id: int, value: Mapping[str, Any]) -> Unreadable:
    """Describe an update whose content cannot be read: its sender, and whether it is a message or an edit, so that the
    sender can be told."""
    for name, part in value.items():
        if name not in NOT_ASKED_FOR and isinstance(part, dict):
            return _unreadable_part(update_id, name, part)
    return Unreadable(update_id)


def _unreadable_part(update_id: int, name: str, part: Mapping[str, Any]) -> Unreadable:
    sender, chat = part.get("from") or part.get("user"), part.get("chat")
    by_bot = isinstance(sender, dict) and sender.get("is_bot") is True
    person = _number(sender.get("id")) if isinstance(sender, dict) else 0
    where = _number(chat.get("id")) if isinstance(chat, dict) else 0
    if not _may_be_private(chat) or name in _NO_MESSAGES:
        return Unreadable(update_id, person, by_bot=by_bot)
    what = "edit" if name.startswith("edited") else "message"
    person = where or person
    return Unreadable(update_id, person, _number(part.get("message_id")), _number(part.get("date")), what, by_bot)


def _may_be_private(chat: Any) -> bool:
    if not isinstance(chat, dict):
        return True
    kind = chat.get("type")
    return _number(chat.get("id")) >= 0 and (kind == "private" or not isinstance(kind, str))


def _number(value: Any) -> int:
    """Return the number, or 0 if Telegram would never send it."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:19])
    return value if isinstance(value, int) and -(2**63) <= value < 2**63 else 0


# Telegram writes the update's own id first, so the first match is not one from inside the update.
_UPDATE_ID = re.compile(rb'"update_id"\s*:\s*(\d{1,18})')
_RESULT = re.compile(rb'"result"\s*:\s*\[')


def _cut(body: bytes) -> Iterator[bytes]:
    """Yield each object of the `result` list by counting brackets outside strings; its content does not matter."""
    start = _RESULT.search(body)
    if start is None:
        raise ValueError("the answer holds no list of updates")
    depth = 0
    begin = start.end()
    for token in TOKENS.finditer(body, start.end()):
        match token[0]:
            case b"{" | b"[":
                if depth == 0:
                    begin = token.start()
                depth += 1
            case b"}" | b"]":
                depth -= 1
                if depth < 0:
                    return
                if depth == 0:
                    yield body[begin : token.end()]
    raise ValueError("the answer ends in the middle of its list of updates")
