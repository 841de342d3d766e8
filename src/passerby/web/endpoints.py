"""The path of each bot's webhook, and the secret by which we recognise Telegram.

Both are derived from the installation's key, so every process knows them. They do not contain the token and do not show
which bot they are for. A new key gives new paths: `passerby webhook set` is needed then. Until that, the paths of
former keys are answered, too.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import NamedTuple

from passerby.kernel.ids import BotId


class Endpoint(NamedTuple):
    """`path` is the last part of the URL's path, 43 characters of base64url. Telegram sends `secret` in the header
    `X-Telegram-Bot-Api-Secret-Token`. Neither is logged or shown."""

    bot: BotId
    path: str
    secret: str


def endpoint_of(bot: BotId, key: bytes) -> Endpoint:
    """`key` is the installation's (see `settings.open_key`)."""
    return Endpoint(bot, _made(key, b"passerby webhook path", bot), _made(key, b"passerby webhook secret", bot))


def _made(key: bytes, purpose: bytes, bot: BotId) -> str:
    return urlsafe_b64encode(hmac.digest(key, b"%s %d" % (purpose, bot), hashlib.sha256)).rstrip(b"=").decode()
