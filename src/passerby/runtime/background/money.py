"""The duty `money`: what we owe, what the bots' transactions say, and whose VIP time ends.

    Stars calls   refunds and cancellations that a decision left behind. Each is made until Telegram confirms it; then
                  `StarCallConfirmed` closes it. "Already refunded" is a confirmation. If Telegram says that it will
                  never make a refund, `RefundRefused` closes it. Other refusals may end, such as a bot's lack of Stars:
                  they are tried again, less often the longer they last
    sweep         every bot's transactions, every ten minutes and whenever the duty is taken over. A sale that the
                  ledger does not know becomes `PaymentSettled`, as its update would have.
    grants        `GrantTakenBack` for VIP time whose Stars went back, mostly gifts
    closing       `SellerClosing` for people who have a subscription of a bot that closes
    referrals     see `background.referrals`
    endings       `VipEnding` for people whose VIP time ends within a day, or has just ended

Everything is repeated until the records show that it happened. So it does not matter where a process dies. Pauses are
measured in monotonic time: a clock that was set back would otherwise stop the sweep for as long.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Final

from passerby.domain.money.endings import is_due
from passerby.kernel.event import Event
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import SUBSCRIPTION_S, ChargeId, Payment, StarCallKind
from passerby.kernel.money_event import (
    GrantTakenBack,
    PaymentRefunded,
    PaymentSettled,
    RefundRefused,
    SellerClosing,
    StarCallConfirmed,
    VipEnding,
)
from passerby.ports.clock import Clock
from passerby.ports.money import StarCall, Unmatched
from passerby.ports.records import Records, RecordsLost
from passerby.ports.telegram import CancelSubscription, NeverRefunded, RefundStars, Refused, Telegram, TelegramError
from passerby.telemetry import logs, metrics

EVERY_S: Final = 5.0
SWEEP_EVERY_S: Final = 600.0
ENDINGS_EVERY_S: Final = 60.0

AGAIN_S: Final = 60.0
"""A step whose effect the records do not show yet is not taken again within this time."""

ROWS: Final = 100
"""Source: Bot API, getStarTransactions."""

CALLS_A_LOOK: Final = 50
DEBTS_A_LOOK: Final = 1000
"""More than the calls: those that wait for a bot, or for their time, must not hide the others."""
SURE_AFTER_S: Final = 600.0
"""Telegram may not know a payment yet that is seconds old. After this long, its refusal counts."""
SLOWEST_S: Final = 3600.0
"""A call that is refused is made again at least this often."""
NO_BOT: Final = BotId(0)
"""Stands for the bot of an event that came through none."""
PEOPLE_A_LOOK: Final = 500
UNMATCHED_AFTER_S: Final = 120.0
"""A row younger than this may still come as an update."""

CONFIRMED_WITHIN_S: Final = 3600.0
LOOKED_BACK_S: Final = 30 * 86_400.0
DAY_S: Final = 86_400.0


class MoneyTask:
    """`bots` returns the fleet's, and `closing` those that close. `put` gets the events.

    `referrals` is one more step. `journal`: the number of its newest fact, and of the last one in the records.
    """

    def __init__(
        self,
        records: Records,
        telegram: Telegram,
        bots: Callable[[], Iterable[BotId]],
        works: Callable[[BotId], bool],
        put: Callable[[Event], None],
        clock: Clock,
        closing: Callable[[], Iterable[BotId]] = tuple,
        referrals: Callable[[], Awaitable[None]] | None = None,
        journal: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        self._records = records
        self._telegram = telegram
        self._bots = bots
        self._works = works
        self._put = put
        self._closing = closing
        self._referrals = referrals
        self._journal = journal
        self._newest = (float("-inf"), 0)
        """When we looked last, and the number of the newest fact then."""
        self._clock = clock
        self._raised: dict[object, float] = {}
        self._swept_at: dict[BotId, float] = {}
        self._known_since: dict[tuple[BotId, str, bool], float] = {}
        self._endings_at = float("-inf")
        self._closed_at: dict[BotId, float] = {}
        self._grants_at = float("-inf")
        self._has_looked = False
        self._not_before: dict[StarCall, float] = {}
        """When a call that Telegram refused is made again."""

    async def run(self) -> None:
        """Run until cancelled, as the holder of the lease."""
        self._swept_at.clear()
        try:
            while True:
                await self._look()
                await self._clock.sleep(EVERY_S)
        finally:
            # Another process measures from now on. Otherwise old values would look like its own.
            for gauge in (metrics.STAR_CALLS, metrics.SALES_UNMATCHED, metrics.CHARGES_UNCONFIRMED):
                gauge.clear()

    async def _look(self) -> None:
        steps = (self.sweep, self.make_calls, self.take_grants_back, self.tell_endings, self.end_subscriptions)
        for step in steps if self._referrals is None else (*steps, self._referrals):
            try:
                await step()
            except RecordsLost as error:
                logs.record("money.records_lost", "debug", error=logs.name_of(error))

    async def make_calls(self) -> None:
        """Make the calls that we owe. Raises: RecordsLost."""
        self._forget()
        calls = await self._records.star_calls(DEBTS_A_LOOK)
        now, at = self._clock.now(), self._clock.monotonic()
        self._not_before = {call: then for call in calls if (then := self._not_before.get(call, at)) > at}
        for kind in StarCallKind:
            oldest = min((call.owed_at for call in calls if call.kind is kind), default=now)
            metrics.STAR_CALLS.set(now - oldest, str(kind))
        ready = (call for call in calls if self._works(call.bot) and call not in self._not_before)
        for call in islice((call for call in ready if self._is_time_for(call)), CALLS_A_LOOK):
            await self._make(call)

    async def _make(self, call: StarCall) -> None:
        try:
            if call.kind is StarCallKind.REFUND:
                await self._telegram.send(RefundStars(call.bot, call.person, call.charge))
            else:
                await self._cancel(call)
        except TelegramError as error:
            owed_s = self._clock.now() - call.owed_at
            if isinstance(error, NeverRefunded) and owed_s >= SURE_AFTER_S:
                metrics.REFUNDS_REFUSED.add()
                logs.record("money.refund_refused", "error", bot=call.bot, reason=error.reason)
                self._put(RefundRefused(call.person, call.bot, call.charge))
                return
            logs.record("money.call_failed", "warning", bot=call.bot, error=logs.name_of(error), reason=error.reason)
            if isinstance(error, Refused):
                self._not_before[call] = self._clock.monotonic() + min(SLOWEST_S, max(AGAIN_S, owed_s / 10))
            return
        self._put(StarCallConfirmed(call.person, call.bot, call.kind, call.charge))

    async def _cancel(self, call: StarCall) -> None:
        """Cancel a subscription. Raises: TelegramError, RecordsLost.

        If its renewal came after an erasure, or before its first payment was known, its charge looks like the first one
        of a subscription. The right one is among the others with its payload.
        """
        try:
            await self._telegram.send(CancelSubscription(call.bot, call.person, call.charge, call.provider_charge))
        except Refused as refused:
            now, is_done = self._clock.now(), False
            for charge, provider in await self._records.may_cancel(call.bot, call.person, call.charge, now):
                # All of them: an invoice that was paid twice began two, and one that is over already is confirmed, too.
                with suppress(Refused):
                    await self._telegram.send(CancelSubscription(call.bot, call.person, charge, provider))
                    is_done = True
            if not is_done:
                raise refused

    async def sweep(self) -> None:
        """Read the transactions of each bot whose turn it is, and raise what the ledger lacks. Raises: RecordsLost."""
        at = self._clock.monotonic()
        due = [bot for bot in self._bots() if at - self._swept_at.get(bot, float("-inf")) >= SWEEP_EVERY_S]
        for bot in due:
            if not self._works(bot):
                continue
            try:
                await self._read(bot)
            except TelegramError as error:
                logs.record("money.sweep_failed", "warning", bot=bot, error=logs.name_of(error), reason=error.reason)
                # Tried again soon, but not at every look.
                self._swept_at[bot] = at - SWEEP_EVERY_S + AGAIN_S
            else:
                self._swept_at[bot] = at
                metrics.SWEPT_AT.set(self._clock.now(), bot)
        has_caught_up = self._has_caught_up()
        if due and has_caught_up:
            await self._compare()
        elif due:
            self._swept_at |= dict.fromkeys(due, at - SWEEP_EVERY_S + AGAIN_S)

    def _has_caught_up(self) -> bool:
        """Whether the records have what was decided until the look before this one.

        Otherwise the ledger may lack a charge whose buyer has been erased since, or whose wallet has dropped it after
        months without any process. The sweep would find that sale once more.
        """
        at, (newest, recorded) = self._clock.monotonic(), self._journal()
        (before_at, awaited), self._newest = self._newest, (at, newest)
        if at - before_at > AGAIN_S or newest < awaited:  # nobody looked, or another journal has begun
            awaited = newest
        return recorded >= awaited

    async def _read(self, bot: BotId) -> None:
        """Store the rows that are new. They are only ever added at the end; the last hundred are read again."""
        offset = max(0, await self._records.rows_seen(bot) - ROWS)
        while True:
            rows = await self._telegram.star_rows(bot, offset, ROWS)
            offset += len(rows)
            await self._records.note_rows(bot, rows, offset, self._clock.now())
            if len(rows) < ROWS:
                return

    async def _compare(self) -> None:
        now = self._clock.now()
        self._forget()
        unmatched = self._waited_for(await self._records.unmatched(float("inf"), ROWS), now)
        metrics.SALES_UNMATCHED.set(len(unmatched))
        for each in unmatched:
            event = _event(each)
            if event.person and self._is_time_for(event):
                if isinstance(event, PaymentSettled):
                    metrics.SALES_FOUND.add()
                    logs.record("money.sale_found", "error", bot=each.bot)
                self._put(event)
        unconfirmed = await self._records.unconfirmed(now - LOOKED_BACK_S, now - CONFIRMED_WITHIN_S)
        metrics.CHARGES_UNCONFIRMED.set(unconfirmed)

    def _waited_for(self, unmatched: Iterable[Unmatched], now: float) -> list[Unmatched]:
        """Those whose update would have come by now: by Telegram's date, or, if our clock is slow, since we know
        them."""
        at = self._clock.monotonic()
        rows = {(each.bot, each.row.id, each.row.incoming): each for each in unmatched}
        self._known_since = {key: self._known_since.get(key, at) for key in rows}
        return [
            each
            for key, each in rows.items()
            if each.row.at <= now - UNMATCHED_AFTER_S or at - self._known_since[key] >= UNMATCHED_AFTER_S
        ]

    async def take_grants_back(self) -> None:
        """Raise an event for all VIP time whose Stars went back: a gift's is not the payer's. Raises: RecordsLost."""
        now, at = self._clock.now(), self._clock.monotonic()
        if at - self._grants_at < AGAIN_S:
            return
        self._forget()
        # The first look is at all of them: perhaps nobody has looked for more than a month.
        since = now - LOOKED_BACK_S if self._has_looked else 0.0
        over = await self._records.grants_over(since, now, CALLS_A_LOOK)
        self._has_looked = self._has_looked or len(over) < CALLS_A_LOOK
        for each in over:
            if self._is_time_for(each):
                self._put(GrantTakenBack(each.receiver, NO_BOT, each.grant))
        self._grants_at = at

    async def tell_endings(self) -> None:
        """Raise an event for everybody whose VIP time is about to end, or has just ended. Raises: RecordsLost."""
        now, at = self._clock.now(), self._clock.monotonic()
        if at - self._endings_at < ENDINGS_EVERY_S:
            return
        self._forget()
        look = partial(self._records.vip_ending, now - 2 * DAY_S, now + DAY_S)
        beyond = PersonId(-(2**63))
        while True:
            people = await look(beyond, PEOPLE_A_LOOK)
            for me in people:
                if is_due(me, now) and me.bot is not None and self._is_time_for((me.person, me.vip_until)):
                    self._put(VipEnding(me.person, me.bot))
            if len(people) < PEOPLE_A_LOOK:
                break
            beyond = people[-1].person
        self._endings_at = at

    async def end_subscriptions(self) -> None:
        """Raise an event for everybody who has a subscription of a bot that closes. Raises: RecordsLost."""
        now, at = self._clock.now(), self._clock.monotonic()
        for bot in self._closing():
            if at - self._closed_at.get(bot, float("-inf")) < ENDINGS_EVERY_S or not self._works(bot):
                continue
            beyond = PersonId(-(2**63))
            while people := await self._records.subscribers(bot, now, beyond, PEOPLE_A_LOOK):
                for person in people:
                    self._put(SellerClosing(person, bot))
                beyond = people[-1]
            self._closed_at[bot] = at

    def _forget(self) -> None:
        now = self._clock.monotonic()
        self._raised = {what: at for what, at in self._raised.items() if now - at < AGAIN_S}

    def _is_time_for(self, what: object) -> bool:
        if what in self._raised:
            return False
        self._raised[what] = self._clock.monotonic()
        return True


def _event(each: Unmatched) -> PaymentSettled | PaymentRefunded:
    row = each.row
    if not row.incoming:
        return PaymentRefunded(PersonId(row.person), each.bot, ChargeId(row.id), row.stars)
    payment = Payment(
        ChargeId(row.id),
        row.payload,
        row.stars,
        row.at,
        recurs=row.period_s > 0,
        # The rows do not tell a first payment from a renewal. If no subscription is known, it counts as the first.
        is_first=row.period_s > 0,
        paid_until=row.at + (row.period_s or SUBSCRIPTION_S) if row.period_s else 0.0,
        found=True,
        plan=each.plan,
        days=each.days,
        refunded=each.refunded,
        gift_to=each.gift_to,
    )
    return PaymentSettled(PersonId(row.person), each.bot, payment)
