"""Webhooks: what setWebhook stores, which update is due for which bot, and what its answer means.

The core decides, the shell carries the requests: `due` gives deliveries to make now, `answered` takes what became of
one. Order holds within a queue (messages by chat, callbacks and payments by person), also with many connections: the
next update of a queue waits for a 2xx. Source: tdlib/telegram-bot-api `WebhookActor.cpp`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botapi_sandbox.addresses import host_of, is_loopback
from botapi_sandbox.world import polling, queue
from botapi_sandbox.world.answers import Json, Refusal, bad_request
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.state import Bot, Webhook

if TYPE_CHECKING:
    from botapi_sandbox.world.world import World

SHORTEST_CEILING_S, LONGEST_CEILING_S = 60.0, 120.0
"""Back-off doubles up to a random ceiling between these."""
LONGEST_RETRY_AFTER_S = 3600.0
SET_EVERY_S = 1.0
GONE_FOR_S = 23 * 3600.0
"""A webhook that answers 410 this long is removed."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to make: POST `body` (an Update as JSON) to `url`."""

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
    update_queues: dict[str, _UpdateQueue] = field(default_factory=dict)
    gone_since: float | None = None


class Webhooks:
    """The delivery state of all webhooks. In memory: after a restart everything unconfirmed is tried again at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hooks: dict[int, _Hook] = {}
        self._set_at: dict[int, float] = {}

    def forget(self, bot_id: int) -> None:
        """The webhook changed: old failures do not count."""
        self._hooks.pop(bot_id, None)

    def may_set(self, bot_id: int) -> bool:
        """At most once a second, counting this time."""
        now = self._world.now()
        if self._world.switches.limits and now < self._set_at.get(bot_id, -1e9) + SET_EVERY_S:
            return False
        self._set_at[bot_id] = now
        return True

    def due(self, bot_id: int) -> list[Delivery]:
        """What to deliver now; each is in flight until `answered`."""
        bot = self._world.state.bots[bot_id]
        webhook = bot.queue.webhook
        if webhook is None:
            return []
        now = self._world.now()
        stale = queue.expire(bot.queue, now)
        if stale:
            self._world.journal.note("dropped", bot_id, update_ids=stale, reason="expired")
        hook = self._hooks.setdefault(bot_id, _Hook())
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
            self._world.journal.note("delivered", bot_id, update_ids=[item.update_id])
        return deliveries

    def next_due(self, bot_id: int) -> float | None:
        """When a queue that backs off may be tried again, in unix seconds."""
        hook = self._hooks.get(bot_id)
        if hook is None or not self._world.state.bots[bot_id].queue.items:
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
        """What became of a delivery: its HTTP status, or None with `error` if no answer came.

        `reply` is the JSON body of a 2xx: a method call in it is carried out, and its result told to nobody.
        """
        world = self._world
        bot = world.state.bots.get(delivery.bot_id)
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
                world.journal.note("confirmed", bot.id, update_ids=gone)
            del hook.update_queues[name]
            hook.gone_since = None
            world.changes += 1
            if reply is not None:
                _carry_out(world, bot, reply)
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
        world, now = self._world, self._world.now()
        webhook = bot.queue.webhook
        if webhook is None:
            return
        webhook.last_error_date = int(now)
        webhook.last_error_message = error or f"Wrong response from the webhook: {status}"
        world.changes += 1
        if status == 410:
            hook.gone_since = hook.gone_since or now
            if now - hook.gone_since >= GONE_FOR_S:
                bot.queue.webhook = None
                self.forget(bot.id)
                return
        # The first retry is at once, then 2, 4, 8 ... seconds.
        ceiling = world.rng.uniform(SHORTEST_CEILING_S, LONGEST_CEILING_S)
        wait_s = 0.0 if update_queue.failures == 0 else min(ceiling, 2.0**update_queue.failures)
        if retry_after_s is not None:
            wait_s = min(LONGEST_RETRY_AFTER_S, max(0.0, retry_after_s))
        update_queue.failures += 1
        update_queue.not_before = now + wait_s


def _carry_out(world: World, bot: Bot, reply: Json) -> None:
    name = str(reply.get("method", ""))
    forbidden = name.lower().startswith("get") or name.lower() in ("setwebhook", "deletewebhook", "close", "logout")
    if name and not forbidden:
        world.call(bot.token, name, {key: value for key, value in reply.items() if key != "method"})


@method("setWebhook")
def set_webhook(request: Request) -> bool:
    """An empty URL deletes it."""
    world, bot, params = request.world, request.bot, request.params
    url = params["url"]
    if not url:
        return _delete(request)
    # Telegram wants https and one of four ports; on a loopback nobody has a certificate, so http and any port will do.
    if not re.match(r"https?://[^/\s]+", url):
        raise bad_request("bad webhook: invalid webhook URL specified")
    if not world.switches.webhooks_anywhere and not is_loopback(host_of(url)):
        raise bad_request("bad webhook: this sandbox only takes webhooks on this machine (see --webhooks-anywhere)")
    secret = params.get("secret_token", "")
    if secret and not _SECRET.match(secret):
        raise bad_request("secret token contains unallowed characters")
    if not world.webhooks.may_set(bot.id):
        raise Refusal(429, "Too Many Requests: retry after 1", retry_after=1)
    polling.end(world, bot, Refusal(409, "Conflict: terminated by setWebhook request"))
    queue.remember_allowed(bot.queue, params.get("allowed_updates"))
    if params.get("drop_pending_updates"):
        _drop(world, bot)
    connections = min(100, max(1, params.get("max_connections", 40)))
    former = bot.queue.webhook
    bot.queue.webhook = Webhook(
        url=url,
        secret=secret,
        max_connections=connections,
        ip_address=params.get("ip_address"),
        has_certificate=params.get("certificate") is not None,
    )
    if former is None or former.url != url:
        world.webhooks.forget(bot.id)
    world.webhooks_changed(bot)
    return True


@method("deleteWebhook")
def delete_webhook(request: Request) -> bool:
    """getUpdates works again."""
    return _delete(request)


def _delete(request: Request) -> bool:
    if request.params.get("drop_pending_updates"):
        _drop(request.world, request.bot)
    request.bot.queue.webhook = None
    request.world.webhooks.forget(request.bot.id)
    request.world.webhooks_changed(request.bot)
    return True


def _drop(world: World, bot: Bot) -> None:
    dropped = queue.forget(bot.queue, list(bot.queue.items))
    if dropped:
        world.journal.note("dropped", bot.id, update_ids=dropped, reason="drop_pending")


@method("getWebhookInfo")
def get_webhook_info(request: Request) -> Json:
    """The URL is empty if there is none."""
    kept = request.bot.queue
    queue.expire(kept, request.world.now())
    webhook = kept.webhook
    info: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": len(kept.items)}
    if webhook is not None:
        info |= {
            "url": webhook.url,
            "has_custom_certificate": webhook.has_certificate,
            "max_connections": webhook.max_connections,
        }
        if webhook.ip_address:
            info["ip_address"] = webhook.ip_address
        if webhook.last_error_date is not None:
            info["last_error_date"] = webhook.last_error_date
            info["last_error_message"] = webhook.last_error_message
    if kept.allowed is not None:
        info["allowed_updates"] = kept.allowed
    return info
