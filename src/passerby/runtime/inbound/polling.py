"""Takes updates from Telegram, and confirms them only when they are done.

Telegram's queue is the write-ahead log. A request from an offset deletes everything below it for good, so the offset is
the *low-water mark*: the first update in hand that is not done. Done updates above it are remembered twice: in hand,
because the next answer repeats them, and in the live store, for the next process.

At most WINDOW unfinished updates of a bot are in hand. A request with the same offset within half a second would return
a single update (source: telegram-bot-api, Client.cpp). So the next request waits until the mark moves, or for that
time.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from random import Random
from typing import Any, Final

from passerby.kernel.event import Event
from passerby.kernel.ids import BotId
from passerby.kernel.money_event import CheckoutAsked
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.telegram import Arrival, Conflict, FloodWait, Telegram, TelegramError, TokenRefused
from passerby.runtime.backoff import Backoff
from passerby.runtime.inbound.continuity import Continuity
from passerby.runtime.inbound.look_ahead import LookAhead
from passerby.runtime.membership.heartbeat import Assurance
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.waiting import Signal
from passerby.telemetry import logs, metrics
from passerby.telemetry.instruments import Count

WINDOW = 100
SAME_OFFSET_S = 0.55
BUNCH_S = 0.01
"""After the mark has moved, we wait this long for it to move further: an answer repeats everything still in hand."""

SPACING_S = 0.002
"""Polls begin at least this far apart. If the server is near and much is going on, each poll would otherwise bring one
update. Over a network an answer takes longer than this anyway."""

LONG_POLL_S = 50
IN_HAND_S = 5.0
"""Before chats end because updates are missing, the updates in hand get this long to be decided."""

BACKOFF = Backoff(0.5, 60.0, 1.0, 1.25)
STORE_BACKOFF = Backoff(0.5, 2.0, 1.0, 1.25)
"""The live store is our own, so we may retry often. People must not wait for a minute after it is back."""

_WEBHOOK_IS_SET: Final = (
    "a webhook is set: run `passerby webhook delete`, or have it bring updates (UPDATE_MODE=webhook)"
)
_IS_POLLED_ELSEWHERE: Final = "another program polls this bot, perhaps a copy of this installation: stop one of the two"


class Window:
    """The updates of one bot that are in hand, in the order they came, and which of them are done.

    Ids are not compared: Telegram may start over with other ids (source: Bot API, Update.update_id).
    """

    def __init__(self) -> None:
        self._done: dict[int, bool] = {}
        self._offset: int | None = None
        self.unfinished = 0
        self.moved = Signal()
        """Set whenever the low-water mark moves."""
        self.emptied = Signal()
        """Set when nothing is in hand any more."""

    @property
    def offset(self) -> int | None:
        """The low-water mark: everything below it is done. None before the first update."""
        return next(iter(self._done)) if self._done else self._offset

    @property
    def empty(self) -> bool:
        return not self._done

    def has(self, update: int) -> bool:
        return update in self._done

    def admit(self, update: int) -> bool:
        """Take an update in hand. Returns False if it is in hand already."""
        if update in self._done:
            return False
        self._done[update] = False
        self.unfinished += 1
        return True

    def release(self, updates: Iterable[int]) -> None:
        """Let go of updates that were not worked on: they will come again."""
        for update in updates:
            self.unfinished -= not self._done.pop(update)

    def finish(self, update: int) -> None:
        """Note that an update is done and stored as done. Updates of an earlier incarnation are not in hand and are
        ignored."""
        done = self._done
        if done.get(update, True):
            return
        done[update] = True
        self.unfinished -= 1
        first = next(iter(done))
        if first != update:
            return  # the first one is not done
        while done[first]:
            del done[first]
            self._offset = first + 1
            if not done:
                self.emptied.set()
                break
            first = next(iter(done))
        self.moved.set()


class Intake:
    """Polls one bot until it is cancelled or told to `stop`. `put` gets each new update, and how many workers have
    crashed at it.

    `assurance` says whether another process could be polling the bot. It is asked before each poll, which confirms, and
    before updates are taken, because the process may have been paused in between. The bot is not polled while its token
    is suspected or refused (see `tokens`). `watch` notices if somebody else takes updates of the bot; None: nobody
    chats here, so it does not matter. `answer` answers a checkout whose update is left to the next holder of the bot;
    None: nothing is sold here.
    """

    def __init__(
        self,
        bot: BotId,
        telegram: Telegram,
        store: LiveStore,
        put: Callable[[Arrival, int], None],
        tokens: Tokens,
        clock: Clock,
        rng: Random,
        assurance: Assurance,
        watch: Continuity | None = None,
        answer: Callable[[CheckoutAsked], None] | None = None,
    ) -> None:
        self._bot = bot
        self._telegram = telegram
        self._store = store
        self._put = put
        self._tokens = tokens
        self._clock = clock
        self._rng = rng
        self._assurance = assurance
        self._watch = watch
        self._look_ahead = (
            None
            if answer is None
            else LookAhead(bot, telegram, lambda: self.window.offset, self._is_in_hand, answer, watch, clock)
        )
        self._last_offset, self._last_at = -1, float("-inf")
        """Of the last poll. -1: it had no offset."""
        self._faults = logs.Faults()
        self._is_failing = True
        """Until a poll was answered, the start of one proves nothing: each process of a crash loop starts one."""
        self._task: asyncio.Task[object] | None = None
        self._is_asking = False
        self._counts: dict[type[Event], Count] = {}
        self.window = Window()
        self.stopping = Signal()

    def stop(self) -> None:
        """Take no more updates. `run` returns soon, whatever it is waiting for."""
        self.stopping.set()
        self.window.moved.set()
        self.window.emptied.set()
        if self._is_asking and self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        self._task = asyncio.current_task()
        failures = 0
        # The first poll does not wait for updates: it tells at once whether polls are answered.
        timeout_s = 0
        while not self.stopping.is_set():
            await self._room(self._last_offset, self._last_at)
            if not self._tokens.works(self._bot):
                await self._until(self._tokens.worked(self._bot))
                self._is_failing = False  # Telegram has just answered for this bot
                continue
            if not self._assurance.is_assured and not await self._until(self._assurance.assured()):
                break
            window = self.window
            offset = window.offset
            last_offset = self._last_offset = offset if offset is not None else -1
            self._last_at = self._clock.monotonic()
            if not self._is_failing:
                metrics.POLLED_AT.set(self._clock.now(), self._bot)
            watch = self._watch
            try:
                if watch is not None:
                    if watch.must_end_chats:
                        await watch.settle()
                    if offset is not None and offset > watch.ceiling:
                        await watch.raise_ceiling(offset)
                arrivals = await self._poll(offset, timeout_s if window.empty else 0)
                if arrivals and (self._assurance.is_assured or await self._until(self._assurance.assured())):
                    if watch is not None:
                        first, last = arrivals[0].ref.update, arrivals[-1].ref.update
                        if last_offset <= first <= watch.expected and last - first == len(arrivals) - 1:
                            watch.note_continued(first, last + 1)
                        else:
                            await self._compare(watch, arrivals, last_offset)
                    await self._take(arrivals)
            except (TelegramError, LiveStoreLost) as error:
                self._is_failing = True
                if not metrics.POLLED_AT.value(self._bot):
                    # Never by this process. Without a figure, nobody would see it.
                    metrics.POLLED_AT.set(0.0, self._bot)
                metrics.POLL_ERRORS.add(self._bot)
                if isinstance(error, TokenRefused):
                    self._tokens.refused(self._bot)
                else:
                    self._report(error)
                    await self._see_conflict(error)
                failures += 1
                await self.stopping.within(self._pause_s(error, failures))
            else:
                failures = 0
                self._is_failing = False
                metrics.POLLED_AT.set(self._clock.now(), self._bot)
                self._faults.over("polling", "intake.recovered", bot=self._bot)
            timeout_s = LONG_POLL_S

    def _pause_s(self, error: TelegramError | LiveStoreLost, failures: int) -> float:
        if isinstance(error, FloodWait):
            return BACKOFF.spread(error.retry_after_s, self._rng)
        backoff = STORE_BACKOFF if isinstance(error, LiveStoreLost) else BACKOFF
        return backoff.pause_s(failures, self._rng)

    async def _until(self, event: Coroutine[Any, Any, None]) -> bool:
        """Wait for something, or until `stop`. Returns whether to continue."""
        waiting = asyncio.ensure_future(event)
        stopped = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (waiting, stopped):
                task.cancel()
            await asyncio.gather(waiting, stopped, return_exceptions=True)
        return not self.stopping.is_set()

    async def _poll(self, offset: int | None, timeout_s: int) -> list[Arrival]:
        """Ask for updates. `stop` interrupts a long wait."""
        self._is_asking = True
        try:
            return await self._telegram.updates(self._bot, offset, WINDOW, timeout_s)
        except asyncio.CancelledError:
            if self.stopping.is_set() and self._task is not None and not self._task.uncancel():
                return []
            raise
        finally:
            self._is_asking = False

    async def _compare(self, watch: Continuity, arrivals: list[Arrival], offset: int) -> None:
        """Return when we know whether these updates follow the ones before, and the bot's chats have ended if not."""
        if self.window.unfinished and min(each.ref.update for each in arrivals) > watch.expected:
            await self._nothing_in_hand()
        await watch.check(arrivals, offset)

    async def _see_conflict(self, error: TelegramError | LiveStoreLost) -> None:
        watch = self._watch
        if watch is None or not isinstance(error, Conflict) or is_about_webhook(error):
            return
        if self._assurance.is_assured:  # otherwise another process of the fleet may have the bot by now
            await self._nothing_in_hand()
            await watch.conflict()

    async def _nothing_in_hand(self) -> None:
        """Wait until the updates in hand are done, for a limited time: they may begin a search or a chat."""
        if self.window.unfinished:
            self.window.emptied.clear()
            await self.window.emptied.within(IN_HAND_S)

    async def _take(self, arrivals: list[Arrival]) -> None:
        new = [arrival for arrival in arrivals if self.window.admit(arrival.ref.update)]
        if not new:
            return
        try:
            done, crashes = await self._store.known(self._bot, [arrival.ref.update for arrival in new])
        except LiveStoreLost:
            self.window.release(arrival.ref.update for arrival in new)
            raise
        counts = self._counts
        for arrival in new:
            update = arrival.ref.update
            if update in done:
                self.window.finish(update)
                continue
            kind = type(arrival.event)
            count = counts.get(kind)
            if count is None:
                count = counts[kind] = metrics.UPDATES.of(self._bot, kind.__name__)
            count.n += 1
            self._put(arrival, crashes.get(update, 0) if crashes else 0)

    async def _room(self, last_offset: int, last_at: float) -> None:
        """Wait until another request makes sense."""
        window = self.window
        while not self.stopping.is_set():
            window.moved.clear()
            window.emptied.clear()
            now = self._clock.monotonic()
            if window.empty:
                if now >= last_at + SPACING_S:
                    return
                await self.stopping.within(last_at + SPACING_S - now)
            elif window.unfinished >= WINDOW:
                await window.moved.within(LONG_POLL_S)
            elif window.offset != last_offset:
                if now >= last_at + BUNCH_S:
                    return
                await window.emptied.within(last_at + BUNCH_S - now)
            else:
                if now >= last_at + SAME_OFFSET_S:
                    return
                await window.moved.within(last_at + SAME_OFFSET_S - now)

    def _report(self, error: TelegramError | LiveStoreLost) -> None:
        match error:
            case Conflict():
                event = "intake.conflict"
            case LiveStoreLost():
                event = "intake.store_lost"
            case _:
                event = "intake.faltered"
        reason = error.reason if isinstance(error, TelegramError) else "the live store does not answer"
        if isinstance(error, Conflict):
            metrics.CONFLICT_AT.set(self._clock.now(), self._bot)
            reason = _WEBHOOK_IS_SET if is_about_webhook(error) else _IS_POLLED_ELSEWHERE
        self._faults.began("polling", event, bot=self._bot, error=logs.name_of(error), reason=reason)

    async def finish(self, within_s: float) -> None:
        """After `stop`: return when the updates in hand are done, or after this time. Checkouts are answered meanwhile,
        although their updates are not taken."""
        until = self._clock.monotonic() + within_s
        ahead = None
        if self.window.unfinished and self._look_ahead is not None and self._assurance.is_assured:
            ahead = asyncio.ensure_future(self._look_ahead.run(self._last_offset, self._last_at))
        try:
            while self.window.unfinished and (left_s := until - self._clock.monotonic()) > 0:
                self.window.emptied.clear()
                await self.window.emptied.within(left_s)
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    def _is_in_hand(self, update: int) -> bool:
        return self.window.has(update)

    async def confirm(self) -> None:
        """Confirm what is done, at the end, so that the next process does not get it again."""
        offset = self.window.offset
        if offset is None:
            return
        try:
            if self._watch is not None:
                await self._watch.end_at(offset)
            await self._telegram.updates(self._bot, offset, 1, 0)
        except LiveStoreLost as error:
            logs.record("intake.unconfirmed", "debug", bot=self._bot, error=logs.name_of(error))
        except TelegramError as error:
            name = logs.name_of(error)
            logs.record("intake.unconfirmed", "debug", bot=self._bot, error=name, reason=error.reason)


def is_about_webhook(conflict: Conflict) -> bool:
    return "webhook" in conflict.reason.lower()
