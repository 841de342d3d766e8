"""Where Telegram finds a bot's webhook, and how it shows that it is Telegram.

Both are made from the installation's key, so every process knows them and none has to be told; neither holds the bot's
token or says which bot it is for. Another key makes other paths: `passerby webhook set` then has to be run again, and
until then those made from former keys are answered as well.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import NamedTuple

from passerby.kernel.ids import BotId


class Endpoint(NamedTuple):
    """`path` is the last part of the URL's path, 43 characters of base64url. `secret` is what Telegram repeats in
    `X-Telegram-Bot-Api-Secret-Token`. Neither is logged or shown."""

    bot: BotId
    path: str
    secret: str


def endpoint_of(bot: BotId, key: bytes) -> Endpoint:
    """`key` is the installation's (see `settings.open_key`)."""
    return Endpoint(bot, _made(key, b"passerby webhook path", bot), _made(key, b"passerby webhook secret", bot))


def _made(key: bytes, purpose: bytes, bot: BotId) -> str:
    return urlsafe_b64encode(hmac.digest(key, b"%s %d" % (purpose, bot), hashlib.sha256)).rstrip(b"=").decode()
