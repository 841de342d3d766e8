"""Asks for the budget of a queue's first delivery: its chat's, then its bot's. If there is one, it gets it at once."""

from collections.abc import Callable
from functools import partial

from passerby.domain.budgets import Budget
from passerby.domain.delivery.commands import AskBudget, Withdraw
from passerby.domain.delivery.events import BudgetGranted, Delayed, Hopeless, StoreAway
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, PersonId
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.shared_budgets import Account
from passerby.ports.soon import Soon
from passerby.runtime.delivery.bot_queue import BotQueue, Place
from passerby.runtime.delivery.courier_queue import CourierQueue, Feed
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.delivery.limiters import Limiter, LocalLimiter, SharedLimiter
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.tasks import Background
from passerby.telemetry import metrics

ELSEWHERE_POLL_S = 0.5
"""How often a delivery checks whether a second bot that it needs works again."""

Answered = Delayed | Hopeless | BudgetGranted | StoreAway

_GRANTED = BudgetGranted()
_QUEUE_WAITS = tuple(map(metrics.QUEUE_WAIT.of, metrics.PRIORITIES))  # by priority


class BudgetRequests:
    """`store_pause_s` returns how long a delivery waits when the store is away."""

    def __init__(
        self,
        store: LiveStore,
        tokens: Tokens,
        background: Background,
        clock: Clock,
        bot_budget: Budget,
        chat_budget: Budget,
        feed: Feed,
        store_pause_s: Callable[[Delivery], float],
        *,
        shared: bool,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._background = background
        self._clock = clock
        self._bot_budget = bot_budget
        self._chat_budget = chat_budget
        self._feed = feed
        self._store_pause_s = store_pause_s
        self._shared = shared
        self._bot_queues: dict[BotId, BotQueue] = {}

    def bot_queue(self, bot: BotId) -> BotQueue:
        bot_queue = self._bot_queues.get(bot)
        if bot_queue is None:
            limiter = self._limiter(Account(bot), self._bot_budget)
            bot_queue = self._bot_queues[bot] = BotQueue(limiter, self._background, self._clock)
        return bot_queue

    def chat_limiter(self, bot: BotId, person: PersonId) -> Limiter:
        return self._limiter(Account(bot, person), self._chat_budget)

    def show_holds(self, now: float) -> None:
        """Show in the metrics how long Telegram has held each bot back."""
        for bot, bot_queue in self._bot_queues.items():
            metrics.BOT_HELD.set(bot_queue.held_s(now), bot)

    def _limiter(self, account: Account, budget: Budget) -> Limiter:
        if self._shared:
            return SharedLimiter(account, budget, self._store, self._clock)
        return LocalLimiter(budget, self._clock)

    def ask(self, queue: CourierQueue, command: AskBudget, now: float) -> Answered | None:
        delivery = queue.current
        assert isinstance(delivery, Delivery), "a queue asks for its first delivery"
        if not delivery.is_front:
            delivery.is_front = True
            _QUEUE_WAITS[delivery.priority].observe(now - delivery.put_at)
        if queue.asked is None:
            return self._ask(queue, delivery, now)
        if queue.place is not None:
            self.bot_queue(delivery.bot).raise_priority(queue.place, command.priority)
        return None

    def withdraw(self, queue: CourierQueue, command: Withdraw, now: float) -> None:
        queue.asked = None
        if queue.place is not None:
            queue.place.cancel()
            queue.place = None

    def _ask(self, queue: CourierQueue, delivery: Delivery, now: float) -> Answered | None:
        """The budget, or why it has to wait. None: it is asked for, and the answer will be told."""
        bot, elsewhere = delivery.bot, delivery.elsewhere
        bot_queue = self._bot_queues.get(bot) or self.bot_queue(bot)
        if not self._tokens.works(bot):
            return self._delayed(queue, delivery.deadline)
        if elsewhere is not None and not self._tokens.works(elsewhere):
            if self._tokens.is_lost(elsewhere):
                return Hopeless(Refusal.CANNOT_COPY)  # the partner's own bot works
            return self._delayed(queue, now + ELSEWHERE_POLL_S)
        if bot_queue.held_until > now:
            return self._delayed(queue, bot_queue.held_until)
        if not queue.limiter.ready(now):
            asked = queue.asked = object()
            self._background.when_done(queue.limiter.ask(), partial(self._chat_answered, queue, delivery, asked))
            return None
        if queue.passed or bot_queue.passes(now):
            queue.passed = False
            queue.limiter.spend(now)
            return _GRANTED
        asked = queue.asked = object()
        place = queue.place = bot_queue.queue(queue.urgency)
        place.add_done_callback(partial(self._background.guarded, self._passed, queue, delivery, asked, now))
        return None

    def _chat_answered(self, queue: CourierQueue, delivery: Delivery, asked: object, answer: Soon[float]) -> None:
        if queue.asked is not asked:
            return
        queue.asked = None
        now = self._clock.monotonic()
        try:
            wait_s = answer.result()
        except LiveStoreLost:
            self._tell(queue, StoreAway(self._store_pause_s(delivery)))
            return
        if wait_s > 0:
            metrics.BUDGET_WAIT.observe(wait_s, "chat")
            self._tell(queue, self._delayed(queue, now + wait_s))
        else:
            self._tell(queue, self._ask(queue, delivery, now))

    def _passed(self, queue: CourierQueue, delivery: Delivery, asked: object, since: float, place: Place) -> None:
        """The bot's budget has let the queue pass, or the bot is lost."""
        if queue.asked is not asked or place.cancelled():
            return
        queue.asked = queue.place = None
        queue.passed = True
        now = self._clock.monotonic()
        metrics.BUDGET_WAIT.observe(now - since, "bot")
        self._tell(queue, self._ask(queue, delivery, now))

    def _delayed(self, queue: CourierQueue, until: float) -> Delayed:
        queue.passed = False
        return Delayed(until)

    def _tell(self, queue: CourierQueue, event: Answered | None) -> None:
        if event is not None:
            self._feed(queue, event)
