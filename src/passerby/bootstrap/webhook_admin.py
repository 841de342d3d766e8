"""Builds what `passerby webhook` works with. A start uses it too, to check the webhooks."""

from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.bootstrap.clock import SystemClock
from passerby.settings import Settings, former_keys, open_key
from passerby.web.endpoints import endpoint_of
from passerby.web.webhook_admin import WebhookAdmin


def webhook_admin(settings: Settings) -> WebhookAdmin:
    """The caller closes it. Raises: WrongSetting."""
    key = open_key(settings)
    tokens = {bot: token.get_secret_value() for bot, token in settings.tokens.items()}
    endpoints = {bot: endpoint_of(bot, key) for bot in tokens}
    former = {bot: tuple(endpoint_of(bot, each) for each in former_keys(settings)) for bot in tokens}
    webhooks = BotApiWebhooks(tokens, settings.bot_api_url)
    return WebhookAdmin(webhooks, endpoints, settings.webhook_url, SystemClock(), former=former)


async def check_webhooks(settings: Settings) -> None:
    """Log which bots' updates go elsewhere. Returns when each bot has been checked."""
    admin = webhook_admin(settings)
    try:
        await admin.complain(settings.tokens)
    finally:
        await admin.aclose()
