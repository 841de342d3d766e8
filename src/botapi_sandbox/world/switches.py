"""The behaviours that can be switched, with the values that Telegram shows by default. `POST /sandbox/settings`
writes them.

Faults are not here: they are scripted one by one, see `faults`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Switches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Every field may be changed at any time; it acts from the next request on."""

    strict: bool = True
    """Refuse a request with a parameter that Bot API 10.3 does not have. Telegram ignores such parameters, which hides
    typos; off, they are only noted in the journal."""
    check_own: bool = False
    """Check every answer and update of the sandbox itself against the schema, and fail loudly: for tests."""
    limits: bool = True
    """Flood limits. See the next four."""
    chat_rate_per_s: float = 1.0
    chat_burst: float = 20.0
    bot_rate_per_s: float = 30.0
    bot_burst: float = 30.0
    reactions: bool = True
    """Deliver `message_reaction` from private chats to bots that ask for it. What Telegram does is disputed."""
    copy_messages_half: bool = False
    """`copyMessages` with one missing id answers 400 although the others were sent (tdlib/telegram-bot-api#714);
    off, missing messages are skipped, as documented."""
    unknown_person: Literal["chat not found", "can't initiate"] = "chat not found"
    """The refusal for a person this bot never saw. One it saw and who never pressed Start is always a 403."""
    first_start_member_update: bool = True
    """Send `my_chat_member` on the first start too, not only when a person blocks or unblocks."""
    callback_answer_s: float = 30.0
    """How long after the press a callback query can be answered. Telegram names no figure."""
    checkout_answer_s: float = 10.0
    conflict_delay_s: float = 3.0
    """How late the second of two 409s in short order comes, so that two pollers do not spin."""
    delete_within_s: float = 48 * 3600.0
    link_life_s: float = 3600.0
    webhooks_anywhere: bool = False
    """Take webhooks on other machines. Off, they must be on a loopback address: whoever may talk to the sandbox must
    not make it call the rest of the network."""
    journal_length: int = 20_000
    history_length: int = 2_000
    """Messages kept per chat; older ones are as if deleted."""
    file_bytes_kept: int = 256 * 2**20
    """Beyond this, the bytes of the oldest files are forgotten and their download fails."""


def changed(switches: Switches, changes: dict[str, Any]) -> Switches:
    """The switches with `changes` applied. Raises: msgspec.ValidationError for an unknown name or a wrong type."""
    return msgspec.convert({**msgspec.structs.asdict(switches), **changes}, Switches)
