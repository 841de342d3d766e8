"""Watches whether Telegram still takes each bot's token. One refusal decides nothing.

    working ──a call is refused──► suspected ──getMe refused for `refused_after_s`──► lost
       ▲                               │                                               │
       └────────── getMe works ────────┴────────────────── getMe works ────────────────┘

While a bot is suspected its sends and polls wait, and its chats stay. Only getMe is believed. One success clears the
bot. A loss takes several refusals over `refused_after_s`. A lost bot is asked again with growing pauses, up to an hour,
and comes back by itself.

Each process of a fleet suspects and clears for itself. Only the process that holds the bot's lease may confirm a loss
(`confirms`), because a loss ends chats; the others learn of it through the list of members (`heed`). When another
process no longer doubts a bot, this one asks getMe at once.

If a call is refused while getMe works, only that call was refused: `refused` returns False, and the caller tries it
again.
"""

import asyncio
from collections.abc import Callable, Mapping
from enum import Enum, auto
from random import Random

from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.telegram import FloodWait, Telegram, TelegramError, TokenRefused
from passerby.runtime.tasks import Background
from passerby.runtime.waiting import event_within
from passerby.telemetry import logs, metrics

REFUSED_AFTER_S = 120.0
LEAST_REFUSALS = 4
"""A process that slept through `refused_after_s` asked nothing in that time, so time alone does not confirm a loss."""

FIRST_PAUSE_S = 1.0
PAUSES = 12
"""At least this many evenly spaced getMe calls are made for a suspected bot before it counts as lost."""

FIRST_LOST_PAUSE_S = 15.0
LOST_GROWTH = 1.5
LONGEST_PAUSE_S = 3600.0
GRACE_S = 1.0
"""For this long after a getMe that worked, a refused call does not make the bot suspected: so at most one getMe a
second."""

STRAYS_TOLD_EVERY_S = 60.0


class Trust(Enum):
    """This process's knowledge about a bot's token."""

    WORKING = auto()
    SUSPECTED = auto()
    LOST = auto()


class _Doubt:
    __slots__ = ("hurry", "lost", "pause_s", "refusals", "since", "told")

    def __init__(self, since: float) -> None:
        self.since = since
        self.refusals = 0
        self.lost = False
        self.told = False
        self.pause_s = FIRST_PAUSE_S
        self.hurry = asyncio.Event()


class Tokens:
    """`confirms(bot)`: whether this process may declare the bot lost. `served(bot)`: whether some process polls it.
    `listeners` are called on every change."""

    def __init__(
        self,
        telegram: Telegram,
        background: Background,
        clock: Clock,
        rng: Random,
        *,
        refused_after_s: float = REFUSED_AFTER_S,
        confirms: Callable[[BotId], bool] = lambda bot: True,
        served: Callable[[BotId], bool] = lambda bot: False,
    ) -> None:
        self._telegram = telegram
        self._background = background
        self._clock = clock
        self._rng = rng
        self.refused_after_s = refused_after_s
        self._confirms = confirms
        self._served = served
        self._strangers: set[BotId] = set()
        """Bots that are not in our fleet, but in another process's: what is for them waits."""
        self._fleet = set(telegram.bots)
        self._doubts: dict[BotId, _Doubt] = {}
        self.doubted: Mapping[BotId, object] = self._doubts
        """The bots that are suspected or lost."""
        self._worked_at: dict[BotId, float] = {}
        self._strays_told_at: dict[BotId, float] = {}
        self._waiting: dict[BotId, list[asyncio.Future[None]]] = {}
        self._heard_doubts: set[tuple[str, BotId]] = set()
        self._heard_losses: set[tuple[str, BotId]] = set()
        self.listeners: list[Callable[[BotId, Trust], None]] = []

    def of(self, bot: BotId) -> Trust:
        doubt = self._doubts.get(bot)
        if doubt is None:
            return Trust.WORKING if bot in self._fleet else Trust.LOST if self.is_lost(bot) else Trust.SUSPECTED
        return Trust.LOST if doubt.lost else Trust.SUSPECTED

    def works(self, bot: BotId) -> bool:
        """Whether calls may be made through it, as far as is known."""
        return bot not in self._doubts and bot in self._fleet

    def is_lost(self, bot: BotId) -> bool:
        """Also True for a bot that is not in the fleet (any more), unless another process serves it: that one knows
        more than we do."""
        doubt = self._doubts.get(bot)
        if doubt is not None:
            return doubt.lost
        if bot in self._fleet:
            return False
        if self._served(bot):
            self._strangers.add(bot)
            return False
        return True

    @property
    def suspected(self) -> tuple[BotId, ...]:
        return tuple(bot for bot, doubt in self._doubts.items() if not doubt.lost)

    @property
    def lost(self) -> tuple[BotId, ...]:
        return tuple(bot for bot, doubt in self._doubts.items() if doubt.lost) if self._doubts else ()

    def admit(self, bot: BotId) -> None:
        """The bot is in the fleet from now on, or has another token."""
        if bot in self._doubts:
            self.ask_now(bot)
        elif bot not in self._fleet:
            self._fleet.add(bot)
            self._tell(bot, Trust.WORKING)

    def retire(self, bot: BotId) -> None:
        """The bot is no longer in the fleet. For its people, that is as if it were lost."""
        self._fleet.discard(bot)
        self._doubts.pop(bot, None)
        self._tell(bot, self.of(bot))
        metrics.BOT_LOST.drop(bot)

    def refusals(self, bot: BotId) -> int:
        """How often getMe has been refused since the bot became suspected."""
        doubt = self._doubts.get(bot)
        return doubt.refusals if doubt is not None else 0

    def refused(self, bot: BotId) -> bool:
        """A call of the bot's was refused. Returns whether its calls wait now; if not, only that call was refused."""
        if bot in self._doubts or bot not in self._fleet:
            return True
        now = self._clock.monotonic()
        if now - self._worked_at.get(bot, float("-inf")) < GRACE_S:
            return False
        self._suspect(bot, now)
        return True

    async def worked(self, bot: BotId) -> None:
        """Return when the bot works: usually at once, for a lost bot perhaps never."""
        while not self.works(bot):
            await self._change(bot)

    async def decided(self, bot: BotId) -> None:
        """Return when the bot is not suspected (any more): it works, or it is lost."""
        while self.of(bot) is Trust.SUSPECTED:
            await self._change(bot)

    async def _change(self, bot: BotId) -> None:
        waiting = self._waiting.setdefault(bot, [])
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(change)
        try:
            await change
        finally:
            if change in waiting:
                waiting.remove(change)

    def heed(self, doubts: Mapping[str, tuple[int, ...]], losses: Mapping[str, tuple[int, ...]]) -> None:
        """Take in the other workers' reports: the bots that each one doubts, and the lost bots that it holds the lease
        of."""
        doubted = {(worker, BotId(bot)) for worker, bots in doubts.items() for bot in bots}
        lost = {(worker, BotId(bot)) for worker, bots in losses.items() for bot in bots}
        for _, bot in lost - self._heard_losses:
            if bot in self._fleet:
                self.lose(bot)
        for _, bot in doubted - self._heard_doubts:
            if self._confirms(bot):
                self.refused(bot)
        for _, bot in self._heard_doubts - doubted:
            self.ask_now(bot)
        self._heard_doubts, self._heard_losses = doubted, lost
        for bot in [bot for bot in self._strangers if bot in self._fleet or not self._served(bot)]:
            self._strangers.discard(bot)
            if bot not in self._fleet:
                self._tell(bot, Trust.LOST)

    def ask_now(self, bot: BotId) -> None:
        """Ask a doubted bot's getMe now: there is a sign that it may work again."""
        doubt = self._doubts.get(bot)
        if doubt is not None:
            doubt.hurry.set()

    def lose(self, bot: BotId) -> None:
        """Mark the bot as lost: the holder of its lease has confirmed that Telegram refuses the token."""
        doubt = self._doubts.get(bot) or self._suspect(bot, self._clock.monotonic())
        if doubt.lost:
            return
        doubt.lost = True
        doubt.pause_s = FIRST_LOST_PAUSE_S
        waited_s = round(self._clock.monotonic() - doubt.since)
        logs.record(
            "bot.refused",
            "error",
            bot=bot,
            reason=f"Telegram has refused its token for {waited_s} s; it is asked again until it works",
        )
        self._tell(bot, Trust.LOST)

    def _suspect(self, bot: BotId, now: float) -> _Doubt:
        doubt = self._doubts[bot] = _Doubt(now)
        self._background.spawn(self._ask(bot, doubt))
        self._tell(bot, Trust.SUSPECTED)
        return doubt

    async def _ask(self, bot: BotId, doubt: _Doubt) -> None:
        """Ask getMe until it works."""
        while self._doubts.get(bot) is doubt:
            least_s = 0.0
            try:
                await self._telegram.identify(bot)
            except TokenRefused:
                doubt.refusals += 1
                self._tell_suspicion(bot, doubt)
                self._judge(bot, doubt)
            except FloodWait as error:
                least_s = error.retry_after_s
            except TelegramError:
                pass  # neither a yes nor a no
            except Exception as error:  # noqa: BLE001  # a bug must not leave a bot suspected for good
                logs.failed("bot.unknown", error, bot=bot)
            else:
                if self._doubts.get(bot) is doubt:
                    self._clear(bot, doubt)
                return
            await self._rest(doubt, max(least_s, self._pause_s(doubt)))

    def _judge(self, bot: BotId, doubt: _Doubt) -> None:
        is_due = self._doubts.get(bot) is doubt and self._clock.monotonic() - doubt.since >= self.refused_after_s
        if is_due and doubt.refusals >= LEAST_REFUSALS and not doubt.lost and self._confirms(bot):
            self.lose(bot)

    def _pause_s(self, doubt: _Doubt) -> float:
        pause_s = doubt.pause_s
        if doubt.lost:
            doubt.pause_s = min(LONGEST_PAUSE_S, pause_s * LOST_GROWTH)
        else:
            pause_s = min(pause_s, self.refused_after_s / PAUSES)
            doubt.pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
        return pause_s * self._rng.uniform(0.8, 1.2)

    async def _rest(self, doubt: _Doubt, pause_s: float) -> None:
        await event_within(doubt.hurry, pause_s)
        doubt.hurry.clear()

    def _clear(self, bot: BotId, doubt: _Doubt) -> None:
        now = self._clock.monotonic()
        del self._doubts[bot]
        self._worked_at[bot] = now
        if doubt.lost or doubt.told:
            logs.record("bot.trusted", bot=bot, reason="Telegram takes its token again", duration_s=now - doubt.since)
        elif now - self._strays_told_at.get(bot, float("-inf")) >= STRAYS_TOLD_EVERY_S:
            self._strays_told_at[bot] = now
            logs.record(
                "bot.refused_once", "warning", bot=bot, reason="a call was refused although Telegram takes the token"
            )
        self._tell(bot, Trust.WORKING)

    def _tell_suspicion(self, bot: BotId, doubt: _Doubt) -> None:
        if not (doubt.told or doubt.lost):
            doubt.told = True
            reason = (
                f"Telegram refuses its token; what it has to send waits, and it is asked for {self.refused_after_s:g} s"
            )
            logs.record("bot.suspected", "warning", bot=bot, reason=reason)

    def _tell(self, bot: BotId, trust: Trust) -> None:
        metrics.BOT_LOST.set(float(trust is Trust.LOST), bot)
        for change in self._waiting.pop(bot, []):
            if not change.done():
                change.set_result(None)
        for listener in self.listeners:
            listener(bot, trust)
