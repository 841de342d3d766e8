"""What is done under a lease, from the moment it is gained until it is given.

A bot is polled, a pool is matched, a duty is done for all.

A post *ends* in good order: a bot's intake takes nothing more, what is in hand is finished or parked, and Telegram is
told how far we got, so that the next holder is given nothing that is done. What a post that does not end so leaves
behind, because its process died or lost the lease, is what the store's fences are for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from passerby import logs, metrics
from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence
from passerby.ports.telegram import CommandList, Telegram, TelegramError, TokenRefused
from passerby.runtime.intake import Intake

HANDOVER_S = 5.0
"""How long a bot's handover waits for what is in hand. Longer than a relay takes to be parked; what takes longer still
waits for a store that is away, and the next holder gets it again from Telegram."""

LOOK_EVERY_S = 0.02

Stand = Callable[[Callable[[], Awaitable[None]]], "asyncio.Task[None]"]
"""Keeps something going until it returns by itself or is cancelled, whatever bugs it has."""


class Post(Protocol):
    async def begin(self) -> None: ...

    async def end(self) -> None: ...


class BotPost:
    """To poll one bot, or only to look after it where Telegram brings updates by itself (`intake` None)."""

    def __init__(
        self,
        bot: BotId,
        fence: Fence,
        telegram: Telegram,
        intake: Intake | None,
        menus: Callable[[], tuple[CommandList, ...]],
        stand: Stand,
        clock: Clock,
    ) -> None:
        self.bot = bot
        self.fence = fence
        self.intake = intake
        self._telegram = telegram
        self._menus = menus
        self._stand = stand
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self.refused = False
        """Telegram refuses its token. The lease is kept, so that no other worker has to find out."""

    async def begin(self) -> None:
        if await self._is_refused():
            self.refused = True
            return
        if self.intake is not None:
            self._tasks.append(self._stand(self.intake.run))
        self._tasks.append(self._stand(self._prepare))

    async def _is_refused(self) -> bool:
        """Whether Telegram refuses the token for good. While it cannot be asked, the bot is believed to work."""
        try:
            identity = await self._telegram.identify(self.bot)
        except TokenRefused:
            logs.record("bot.refused", "error", bot=self.bot, reason="Telegram refuses its token; the others go on")
            return True
        except TelegramError as error:
            logs.record("bot.unknown", "warning", bot=self.bot, error=logs.name_of(error))
            return False
        logs.record("bot.working", bot=self.bot, username=identity.username)
        return False

    async def _prepare(self) -> None:
        try:
            await self._telegram.prepare(self.bot, self._menus())
        except TelegramError as error:
            logs.record("bot.unprepared", "warning", bot=self.bot, error=logs.name_of(error))

    def quit(self) -> bool:
        """The token does not work any more: stop asking. Returns whether that was news."""
        if self.refused:
            return False
        self.refused = True
        if self.intake is not None:
            self.intake.stop()
        return True

    async def end(self) -> None:
        intake = self.intake
        if intake is not None:
            intake.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if intake is None or self.refused:
            return
        until = self._clock.monotonic() + HANDOVER_S
        while intake.window.unfinished and self._clock.monotonic() < until:
            await self._clock.sleep(LOOK_EVERY_S)
        await intake.confirm()
        metrics.POLLED_AT.drop(self.bot)


class TaskPost:
    """Something that is done until it is no longer ours to do. `stop` tells it to come to an end by itself, soon."""

    def __init__(
        self, work: Callable[[], Awaitable[None]], stand: Stand, stop: Callable[[], None] | None = None
    ) -> None:
        self._work = work
        self._stand = stand
        self._stop = stop
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self._task = self._stand(self._work)

    async def end(self) -> None:
        task = self._task
        if task is None:
            return
        if self._stop is not None:
            self._stop()
            await asyncio.wait((task,), timeout=HANDOVER_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
