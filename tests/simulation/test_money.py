"""Random histories of money: whatever happens, the ledger says what Telegram's transactions say, and nobody loses a day
that they paid for."""

import asyncio

import pytest

from botapi_sandbox.world import payments, subscriptions
from passerby.kernel.event import ButtonPressed
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money_event import RefundOrdered
from tests.scenario.stores import FILE, SERVERS, opened
from tests.simulation.money import DAY_S, MONTHLY, WEEK, History, judged, verdicts
from tests.simulation.money_attacks import HostileHistory
from tests.size import in_full, size

# In parts, so that several processes share the long form.
HISTORIES = range(0, 10_000, 250)
HISTORIES_ON_STORES = range(0, 200, 20)
HOSTILE = range(0, 2_000, 200)


@pytest.mark.sized
@pytest.mark.parametrize("first", in_full(HISTORIES, 1))
def test_the_ledger_equals_telegrams_transactions_and_nobody_loses_a_paid_day(first: int) -> None:
    seeds = range(first, first + size(40, HISTORIES.step))
    assert {seed: wrong for seed in seeds if (wrong := judged(seed))} == {}


@pytest.mark.sized
@pytest.mark.parametrize("first", in_full(HISTORIES_ON_STORES, 1))
@pytest.mark.parametrize("stores", [FILE, pytest.param(SERVERS, marks=pytest.mark.services)])
def test_the_ledger_is_the_same_over_every_pair_of_stores(stores: str, first: int) -> None:
    seeds = range(first, first + size(1, HISTORIES_ON_STORES.step))
    assert {seed: wrong for seed, wrong in verdicts(seeds, stores) if wrong} == {}


@pytest.mark.sized
@pytest.mark.parametrize("first", in_full(HOSTILE, 1))
def test_the_ledger_stays_right_when_prices_change_updates_come_in_any_order_and_somebody_plays_against_us(
    first: int,
) -> None:
    seeds = range(first, first + size(10, HOSTILE.step))
    assert {seed: wrong for seed in seeds if (wrong := judged(seed, kind=HostileHistory))} == {}


@pytest.mark.sized
@pytest.mark.parametrize("first", in_full(range(0, 60, 20), 1))
@pytest.mark.parametrize("stores", [FILE, pytest.param(SERVERS, marks=pytest.mark.services)])
def test_hostile_histories_end_the_same_over_every_pair_of_stores(stores: str, first: int) -> None:
    seeds = range(first, first + size(1, 20))
    assert {seed: wrong for seed, wrong in verdicts(seeds, stores, HostileHistory) if wrong} == {}


class RenewedBeforeTheCancellation(History):
    """A person subscribes and is erased. Before the cancellation is through, Telegram renews once more."""

    async def play(self, steps: int) -> None:
        await super().play(0)
        person = self.people[0]
        event = ButtonPressed(PersonId(person), self.bots[0], "q", None, "vip_buy", MONTHLY.name, "en")
        bill = next(say.bill for say in await self._handle(event) if say.bill is not None)
        made = payments.Invoice(
            bot_id=self.bots[0],
            title="VIP",
            payload=bill.payload,
            currency="XTR",
            amount=bill.stars,
            subscription_period=2_592_000,
        )
        bot = self.world.state.bots[self.bots[0]]
        payments.begin(self.world, bot, person, made)
        self.is_calm = True
        for _ in range(2):
            await self._calm_round()  # the checkout, the payment
        self.rng.choice = lambda among: among[0]  # type: ignore[method-assign, assignment]
        await self._erase()
        (subscription,) = self.world.state.subscriptions.values()
        subscriptions.renew(self.world, subscription)
        for _ in range(6):
            await self._calm_round()
            await asyncio.sleep(800.0)


class SlowClock(History):
    """The machine's clock is set back by three days. A payment's update is lost."""

    async def play(self, steps: int) -> None:
        await super().play(0)
        self.is_calm = True
        await self._calm_round()
        self.errors_s = [-3 * DAY_S] * 2
        person = self.people[0]
        self.rng.choice = lambda among: person if among is self.people else among[0]  # type: ignore[method-assign, assignment]
        await self._buy()
        del self.rng.choice
        await self._deliver()  # the checkout
        self.world.state.bots[self.bots[0]].queue.items.clear()
        for _ in range(4):
            await asyncio.sleep(800.0)
            await self._duty()
            await self._record()
        (self.charge,) = [charge for _, charge in self.ledger().charges.values()]
        self.errors_s = [0.0, 0.0]


@pytest.mark.parametrize("stores", ["memory", FILE, pytest.param(SERVERS, marks=pytest.mark.services)])
def test_a_clock_that_was_set_back_stops_no_sweep_and_costs_no_day(stores: str) -> None:
    place, records_place = opened(stores)
    history = SlowClock(3, place, records_place.open(), records_place)

    async def play() -> list[str]:
        await history.play(0)
        return await history.faults()

    try:
        assert place.run(play()) == []
        assert history.charge.found
    finally:
        records_place.close()


class CopiedAfterMonths(HostileHistory):
    """A pass, a subscription and a gift are paid. Before the wallets drop them, and after, the updates come again."""

    async def play(self, steps: int) -> None:
        await super().play(0)
        self.is_calm = True
        for chosen in (WEEK, MONTHLY):
            self.rng.choice = lambda among, plan=chosen: plan if plan in among else among[0]  # type: ignore[method-assign, assignment, misc]
            await self._buy()
        await self._gift()
        del self.rng.choice
        await self._calm_round()
        await self._calm_round()
        assert len(self.ledger().charges) == 3
        copies = [event for event, _ in self._came]
        for after_s in (40 * DAY_S, 60 * DAY_S):
            await self._unread(after_s)
            for _ in range(2):
                await self._calm_round()
                await asyncio.sleep(800.0)
            for event in copies:  # without their numbers: those are forgotten after a day
                await self._handle(event)
            await self._record()


@pytest.mark.parametrize("stores", ["memory", FILE, pytest.param(SERVERS, marks=pytest.mark.services)])
def test_updates_that_come_once_more_after_months_give_nothing_twice(stores: str) -> None:
    place, records_place = opened(stores)
    history = CopiedAfterMonths(1, place, records_place.open(), records_place)

    async def play() -> list[str]:
        await history.play(0)
        return await history.faults()

    try:
        assert place.run(play()) == []
    finally:
        records_place.close()


class UnreadForAMonth(HostileHistory):
    """A person subscribes, and nobody reads the bot for 33 days. Then staff refund the purchase.

    `hears`: the renewal is heard of before the transactions are read. `refunds`: which of the two payments.
    """

    hears = True
    refunds = 0

    async def play(self, steps: int) -> None:
        await super().play(0)
        self.is_calm = True
        person = PersonId(self.people[0])
        self.rng.choice = lambda among: person if among is self.people else among[-1]  # type: ignore[method-assign, assignment]
        await self._buy()
        del self.rng.choice
        await self._checkouts()
        await self._unread(30.2 * DAY_S)
        await self._unread(3 * 3600.0)
        for each in (self._deliver, self._duty) if self.hears else (self._duty, self._deliver):
            await asyncio.sleep(800.0)
            await each()
            await self._record()
        for _ in range(2):
            await self._calm_round()
            await asyncio.sleep(800.0)
        (subscription,) = self.world.state.subscriptions.values()
        charges = sorted(self.ledger().charges.values(), key=lambda each: each[1].paid_at)
        assert [each.refund_owed_at for _, each in charges] == [0.0, 0.0], "both payments are known and kept"
        assert not subscription.cancelled
        await self._handle(RefundOrdered(person, BotId(0), charges[self.refunds][1]))
        for _ in range(6):
            await self._calm_round()
            await asyncio.sleep(800.0)
        self.is_cancelled = subscription.cancelled


@pytest.mark.parametrize("refunds", [0, 1])
@pytest.mark.parametrize("hears", [True, False])
@pytest.mark.parametrize("stores", ["memory", FILE, pytest.param(SERVERS, marks=pytest.mark.services)])
def test_a_subscription_that_nobody_heard_of_for_a_month_is_one_whichever_payment_is_known_first(
    stores: str, hears: bool, refunds: int
) -> None:
    place, records_place = opened(stores)
    history = UnreadForAMonth(2, place, records_place.open(), records_place)
    history.hears, history.refunds = hears, refunds
    history.world.switches.cancels_by_provider_charge = False

    async def play() -> list[str]:
        await history.play(0)
        return await history.faults()

    try:
        assert place.run(play()) == []
        assert len(records_place.ledger().refunds) == 1
        assert history.is_cancelled, "by its first charge, although it is called by another one"
    finally:
        records_place.close()


@pytest.mark.parametrize("stores", ["memory", FILE, pytest.param(SERVERS, marks=pytest.mark.services)])
def test_a_renewal_that_overtakes_the_cancellation_of_an_erasure_is_sent_back_and_the_last_one(stores: str) -> None:
    place, records_place = opened(stores)
    history = RenewedBeforeTheCancellation(1, place, records_place.open(), records_place)

    async def play() -> list[str]:
        await history.play(0)
        return await history.faults()

    try:
        assert place.run(play()) == []
        assert len(records_place.ledger().refunds) == 1
    finally:
        records_place.close()
