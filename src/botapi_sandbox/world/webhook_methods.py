"""setWebhook, deleteWebhook and getWebhookInfo. `webhooks` makes the deliveries."""

from __future__ import annotations

import re

from botapi_sandbox.addresses import host_of, is_loopback
from botapi_sandbox.world import polling, queue
from botapi_sandbox.world.answers import Json, Refusal, bad_request
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.requests import Request, method
from botapi_sandbox.world.state import Bot, Webhook

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")


@method("setWebhook")
def set_webhook(request: Request) -> bool:
    """Set the webhook. An empty URL deletes it."""
    backend, bot, params = request.backend, request.bot, request.params
    url = params["url"]
    if not url:
        return _delete(request)
    # Telegram wants https and one of four ports. Loopback addresses have no certificates, so any port and http will do.
    if not re.match(r"https?://[^/\s]+", url):
        raise bad_request("bad webhook: invalid webhook URL specified")
    if not backend.switches.webhooks_anywhere and not is_loopback(host_of(url)):
        raise bad_request("bad webhook: this sandbox only takes webhooks on this machine (see --webhooks-anywhere)")
    secret = params.get("secret_token", "")
    if secret and not _SECRET.match(secret):
        raise bad_request("secret token contains unallowed characters")
    backend.limits.take_webhook(backend.switches, backend.now(), bot.id)
    polling.end(backend, bot, Refusal(409, "Conflict: terminated by setWebhook request"))
    queue.remember_allowed(bot.queue, params.get("allowed_updates"))
    if params.get("drop_pending_updates"):
        _drop(backend, bot)
    connections = min(100, max(1, params.get("max_connections", 40)))
    bot.queue.webhook = Webhook(
        url=url,
        secret=secret,
        max_connections=connections,
        ip_address=params.get("ip_address"),
        has_certificate=params.get("certificate") is not None,
    )
    backend.webhooks_changed(bot)
    return True


@method("deleteWebhook")
def delete_webhook(request: Request) -> bool:
    """Delete the webhook. getUpdates works again."""
    return _delete(request)


def _delete(request: Request) -> bool:
    if request.params.get("drop_pending_updates"):
        _drop(request.backend, request.bot)
    request.bot.queue.webhook = None
    request.backend.webhooks_changed(request.bot)
    return True


def _drop(backend: Backend, bot: Bot) -> None:
    dropped = queue.forget(bot.queue, list(bot.queue.items))
    if dropped:
        backend.journal.note("dropped", bot.id, update_ids=dropped, reason="drop_pending")


@method("getWebhookInfo")
def get_webhook_info(request: Request) -> Json:
    """Return the webhook and its last error. The URL is empty if there is no webhook."""
    kept = request.bot.queue
    queue.expire(kept, request.backend.now())
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
