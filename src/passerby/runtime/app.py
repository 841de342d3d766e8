"""The runtime, put together from its ports. It knows no adapter: the product and the simulation start the same one.

Start: who is searching or chatting is there before the first update is taken (from the live store, or, if that has been
wiped, from the records), and what an earlier process still had to deliver is queued before anything new can be.

Stop: nothing new is taken, what is in hand is finished for as long as there is time, and Telegram is told how far we
got. Whatever is left over is left where it is safe: in Telegram's queue, or in the outbox.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from random import Random

from passerby import logs
from passerby.domain.ages import POOLS
from passerby.domain.budgets import Budget
from passerby.kernel.decision import Rules
from passerby.kernel.feature import Feature
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import Anchor, LiveStore, LiveStoreLost
from passerby.ports.records import Records
from passerby.ports.telegram import Arrival, Telegram, TelegramError, TokenRefused
from passerby.runtime.background import Background
from passerby.runtime.courier import Courier
from passerby.runtime.intake import Intake
from passerby.runtime.lanes import Lanes, Work
from passerby.runtime.matcher import Introduce, Matcher
from passerby.runtime.pipeline import Pipeline
from passerby.runtime.recorder import Recorder
from passerby.runtime.router import Router
from passerby.runtime.sealing import Sealer
from passerby.runtime.wording import Wording, Words

PARK_EVERY_S = 0.25
SWEEP_EVERY_S = 1.0
QUIET_EVERY_S = 0.02
BROKEN_PAUSE_S = 1.0
ALONE_S = 1e9
RECORDER_SHARE = 0.25
"""What of the time for stopping is kept for writing the records."""

LAST_SENDS_SHARE = 0.2
"""What of it is kept for the answers to sends that are under way when no more are begun."""


class NoBotWorks(Exception):
    """Telegram refused every token."""


class App:
    """`key`: 32 bytes, for sealing. `introduce` is the decision that pairs two people."""

    def __init__(
        self,
        *,
        telegram: Telegram,
        store: LiveStore,
        records: Records,
        features: Iterable[Feature],
        introduce: Introduce,
        words: Words,
        clock: Clock,
        rng: Random,
        rules: Rules,
        key: bytes,
        bot_budget: Budget,
        chat_budget: Budget,
    ) -> None:
        self._telegram = telegram
        self._store = store
        self._records = records
        self._clock = clock
        self._rng = rng
        self._background = Background(lambda error: logs.failed("runtime.broken", error))
        self._wording = Wording(words)
        self._worker = WorkerId(f"{rng.getrandbits(64):016x}")
        self._router = Router(features, words.find_word)
        self.courier = Courier(telegram, store, self._wording, self._background, clock, rng, bot_budget, chat_budget)
        self.pipeline = Pipeline(
            store, records, self._router, self.courier, Sealer(key), clock, rng, rules, self._finished, self._worker
        )
        self.lanes = Lanes(self.pipeline.handle, self._background, clock)
        self.pipeline.lanes = self.lanes
        self.courier.outcomes = self.pipeline
        self.courier.on_lost = self._quarantine
        self.recorder = Recorder(store, records, clock, rng, logs.record)
        self._introduce = introduce
        self._intakes: dict[BotId, tuple[Intake, asyncio.Task[None]]] = {}
        self._standing: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Return when updates are being taken. Raises NoBotWorks."""
        working = await self._identify()
        if self._store.newborn:
            active = await self._records.active()
            anchors = [Anchor(*told) for told in active.told]
            await self._store.adopt(active.people, anchors=anchors, whole=True)
            if active.people:
                logs.record("runtime.rebuilt", count=len(active.people))
        await self._store.attend(self._worker, {}, ALONE_S, b"")
        await self.pipeline.resume()
        for pool in POOLS:
            matcher = Matcher(pool, self._store, self._introduce, self.pipeline.settle, self.pipeline.env, self._clock)
            self._standing.append(self._stand(matcher.run))
        for standing in (self.recorder.run, self._park, self._sweep):
            self._standing.append(self._stand(standing))
        for bot in working:
            intake = Intake(bot, self._telegram, self._store, self._receive, self._quarantine, self._clock, self._rng)
            self._intakes[bot] = (intake, self._stand(intake.run))
            self._background.spawn(self._prepare(bot))

    def _stand(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Keep something going until it returns by itself: a bug ends one turn of it, not all that were to come."""

        async def keep_going() -> None:
            while True:
                try:
                    return await work()
                except Exception as error:  # noqa: BLE001  # the supervised place of what runs as long as we do
                    logs.failed("runtime.broken", error)
                    await self._clock.sleep(BROKEN_PAUSE_S)

        return self._background.spawn(keep_going())

    async def _identify(self) -> list[BotId]:
        bots = self._telegram.bots
        refused = await asyncio.gather(*(self._is_refused(bot) for bot in bots))
        working = [bot for bot, no in zip(bots, refused, strict=True) if not no]
        if not working:
            raise NoBotWorks
        return working

    async def _is_refused(self, bot: BotId) -> bool:
        """Whether Telegram refuses the token for good. While it cannot be asked, the bot is believed to work."""
        try:
            identity = await self._telegram.identify(bot)
        except TokenRefused:
            logs.record("bot.refused", "error", bot=bot, reason="Telegram refuses its token; the others go on")
            return True
        except TelegramError as error:
            logs.record("bot.unknown", "warning", bot=bot, error=logs.name_of(error))
            return False
        logs.record("bot.working", bot=bot, username=identity.username)
        return False

    async def _prepare(self, bot: BotId) -> None:
        try:
            await self._telegram.prepare(bot, self._wording.menus(self._router.commands))
        except TelegramError as error:
            logs.record("bot.unprepared", "warning", bot=bot, error=logs.name_of(error))

    def _receive(self, arrival: Arrival) -> None:
        self.lanes.put(Work(arrival.event, (arrival.ref,)))

    def _finished(self, refs: tuple[UpdateRef, ...]) -> None:
        for ref in refs:
            polled = self._intakes.get(ref.bot)
            if polled is not None:
                polled[0].window.finish(ref.update)

    def _quarantine(self, bot: BotId) -> None:
        """The bot's token does not work any more: stop asking, and let what waits for it fail."""
        polled = self._intakes.get(bot)
        if polled is not None and not polled[0].stopping.is_set():
            polled[0].stop()
            logs.record("bot.refused", "error", bot=bot, reason="Telegram refuses its token; the others go on")
            self.courier.lose(bot)

    async def _park(self) -> None:
        while True:
            await self._clock.sleep(PARK_EVERY_S)
            try:
                await self.pipeline.park_overdue()
            except LiveStoreLost:
                continue  # whoever reads or writes next says so

    async def _sweep(self) -> None:
        faults = logs.Faults()
        while True:
            await self._clock.sleep(SWEEP_EVERY_S)
            self.courier.forget_idle()
            try:
                await self._store.sweep()
            except LiveStoreLost as error:
                faults.began("store", "store.lost", error=logs.name_of(error))
            else:
                faults.over("store", "store.back")

    async def stop(self, timeout_s: float) -> bool:
        """Stop within `timeout_s`. Returns whether everything in hand was finished."""
        ends_at = self._clock.monotonic() + timeout_s
        deadline = ends_at - timeout_s * (RECORDER_SHARE + LAST_SENDS_SHARE)
        for intake, _ in self._intakes.values():
            intake.stop()
        await asyncio.gather(*(task for _, task in self._intakes.values()), return_exceptions=True)
        while (self.lanes.busy or self.courier.pending) and self._clock.monotonic() < deadline:
            await self._clock.sleep(QUIET_EVERY_S)
        whole = not self.lanes.busy and not self.courier.pending
        self.courier.halt()
        while self.courier.under_way and self._clock.monotonic() < ends_at - timeout_s * RECORDER_SHARE:
            await self._clock.sleep(QUIET_EVERY_S)
        await asyncio.gather(*(intake.confirm() for intake, _ in self._intakes.values()))
        for task in self._standing:
            task.cancel()
        await asyncio.gather(*self._standing, return_exceptions=True)
        await self.recorder.drain(timeout_s * RECORDER_SHARE)
        await self._background.aclose()
        return whole
