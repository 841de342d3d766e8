"""One round of a broadcast through one bot: claim a few targets, send their copies, store what became of them.

A copy is sent only after its claim is stored, and by one call without a repetition. A target goes back to those who
wait only if surely nothing was sent.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random

import msgspec

from passerby.domain.broadcasts.fates import BUSY_S, Send, fate
from passerby.domain.broadcasts.starting import PAID_PER_S
from passerby.kernel.broadcast import Broadcast, Settled, Target, TargetState
from passerby.kernel.event import BotBlocked, Event, Refusal
from passerby.kernel.ids import BotId
from passerby.ports.broadcasts import BroadcastRecords, Claimable
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.ports.telegram import FloodWait, Refused, Telegram, TelegramError, TokenRefused, Unavailable
from passerby.runtime.backoff import persistently
from passerby.runtime.broadcasts.copies import Copies
from passerby.runtime.broadcasts.crowds import Crowds
from passerby.runtime.delivery.spare_budget import SpareBudget, Take
from passerby.runtime.membership.heartbeat import Assurance
from passerby.runtime.membership.tokens import Tokens

AT_ONCE = 40
"""Targets that are claimed at once: two seconds' worth. After a kill, so many copies are unknown at most, for a bot."""
WAITS_S = 5.0
"""How long a claimed target waits for the spare budget before it is given back."""
LOOKS_S = 0.05
PAID_LOOKS_S = 1 / PAID_PER_S
LAG_S = 0.05
"""While our event loop lags by more than this, chats need it, so nothing is sent."""
AGAIN_S = 30.0
QUIET_S = 900.0
"""When we look again at a message with a number that is too small now."""


class Rounds:
    """`put` gets events about people. `is_stopping`: claim and send nothing more."""

    def __init__(
        self,
        records: BroadcastRecords,
        store: LiveStore,
        telegram: Telegram,
        copies: Copies,
        crowds: Crowds,
        spare: SpareBudget,
        tokens: Tokens,
        assurance: Assurance,
        put: Callable[[Event], None],
        clock: Clock,
        rng: Random,
    ) -> None:
        self._records = records
        self._store = store
        self._telegram = telegram
        self._copies = copies
        self._crowds = crowds
        self._spare = spare
        self._tokens = tokens
        self._assurance = assurance
        self._put = put
        self._clock = clock
        self._rng = rng
        self.is_stopping = False

    async def run(self, broadcast: Broadcast, claimable: Claimable, by: str) -> list[Settled]:
        """Returns what became of those who were claimed. Raises: RecordsLost."""
        claimed = await self._records.claim(claimable, by, AT_ONCE)
        settled: list[Settled] = []
        sends: list[asyncio.Task[Settled]] = []
        async with asyncio.TaskGroup() as group:
            for target in claimed:
                end = await self._looked_at(broadcast, target)
                if isinstance(end, Settled):
                    settled.append(end)
                else:
                    sends.append(group.create_task(self._send(broadcast, end)))
        settled += [each.result() for each in sends]
        if settled:
            store = partial(self._records.settle, broadcast.number, by, settled)
            await persistently(store, RecordsLost, self._clock, self._rng)
        return settled

    async def _looked_at(self, broadcast: Broadcast, target: Target) -> Send | Settled:
        """Decide about a target, once there is budget for its copy."""
        give_up_at = self._clock.monotonic() + WAITS_S
        while not self.is_stopping:
            now = self._clock.now()
            try:
                facts = await self._store.load(target.whom)
                end = fate(broadcast, target, facts.me if facts is not None else None, self._tokens.works, now)
                if isinstance(end, Settled) or end.bot != target.bot:
                    return end if isinstance(end, Settled) else _given_back(target, now, bot=end.bot)
                if await self._crowds.counted(end, is_test=broadcast.is_test) is None:
                    return _given_back(target, now, QUIET_S)
                taken = await self._spare.take(end.bot, target.whom, paid=broadcast.paid)
            except LiveStoreLost:
                return _given_back(target, now, AGAIN_S)
            if taken is Take.TAKEN:
                return end
            if taken is Take.CHAT_BUSY:
                return _given_back(target, now, BUSY_S)
            await self._pause(PAID_LOOKS_S if broadcast.paid else LOOKS_S)
            if self._clock.monotonic() >= give_up_at:
                break
        return _given_back(target, self._clock.now())

    async def _pause(self, looks_s: float) -> None:
        """Wait a little; and longer while the event loop lags, because then chats need it."""
        for _ in range(int(WAITS_S / looks_s)):
            asked_at = self._clock.monotonic()
            await self._clock.sleep(looks_s)
            if self._clock.monotonic() - asked_at - looks_s <= LAG_S:
                return

    async def _send(self, broadcast: Broadcast, send: Send) -> Settled:
        await self._assurance.assured()
        target, now = send.target, self._clock.now()

        def ended(state: TargetState, due_s: float = 0.0) -> Settled:
            due_at = now + due_s if due_s else 0.0
            return Settled(target.whom, state, send.bot, now, None, due_at, target.is_planned, send.arm, send.language)

        try:
            counted = await self._crowds.counted(send, is_test=broadcast.is_test)
        except LiveStoreLost:
            return ended(TargetState.WAITING, AGAIN_S)
        if counted is None:
            return ended(TargetState.WAITING, QUIET_S)
        sending = self._copies.sending(broadcast, counted.variant, send.bot, target.whom, send.language)
        try:
            (message, *_) = await self._telegram.send(sending)
        except Refused as error:
            if error.refusal is not Refusal.UNREACHABLE:
                return ended(TargetState.REFUSED)
            self._put(BotBlocked(target.whom, send.bot, now))
            return ended(TargetState.UNREACHABLE)
        except FloodWait as error:
            await self._spare.flooded(error.bot or send.bot, target.whom, error.retry_after_s)
            return ended(TargetState.WAITING, error.retry_after_s)
        except Unavailable as error:
            return ended(TargetState.UNKNOWN) if error.uncertain else ended(TargetState.WAITING, AGAIN_S)
        except TokenRefused as error:
            self._tokens.refused(error.bot or send.bot)
            return ended(TargetState.WAITING, AGAIN_S)
        except TelegramError:  # none of the others says that it may have been sent
            return ended(TargetState.WAITING, AGAIN_S)
        return msgspec.structs.replace(ended(TargetState.SENT), message=message)


def _given_back(target: Target, now: float, due_s: float = 0.0, bot: BotId | None = None) -> Settled:
    due_at = now + due_s if due_s else 0.0
    waiting = TargetState.WAITING
    return Settled(target.whom, waiting, bot or target.bot, now, due_at=due_at, is_planned=target.is_planned)
