"""Switches for the sandbox's behaviour. The defaults are Telegram's behaviour. `POST /sandbox/settings` changes them.

Faults are in `faults`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Switches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Every field may be changed at any time. The next request uses it."""

    strict: bool = True
    """Refuse a request with a parameter that Bot API 10.3 does not have. Telegram ignores such parameters, which hides
    typos. If this is off, they are only noted in the journal."""
    check_own: bool = False
    """For tests: check every answer and update of the sandbox itself against the schema, and fail loudly."""
    limits: bool = True
    """Apply flood limits. The next four switches set them."""
    chat_rate_per_s: float = 1.0
    chat_burst: float = 20.0
    bot_rate_per_s: float = 30.0
    bot_burst: float = 30.0
    reactions: bool = True
    """Deliver `message_reaction` from private chats to bots that ask for it. It is not certain what Telegram does."""
    copy_messages_half: bool = False
    """`copyMessages` with one missing id answers 400 although the others were sent (tdlib/telegram-bot-api#714). If
    this is off, missing messages are skipped, as documented."""
    unknown_person: Literal["chat not found", "can't initiate"] = "chat not found"
    """The refusal for a person whom this bot never saw. A person it saw who never pressed Start is always a 403."""
    first_start_member_update: bool = True
    """Send `my_chat_member` on the first start too, not only when a person blocks or unblocks the bot."""
    callback_answer_s: float = 30.0
    """How long after the press a callback query can be answered. Telegram publishes no number."""
    checkout_answer_s: float = 10.0
    """How long after the press on Pay a `pre_checkout_query` can be answered."""
    refund_cancels: bool = False
    """A refund of a subscription's charge also ends its renewals. It is not certain what Telegram does."""
    cancels_by_provider_charge: bool = False
    """`editUserStarSubscription` wants the provider's id of the first charge. Telegram's documents contradict each
    other."""
    renews: bool = True
    """Renew subscriptions when they are due. Off: only `POST .../stars/renew` renews them."""
    renews_deleted_bots: bool = True
    """Go on charging for subscriptions of a bot whose token was revoked. It is not certain what Telegram does."""
    conflict_delay_s: float = 3.0
    """The delay of the second of two quick 409s, so that two pollers do not loop at full speed."""
    delete_within_s: float = 48 * 3600.0
    """How old a message may be when a bot deletes it."""
    link_valid_s: float = 3600.0
    """How long the link of `getFile` works."""
    webhooks_anywhere: bool = False
    """Accept webhooks on other machines. If this is off, they must be on a loopback address: a client of the sandbox
    must not be able to make it call the rest of the network."""
    journal_length: int = 20_000
    history_length: int = 2_000
    """How many messages each chat keeps. Older ones behave like deleted ones."""
    file_bytes_kept: int = 256 * 2**20
    """The total size of stored files. Above it, the bytes of the oldest files are dropped, and cannot be downloaded."""


def changed(switches: Switches, changes: dict[str, Any]) -> Switches:
    """The switches with `changes` applied. Raises: msgspec.ValidationError for an unknown name or a wrong type."""
    return msgspec.convert({**msgspec.structs.asdict(switches), **changes}, Switches)
