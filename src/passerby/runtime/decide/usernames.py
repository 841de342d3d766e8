"""The usernames of bots, for links to them. Each is asked for once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from passerby.kernel.ids import BotId
from passerby.ports.soon import own_task
from passerby.ports.telegram import BotIdentity, TelegramError

WITHIN_S: Final = 5.0


class Usernames:
    """`identify` asks Telegram who a bot is."""

    def __init__(self, identify: Callable[[BotId], Awaitable[BotIdentity]]) -> None:
        self._identify = identify
        self._known: dict[BotId, str] = {}

    async def of(self, bot: BotId) -> str:
        """The bot's username, without the @. Empty if Telegram does not say it now."""
        if bot not in self._known:
            await own_task()  # it uses a time-out
            with suppress(TelegramError, TimeoutError):
                async with asyncio.timeout(WITHIN_S):
                    self._known[bot] = (await self._identify(bot)).username
        return self._known.get(bot, "")
