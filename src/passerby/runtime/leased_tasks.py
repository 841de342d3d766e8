"""The tasks that run under a lease, from the moment it is gained until it is given back.

A task polls a bot, matches a pool, or does a duty for the whole fleet.

Setup calls (getMe, the bot's menus) are repeated until they succeed. Polling already runs meanwhile, so a temporary
refusal delays nobody, and no call is left out.

A leased task *ends* in good order: the bot's intake takes nothing more, work in hand is finished or parked, and
Telegram is told how far we got, so that it does not give finished updates to the next holder. If the process dies or
loses the lease, the task does not end in good order. The store's fences are for that case.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Protocol, TypeVar

from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence
from passerby.ports.telegram import CommandList, FloodWait, Refused, Telegram, TelegramError, TokenRefused
from passerby.runtime.backoff import Backoff
from passerby.runtime.inbound.polling import Intake
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.waiting import event_within
from passerby.telemetry import logs, metrics

T = TypeVar("T")

HANDOVER_S = 5.0
"""How long a bot's handover waits for work in hand. It is longer than parking a relay takes. Work that takes longer
still waits for a store that is away, and the next holder gets it again from Telegram."""

FIRST_ANSWER_S = 3.0
"""How long `begin` waits for the bot's first answer. Less than leases last, because the heartbeat waits for `begin`."""

LOOK_AGAIN_S = 10.0
"""How often to check whether a bot's menus and descriptions have changed."""

BACKOFF = Backoff(1.0, 600.0, 1.0, 1.25)

KeepGoing = Callable[[Callable[[], Awaitable[None]]], "asyncio.Task[None]"]
"""Keeps work going until it returns or is cancelled, even if it raises."""


class LeasedTask(Protocol):
    async def begin(self) -> None: ...

    async def end(self) -> None: ...


class PollingTask:
    """Polls one bot. With webhooks (`intake` None) it only looks after the bot. `beginning` is done first, until it
    succeeds."""

    def __init__(
        self,
        bot: BotId,
        fence: Fence,
        telegram: Telegram,
        intake: Intake | None,
        menus: Callable[[], tuple[CommandList, ...]],
        keep_going: KeepGoing,
        clock: Clock,
        rng: Random,
        tokens: Tokens,
        beginning: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.bot = bot
        self.fence = fence
        self._beginning = beginning
        self.intake = intake
        self._telegram = telegram
        self._menus = menus
        self._keep_going = keep_going
        self._clock = clock
        self._rng = rng
        self._tokens = tokens
        self._faults = logs.Faults()
        self._asked = asyncio.Event()
        """Set when getMe has been answered, or has failed for the first time."""
        self._polling: asyncio.Task[None] | None = None
        self._presenting: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Polling begins at once: checkouts may wait at Telegram since the last holder's last poll. Return when getMe
        has been answered, or takes too long."""
        if self.intake is not None:
            self._polling = self._keep_going(self.intake.run)
        self._presenting = self._keep_going(self._present)
        await event_within(self._asked, FIRST_ANSWER_S)

    async def _present(self) -> None:
        """Call getMe, then set the bot's menus and descriptions; again whenever staff have changed them."""
        if self._beginning is not None:
            await self._beginning()
        identity = await self._persistently("bot.unknown", lambda: self._telegram.identify(self.bot))
        logs.record("bot.working", bot=self.bot, username=identity.username)
        while True:
            menus = self._menus()
            try:
                await self._persistently("bot.unprepared", lambda: self._telegram.prepare(self.bot, self._menus()))
            except Refused as refused:  # a permanent refusal: the rest of the setup is done
                logs.record("bot.unprepared", "error", bot=self.bot, error=logs.name_of(refused), reason=refused.reason)
            while self._menus() == menus:
                await self._clock.sleep(LOOK_AGAIN_S)

    async def _persistently(self, event: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call until it succeeds. Raises: Refused."""
        failures = 0
        while True:
            try:
                done = await attempt()
            except Refused:
                raise
            except TelegramError as error:
                if isinstance(error, TokenRefused):
                    self._tokens.refused(self.bot)
                else:
                    self._faults.began(event, event, bot=self.bot, error=logs.name_of(error), reason=error.reason)
                failures += 1
                wait_s = (
                    BACKOFF.spread(error.retry_after_s, self._rng)
                    if isinstance(error, FloodWait)
                    else BACKOFF.pause_s(failures, self._rng)
                )
            else:
                self._faults.over(event, "bot.prepared", bot=self.bot)
                return done
            finally:
                self._asked.set()
            await self._clock.sleep(wait_s)
            await self._tokens.worked(self.bot)

    async def end(self) -> None:
        intake = self.intake
        if self._presenting is not None:
            self._presenting.cancel()
        if intake is not None:
            intake.stop()
        tasks = [task for task in (self._presenting, self._polling) if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        if intake is None:
            return
        if self._tokens.works(self.bot):
            await self._finish(intake)
        metrics.POLLED_AT.drop(self.bot)
        metrics.CONFLICT_AT.drop(self.bot)
        metrics.MISSING_AT.drop(self.bot)

    async def _finish(self, intake: Intake) -> None:
        """Wait for the updates in hand, and confirm the finished ones to Telegram."""
        await intake.finish(HANDOVER_S)
        await intake.confirm()


class LoopTask:
    """Runs work until the lease is given back. `stop` asks the work to end soon by itself."""

    def __init__(
        self, work: Callable[[], Awaitable[None]], keep_going: KeepGoing, stop: Callable[[], None] | None = None
    ) -> None:
        self._work = work
        self._keep_going = keep_going
        self._stop = stop
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self._task = self._keep_going(self._work)

    async def end(self) -> None:
        task = self._task
        if task is None:
            return
        if self._stop is not None:
            self._stop()
            await asyncio.wait((task,), timeout=HANDOVER_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
