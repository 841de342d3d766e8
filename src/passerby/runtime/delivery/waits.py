"""Performs the commands that make a queue wait: for the store, for a time, for the end of a 429."""

from contextlib import suppress
from functools import partial

from passerby.domain.delivery.commands import Check, Hold, WaitUntil
from passerby.domain.delivery.events import Event, StoreAway, Wakeup
from passerby.domain.delivery.phases import Phase
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.shared_budgets import Account
from passerby.ports.soon import Soon
from passerby.runtime.delivery.budget_requests import BudgetRequests
from passerby.runtime.delivery.courier_queue import CourierQueue, Feed
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.delivery.send_checks import SendChecks
from passerby.runtime.delivery.sends import Sends
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.tasks import Background
from passerby.telemetry import logs, metrics


class Waits:
    def __init__(
        self,
        store: LiveStore,
        send_checks: SendChecks,
        budgets: BudgetRequests,
        sends: Sends,
        background: Background,
        recorder: FlightRecorder,
        feed: Feed,
        *,
        shared: bool,
    ) -> None:
        self._store = store
        self._send_checks = send_checks
        self._budgets = budgets
        self._sends = sends
        self._background = background
        self._recorder = recorder
        self._feed = feed
        self._shared = shared

    def check(self, queue: CourierQueue, command: Check, now: float) -> None:
        delivery = command.delivery
        assert isinstance(delivery, Delivery), "the courier put it in"
        checking = self._background.begin(self._send_checks.check(queue, delivery), delivery.refs)
        self._background.when_done(checking, partial(self._checked, queue, delivery))

    def _checked(self, queue: CourierQueue, delivery: Delivery, answer: Soon[Event]) -> None:
        if queue.current is not delivery or delivery.phase is not Phase.CHECKING:
            return  # it ended, or another one goes first
        try:
            event = answer.result()
        except LiveStoreLost:
            delivery.waits_until = None  # what others must send first, they could not send either
            event = StoreAway(self._sends.store_pause_s(delivery))
        self._feed(queue, event)

    def wait_until(self, queue: CourierQueue, command: WaitUntil, now: float) -> None:
        if queue.timer is not None:
            queue.timer.cancel()
        queue.passed = False
        queue.timer = self._background.call_after(command.at - now, self._wake, queue)

    def _wake(self, queue: CourierQueue) -> None:
        queue.timer = None
        if queue.current is not None and queue.current.phase is Phase.PAUSED:
            self._feed(queue, Wakeup())

    def hold(self, queue: CourierQueue, command: Hold, now: float) -> None:
        """Obey a 429: hold the chat, and the whole bot if two chats are held, in every process.

        If the file's bot is held, other processes are not told to hold this chat.
        """
        delivery, bot, hold_s = queue.current, command.bot, command.hold_s
        assert isinstance(delivery, Delivery), "it was just sent"
        whole_s = self._budgets.bot_queue(bot).note_flood(delivery.person, hold_s)
        if self._shared and bot == delivery.through:
            self._background.spawn(self._share_hold(Account(bot, delivery.person), hold_s))
        if self._shared and whole_s:
            self._background.spawn(self._share_hold(Account(bot), whole_s))
        kind = "bot" if whole_s else "chat"
        metrics.FLOODS.add(bot, kind)
        logs.record("courier.flood", "warning", bot=bot, retry_after_s=hold_s, kind=kind)

    async def _share_hold(self, account: Account, hold_s: float) -> None:
        with suppress(LiveStoreLost):  # then the other processes get their own 429
            await self._store.hold(account, hold_s)
