"""The names of the fleet's bots. Telegram tells them; until then, a bot is shown as its number."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.telegram import BotIdentity, TelegramError

LOOK_S: Final = 10.0
PATIENCE_S: Final = 5.0


class BotNames:
    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def name(self, bot: int | str) -> str:
        """`@username`, or the number if it is not known. `bot`: its number, perhaps as text."""
        return self._known.get(str(bot), str(bot))

    def username(self, bot: int) -> str:
        """Without the @; empty if it is not known."""
        return self._known.get(str(bot), "").removeprefix("@")

    def told(self, identity: BotIdentity) -> None:
        if identity.username:
            self._known[str(identity.bot)] = f"@{identity.username}"

    async def keep(
        self, bots: Callable[[], Sequence[BotId]], identify: Callable[[BotId], Awaitable[BotIdentity]], clock: Clock
    ) -> None:
        """Ask for the names of bots that have none yet, until cancelled. `bots` returns those of the moment."""
        while True:
            for bot in bots():
                if str(bot) not in self._known:
                    with suppress(TelegramError, TimeoutError):
                        async with asyncio.timeout(PATIENCE_S):
                            self.told(await identify(bot))
            await clock.sleep(LOOK_S)
