"""Gives broadcasts the part of the budgets that chats do not use. Broadcasts use nothing else.

A broadcast takes a message only from a bot's budget that is full. So the next chat message finds all of the burst but
one, and never waits for a broadcast, in whichever process it is. Nothing is taken while Telegram holds the bot back,
while anything waits for the bot's budget here, or while something in the outbox is late.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto

from passerby.domain.broadcasts.starting import PAID_PER_S, RATE_SHARE
from passerby.domain.budgets import FULL, Budget
from passerby.kernel.ids import BotId, PersonId
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.shared_budgets import Account
from passerby.runtime.delivery.budget_requests import BudgetRequests
from passerby.runtime.delivery.courier_queue import CourierQueue
from passerby.runtime.delivery.limiters import LocalLimiter
from passerby.runtime.membership.tokens import Tokens
from passerby.telemetry import logs, metrics

LATE_S = 2.0
"""While a delivery from the outbox is late by this much, no broadcast goes out."""


class Take(Enum):
    TAKEN = auto()
    NOT_NOW = auto()
    """The bot has no budget for a broadcast now."""
    CHAT_BUSY = auto()
    """Something else is on its way to this person, or their chat's budget is used up."""


class SpareBudget:
    """`queue_of` gives the courier's queue. `oldest_s` says how long the oldest delivery from the outbox has waited."""

    def __init__(
        self,
        store: LiveStore,
        tokens: Tokens,
        budgets: BudgetRequests,
        queue_of: Callable[[BotId, PersonId], CourierQueue],
        oldest_s: Callable[[], float],
        clock: Clock,
        bot_budget: Budget,
        *,
        shared: bool,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._budgets = budgets
        self._queue_of = queue_of
        self._oldest_s = oldest_s
        self._clock = clock
        self._budget = Budget(bot_budget.rate_per_s * RATE_SHARE, 1)
        self._shared = shared
        self._own: dict[tuple[BotId, bool], LocalLimiter] = {}
        self._closed_until: dict[BotId, float] = {}

    def is_open(self, bot: BotId) -> bool:
        """Whether a broadcast may use this bot now, as far as one can tell without asking the store."""
        now = self._clock.monotonic()
        queue = self._budgets.bot_queue(bot)
        is_held = max(queue.held_until, self._closed_until.get(bot, FULL)) > now
        is_held = is_held or (self._shared and self._store.is_held(Account(bot)))
        return self._tokens.works(bot) and not is_held and not queue.waiting and self._oldest_s() <= LATE_S

    async def take(self, bot: BotId, person: PersonId, *, paid: bool = False) -> Take:
        """Take one message from the bot's and the chat's budgets, if they have enough. Raises: LiveStoreLost.

        `paid`: Telegram does not count it in the bot's free rate, so it comes from a rate of its own.
        """
        now = self._clock.monotonic()
        own = self._own.get((bot, paid))
        if own is None:
            budget = Budget(PAID_PER_S, 1) if paid else self._budget
            own = self._own[bot, paid] = LocalLimiter(budget, self._clock)
        if not self.is_open(bot) or not own.ready(now):
            return Take.NOT_NOW
        queue = self._queue_of(bot, person)
        if queue or queue.held_until > now:
            return Take.CHAT_BUSY
        if not queue.limiter.ready(now) and await queue.limiter.ask() > 0:
            return Take.CHAT_BUSY
        if not paid and not await self._budgets.bot_queue(bot).take_spare():
            return Take.NOT_NOW
        now = self._clock.monotonic()
        queue.limiter.spend(now)
        own.spend(now)
        return Take.TAKEN

    async def flooded(self, bot: BotId, person: PersonId, hold_s: float) -> None:
        """Obey a 429: no broadcast uses the bot for this time. Chats do, unless a second chat gets one, too."""
        now = self._clock.monotonic()
        self._closed_until[bot] = max(self._closed_until.get(bot, FULL), now + hold_s)
        queue = self._queue_of(bot, person)
        queue.held_until = max(queue.held_until, now + hold_s)
        whole_s = self._budgets.bot_queue(bot).note_flood(person, hold_s)
        metrics.FLOODS.add(bot, "bot" if whole_s else "chat")
        logs.record("courier.flood", "warning", bot=bot, retry_after_s=hold_s, kind="bot" if whole_s else "chat")
        if self._shared:
            with suppress(LiveStoreLost):  # then the other processes get their own 429
                await self._store.hold(Account(bot, person), hold_s)
                if whole_s:
                    await self._store.hold(Account(bot), whole_s)
