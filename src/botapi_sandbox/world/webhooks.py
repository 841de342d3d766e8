"""Webhooks: which updates to deliver now, and what the answers mean.

`webhook_sender` sends the requests: `due` returns the deliveries to make now, and `answered` takes the result of one.
Updates of one queue (messages by chat, callbacks and payments by person) stay in order, even with many connections:
the next update waits for a 2xx. Source: tdlib/telegram-bot-api `WebhookActor.cpp`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botapi_sandbox.world import queue
from botapi_sandbox.world.answers import Answer, Json
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.state import Bot

Call = Callable[[str, str, Mapping[str, Any]], Answer]
"""`World.call`: token, method, parameters."""

SHORTEST_CEILING_S, LONGEST_CEILING_S = 60.0, 120.0
"""The back-off doubles, up to a random limit between these."""
LONGEST_RETRY_AFTER_S = 3600.0
GONE_FOR_S = 23 * 3600.0
"""A webhook that answers 410 for this long is removed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request to send: POST `body` (an Update as JSON) to `url`."""

    bot_id: int
    update_id: int
    url: str
    secret: str
    body: bytes


@dataclass(slots=True)
class _UpdateQueue:
    in_flight: int | None = None
    not_before: float = 0.0
    failures: int = 0


@dataclass(slots=True)
class _Hook:
    url: str
    update_queues: dict[str, _UpdateQueue] = field(default_factory=dict)
    gone_since: float | None = None


class Webhooks:
    """The delivery state of all webhooks, only in memory: a restart delivers all unconfirmed updates again at once."""

    def __init__(self, backend: Backend, call: Call) -> None:
        self._backend = backend
        self._call = call
        self._hooks: dict[int, _Hook] = {}
        backend.on_webhook(self._changed)

    def _changed(self, bot_id: int) -> None:
        """Forget the failures of an address that the bot no longer uses."""
        webhook = self._backend.state.bots[bot_id].queue.webhook
        hook = self._hooks.get(bot_id)
        if hook is not None and (webhook is None or webhook.url != hook.url):
            del self._hooks[bot_id]

    def due(self, bot_id: int) -> list[Delivery]:
        """The deliveries to make now. Each one is in flight until `answered` is called."""
        bot = self._backend.state.bots[bot_id]
        webhook = bot.queue.webhook
        if webhook is None:
            return []
        now = self._backend.now()
        stale = queue.expire(bot.queue, now)
        if stale:
            self._backend.journal.note("dropped", bot_id, update_ids=stale, reason="expired")
        hook = self._hooks.setdefault(bot_id, _Hook(webhook.url))
        room = webhook.max_connections - sum(
            update_queue.in_flight is not None for update_queue in hook.update_queues.values()
        )
        deliveries: list[Delivery] = []
        seen: set[str] = set()
        for item in bot.queue.items:
            if len(deliveries) >= room:
                break
            if item.update_queue in seen:
                continue
            seen.add(item.update_queue)
            update_queue = hook.update_queues.setdefault(item.update_queue, _UpdateQueue())
            if update_queue.in_flight is not None or update_queue.not_before > now:
                continue
            update_queue.in_flight = item.update_id
            deliveries.append(Delivery(bot_id, item.update_id, webhook.url, webhook.secret, item.body))
            self._backend.journal.note("delivered", bot_id, update_ids=[item.update_id])
        return deliveries

    def next_due(self, bot_id: int) -> float | None:
        """When to try the next failed queue again, in Unix seconds."""
        hook = self._hooks.get(bot_id)
        if hook is None or not self._backend.state.bots[bot_id].queue.items:
            return None
        times = [
            update_queue.not_before
            for update_queue in hook.update_queues.values()
            if update_queue.in_flight is None and update_queue.failures
        ]
        return min(times, default=None)

    def answered(
        self,
        delivery: Delivery,
        status: int | None,
        *,
        retry_after_s: float | None = None,
        error: str | None = None,
        reply: Json | None = None,
    ) -> None:
        """The result of a delivery: its HTTP status, or None with `error` if there was no answer.

        `reply` is the JSON body of a 2xx. A method call in it is carried out, and its result is dropped.
        """
        backend = self._backend
        bot = backend.state.bots.get(delivery.bot_id)
        hook = self._hooks.get(delivery.bot_id)
        if bot is None or hook is None or bot.queue.webhook is None or bot.queue.webhook.url != delivery.url:
            return
        name, update_queue = next(
            (
                (name, update_queue)
                for name, update_queue in hook.update_queues.items()
                if update_queue.in_flight == delivery.update_id
            ),
            ("", None),
        )
        if update_queue is None:
            return
        update_queue.in_flight = None
        if status is not None and 200 <= status < 300:
            gone = queue.forget(bot.queue, [item for item in bot.queue.items if item.update_id == delivery.update_id])
            if gone:
                backend.journal.note("confirmed", bot.id, update_ids=gone)
            del hook.update_queues[name]
            hook.gone_since = None
            backend.changes += 1
            if reply is not None:
                self._call_in_reply(bot, reply)
            return
        self._failed(bot, hook, update_queue, status, retry_after_s, error)

    def _failed(
        self,
        bot: Bot,
        hook: _Hook,
        update_queue: _UpdateQueue,
        status: int | None,
        retry_after_s: float | None,
        error: str | None,
    ) -> None:
        backend, now = self._backend, self._backend.now()
        webhook = bot.queue.webhook
        if webhook is None:
            return
        webhook.last_error_date = int(now)
        webhook.last_error_message = error or f"Wrong response from the webhook: {status}"
        backend.changes += 1
        if status == 410:
            hook.gone_since = hook.gone_since or now
            if now - hook.gone_since >= GONE_FOR_S:
                bot.queue.webhook = None
                self._hooks.pop(bot.id, None)
                return
        # The first retry is immediate, the next ones after 2, 4, 8 ... seconds.
        ceiling = backend.rng.uniform(SHORTEST_CEILING_S, LONGEST_CEILING_S)
        wait_s = 0.0 if update_queue.failures == 0 else min(ceiling, 2.0**update_queue.failures)
        if retry_after_s is not None:
            wait_s = min(LONGEST_RETRY_AFTER_S, max(0.0, retry_after_s))
        update_queue.failures += 1
        update_queue.not_before = now + wait_s

    def _call_in_reply(self, bot: Bot, reply: Json) -> None:
        name = str(reply.get("method", ""))
        forbidden = name.lower().startswith("get") or name.lower() in ("setwebhook", "deletewebhook", "close", "logout")
        if name and not forbidden:
            self._call(bot.token, name, {key: value for key, value in reply.items() if key != "method"})
