"""getUpdates: offsets, the rule against too frequent calls, long polls, and the conflict of two pollers.

Source: tdlib/telegram-bot-api `Client::process_get_updates_query`, `do_get_updates`, `abort_long_poll`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from botapi_sandbox.world import faults as faulty
from botapi_sandbox.world import queue
from botapi_sandbox.world.answers import Answer, Refusal, Waiting, refused, success
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.poller import Poller
from botapi_sandbox.world.state import Bot
from botapi_sandbox.world.values import Mismatch
from botapi_sandbox.world.wording import mismatch_refusal

MOST_TIMEOUT_S = 50
TOO_SOON_S = 0.5
"""A call with the same offset within this time gets only one update."""
REPEATED_S = 3.0
"""A call with the same offset within this time waits up to this time, even with timeout 0."""
REPEATED_CONFLICT_S = 3.0

_TERMINATED = "terminated by other getUpdates request; make sure that only one bot instance is running"
_WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


def poll(backend: Backend, token: str, params: Mapping[str, Any]) -> Answer | Waiting:
    """Answer getUpdates, or return a wait."""
    try:
        bot = backend.bot_by_token(token)
    except Refusal as refusal:
        return refused(refusal)
    fault = faulty.choose(backend.faults, backend.rng, bot.id, "getupdates", None) if backend.faults else None
    if fault is not None and not fault.happens_after():
        backend.journal.note("request", bot.id, method="getUpdates", params=dict(params), fault=fault.kind)
        return faulty.apply(fault, None)
    try:
        outcome = _poll(backend, bot, params)
    except Refusal as refusal:
        backend.journal.note(
            "request",
            bot.id,
            method="getUpdates",
            params=dict(params),
            status=refusal.status,
            error=refusal.description,
        )
        return _delayed_conflict(backend, bot, refusal)
    if fault is None:
        return outcome
    if isinstance(outcome, Waiting):
        outcome.apply_fault = partial(faulty.apply, fault)
        return outcome
    return faulty.apply(fault, outcome)


def _poll(backend: Backend, bot: Bot, params: Mapping[str, Any]) -> Answer | Waiting:
    check = backend.schema.requests.methods["getupdates"]
    try:
        read, unknown = check.read(params)
    except Mismatch as mismatch:
        raise mismatch_refusal("getUpdates", mismatch) from None
    if unknown and backend.switches.strict:
        raise Refusal(400, f"Bad Request: getUpdates has no parameter {', '.join(unknown)}")
    if bot.queue.webhook is not None:
        raise Refusal(409, f"Conflict: {_WEBHOOK_ACTIVE}")
    poller = backend.polls.setdefault(bot.id, Poller())
    if poller.waiting is not None:
        end(backend, bot, Refusal(409, f"Conflict: {_TERMINATED}"))
    queue.remember_allowed(bot.queue, read.get("allowed_updates"))
    now = backend.now()
    offset: int = read.get("offset", 0)
    limit = min(100, read.get("limit", 100))
    limit = 100 if limit <= 0 else limit
    timeout_s: float = min(MOST_TIMEOUT_S, max(0, read.get("timeout", 0)))
    if offset == poller.offset:
        if timeout_s < REPEATED_S and now < poller.at + REPEATED_S:
            timeout_s = REPEATED_S
        if now < poller.at + TOO_SOON_S:
            limit = 1
    poller.offset, poller.at = offset, now
    confirmed = queue.confirm(bot.queue, offset)
    if confirmed:
        backend.journal.note("confirmed", bot.id, update_ids=confirmed)
        backend.changes += 1
    answer = _take(backend, bot, limit)
    if answer is not None:
        return answer
    if timeout_s == 0:
        return success([])
    poller.waiting = Waiting(bot.id, limit, now + timeout_s)
    return poller.waiting


def _take(backend: Backend, bot: Bot, limit: int) -> Answer | None:
    stale = queue.expire(bot.queue, backend.now()) if bot.queue.items else []
    if stale:
        backend.journal.note("dropped", bot.id, update_ids=stale, reason="expired")
    items = bot.queue.items[:limit]
    if not items:
        return None
    backend.journal.note("delivered", bot.id, update_ids=[item.update_id for item in items])
    return success([msgspec.Raw(item.body) for item in items])


def resume(backend: Backend, waiting: Waiting) -> Answer | Waiting:
    """See `World.resume`."""
    if waiting.answer is not None:
        return waiting.answer
    bot = backend.state.bots[waiting.bot_id]
    answer = _take(backend, bot, waiting.limit)
    if answer is None and backend.now() < waiting.deadline:
        return waiting
    abandon(backend, waiting)
    answer = answer or success([])
    waiting.answer = waiting.apply_fault(answer) if waiting.apply_fault is not None else answer
    return waiting.answer


def abandon(backend: Backend, waiting: Waiting) -> None:
    """End the wait without an answer."""
    poller = backend.polls.get(waiting.bot_id)
    if poller is not None and poller.waiting is waiting:
        poller.waiting = None


def end(backend: Backend, bot: Bot, refusal: Refusal) -> None:
    """End the waiting poll, if there is one, with a refusal."""
    poller = backend.polls.get(bot.id)
    if poller is None or poller.waiting is None:
        return
    waiting, poller.waiting = poller.waiting, None
    waiting.answer = _delayed_conflict(backend, bot, refusal)
    backend.journal.note(
        "request", bot.id, method="getUpdates", params={}, status=refusal.status, error=refusal.description
    )
    waiting.wake_up()


def _delayed_conflict(backend: Backend, bot: Bot, refusal: Refusal) -> Answer:
    """Delay the answer to repeated conflicts, so that two pollers do not loop at full speed."""
    answer = refused(refusal)
    if refusal.status != 409:
        return answer
    poller = backend.polls.setdefault(bot.id, Poller())
    repeated = backend.now() < poller.conflict_at + REPEATED_CONFLICT_S
    poller.conflict_at = backend.now()
    return Answer(
        answer.status, answer.body, answer.headers, None, backend.switches.conflict_delay_s if repeated else 0.0
    )
