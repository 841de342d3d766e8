"""Webhooks in the Bot API: decodes what Telegram delivers, and tells Telegram where to deliver it.

The web part receives the requests. It also knows each bot's path and secret.
"""

import asyncio
from collections.abc import Mapping

import msgspec

from passerby.adapters.botapi.bot_api import ALLOWED_UPDATES
from passerby.adapters.botapi.client import DONE, TELEGRAM, Answer, Client, encode
from passerby.adapters.botapi.decode import event
from passerby.adapters.botapi.updates_answer import read_updates
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.telegram import Arrival, Conflict
from passerby.ports.webhook_api import Switches, WebhookState


def arrival(body: bytes, bot: BotId) -> Arrival:
    """Decode the body of a webhook request. An update that cannot be understood is `Unusable`, as in `updates`.

    Raises: ValueError if the body is not one update.
    """
    # We build a getUpdates answer with this update, because its reader salvages what it can of a damaged update.
    updates = read_updates(b'{"ok":true,"result":[' + body + b"]}")
    if len(updates) != 1:
        raise ValueError("not one update")
    return Arrival(UpdateRef(bot, updates[0].update_id), event(updates[0], bot))


_LETTING_GO_S = 0.05
_GRACE_S = 10.0
_PAUSE_S = 1.0


class _SetWebhook(msgspec.Struct):
    url: str
    secret_token: str
    max_connections: int
    allowed_updates: tuple[str, ...] = ALLOWED_UPDATES


class _Glimpse(msgspec.Struct):
    """Without an offset, which would confirm, and without kinds of updates, which would change those of the bot."""

    timeout: int
    limit: int = 1


class _Bot(msgspec.Struct, gc=False):
    username: str = ""


_STATE: msgspec.json.Decoder[Answer[WebhookState]] = msgspec.json.Decoder(Answer[WebhookState])
_SWITCHES: msgspec.json.Decoder[Answer[Switches]] = msgspec.json.Decoder(Answer[Switches])
_BOT: msgspec.json.Decoder[Answer[_Bot]] = msgspec.json.Decoder(Answer[_Bot])


class BotApiWebhooks:
    """Satisfies `ports.webhook_api.WebhookApi`."""

    wanted_updates: tuple[str, ...] = ALLOWED_UPDATES

    def __init__(self, tokens: Mapping[BotId, str], base_url: str = TELEGRAM) -> None:
        self._client = Client(tokens, base_url)

    async def username(self, bot: BotId) -> str:
        return (await self._client.call(bot, "getMe", b"{}", _BOT)).username

    async def switches(self, bot: BotId) -> Switches:
        return await self._client.call(bot, "getMe", b"{}", _SWITCHES)

    async def set(self, bot: BotId, url: str, secret: str, max_connections: int) -> None:
        await self._client.call(bot, "setWebhook", encode(_SetWebhook(url, secret, max_connections)), DONE)

    async def delete(self, bot: BotId) -> None:
        await self._client.call(bot, "deleteWebhook", b'{"drop_pending_updates":false}', DONE)

    async def state(self, bot: BotId) -> WebhookState:
        return await self._client.call(bot, "getWebhookInfo", b"{}", _STATE)

    async def is_polled(self, bot: BotId, within_s: int) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while (left_s := until - loop.time()) > 0:
            body = encode(_Glimpse(timeout=max(1, round(left_s))))
            try:
                await self._client.post(bot, "getUpdates", body, timeout_s=left_s + _GRACE_S)
            except Conflict as error:
                return "webhook" not in error.reason.lower()
            await asyncio.sleep(_PAUSE_S)  # after updates, which are answered at once
        return False

    async def aclose(self) -> None:
        await self._client.aclose()
        # Through a proxy, pyreqwest's threads may still release results. If the process ends then, Python aborts it
        # ("thread state must be current"; seen in one of ten without a pause, in none of eighty with this one).
        await asyncio.sleep(_LETTING_GO_S)
