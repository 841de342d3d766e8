"""A bot's update queue: ids, offsets, expiry, limits, and the kinds of update that the bot wants.

Source of the numbers: tdlib/td `TQueue.cpp` and tdlib/telegram-bot-api `Client::do_get_updates`. `polling` and
`webhooks` read from the queue.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from operator import attrgetter

from botapi_sandbox.world.state import Queue, Queued

MOST_UPDATES = 100_000
MOST_BYTES = 128 * 2**20
OFFSET_SLACK = 10
"""An offset further beyond the tail than this is ignored; the queue is then read from its head."""
DAY_S = 24 * 3600.0
QUERY_S = 150.0
IDLE_RESET_S = 7 * DAY_S

LIFETIMES_S = {
    "callback_query": QUERY_S,
    "pre_checkout_query": QUERY_S,
    "shipping_query": QUERY_S,
    "inline_query": 30.0,
}
UPDATE_KINDS = (
    "message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "guest_message", "message_reaction",
    "message_reaction_count", "inline_query", "chosen_inline_result", "callback_query", "shipping_query",
    "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_member",
    "chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot", "subscription",
    "stopped_message_generation",
)  # fmt: skip
NOT_BY_DEFAULT = frozenset({"message_reaction", "message_reaction_count", "chat_member"})

_by_id = attrgetter("update_id")


def first_id(rng: random.Random) -> int:
    """The first id of a new queue."""
    return rng.randint(2_000_001, 2**30)


def is_wanted(queue: Queue, kind: str) -> bool:
    """True if the bot wants this kind. Without a list, it gets all kinds except three."""
    return kind in queue.allowed if queue.allowed is not None else kind not in NOT_BY_DEFAULT


def remember_allowed(queue: Queue, kinds: list[str] | None) -> None:
    """Store `allowed_updates`. None keeps the former list; `[]` or a list without known names means the default."""
    if kinds is None:
        return
    known = [kind for kind in UPDATE_KINDS if kind in kinds]
    queue.allowed = known or None


def append(queue: Queue, item: Queued, now: float) -> bool:
    """Add an update at the tail. False if the queue is full: the update is dropped silently, as Telegram does."""
    if len(queue.items) >= MOST_UPDATES or queue.size_bytes + len(item.body) > MOST_BYTES:
        return False
    queue.items.append(item)
    queue.size_bytes += len(item.body)
    queue.soonest = min(queue.soonest, item.expires_at)
    queue.next_id = item.update_id + 1
    queue.last_at = now
    return True


def next_id(queue: Queue, now: float, rng: random.Random) -> int:
    """The id of the next update: the last id plus one, or a random id after a week without updates."""
    if queue.last_at and not queue.items and now - queue.last_at > IDLE_RESET_S:
        queue.next_id = first_id(rng)
    return queue.next_id


def confirm(queue: Queue, offset: int) -> list[int]:
    """Remove the updates that the offset confirms, as getUpdates does, and return their ids.

    A negative offset keeps only that many updates at the tail.
    """
    if not queue.items or offset == 0:
        return []
    if offset < 0:
        cut = max(0, len(queue.items) + offset)
    elif offset > queue.next_id + OFFSET_SLACK:
        return []
    else:
        cut = bisect_left(queue.items, offset, key=_by_id)
    return forget(queue, queue.items[:cut])


def forget(queue: Queue, items: list[Queued]) -> list[int]:
    """Remove `items` from the queue. Returns their ids in order."""
    if not items:
        return []
    gone = {item.update_id for item in items}
    if queue.items[len(items) - 1].update_id == items[-1].update_id:
        del queue.items[: len(items)]
    else:
        queue.items = [item for item in queue.items if item.update_id not in gone]
    queue.size_bytes -= sum(len(item.body) for item in items)
    return sorted(gone)


def expire(queue: Queue, now: float) -> list[int]:
    """Remove expired updates. Returns their ids."""
    if now < queue.soonest:
        return []
    stale = [item for item in queue.items if item.expires_at <= now]
    ids = forget(queue, stale)
    queue.soonest = min((item.expires_at for item in queue.items), default=float("inf"))
    return ids
