"""Random histories of money in which somebody, or chance, plays against us.

    python -m tests.simulation.money_attacks 0 200                   the verdicts on 200 seeds from 0, on memory
    python -m tests.simulation.money_attacks 0 200 redis+postgres    the same on servers

Besides all that `money` does: prices change between invoice and payment, and plans are sold no more. Updates come in
any order, and again after they were confirmed. One invoice is paid from two phones at once. A renewal crosses a refund
that staff order. The receiver of a gift is banned or erased before it is paid. Telegram refunds unasked, and says so
twice. A bot that was lost comes back. Nobody reads the bots for more than a month, so a renewal is heard of before the
first payment. The clock of one worker of two is hours or days wrong, in either direction. The verdict is the same.
"""

import asyncio
from random import Random

import msgspec

from botapi_sandbox.world import payments
from botapi_sandbox.world import queue as queues
from passerby.adapters.botapi.decode import arrivals
from passerby.kernel.event import Event
from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.money import Plan
from passerby.kernel.money_event import CheckoutAsked, RefundOrdered
from passerby.kernel.rules import Rules
from passerby.ports.records import Records
from tests.contract.live_places import Place
from tests.scenario.records_places import RecordsPlace
from tests.simulation.money import DAY_S, MONTH, MONTHLY, RULES, WEEK, History, Killed, main


def _offers() -> tuple[tuple[Plan, ...], ...]:
    dear = tuple(msgspec.structs.replace(each, stars=each.stars + 15) for each in (WEEK, MONTH, MONTHLY))
    return ((WEEK, MONTH, MONTHLY), dear, (dear[0], MONTH, MONTHLY), (WEEK, MONTHLY))


ERRORS_S = tuple(sign * hours * 3600.0 for hours in (1, 5, 26, 72) for sign in (1, -1))


class HostileHistory(History):
    def __init__(self, seed: int, place: Place, records: Records, records_place: RecordsPlace) -> None:
        super().__init__(seed, place, records, records_place)
        self.hostile_rng = Random(f"hostile:{seed}")
        self._came: list[tuple[Event, UpdateRef]] = []

    async def _attack(self) -> bool:
        self.worker = self.hostile_rng.randrange(2)
        if self.hostile_rng.random() > 0.3:
            return False
        does = self.hostile_rng.choice(
            (self._reprice, self._two_phones, self._cross, self._late_end, self._refund_twice, self._again, self._back,
             self._month_unread, self._set_clock)
        )  # fmt: skip
        await does()
        return True

    async def _reprice(self) -> None:
        self.rules: Rules = msgspec.structs.replace(RULES, plans=self.hostile_rng.choice(_offers()))

    async def _two_phones(self) -> None:
        """The same invoice is open on two phones, and both press Pay."""
        if self.invoices:
            person, bot, payload = self.hostile_rng.choice(self.invoices[-3:])
            for _ in range(2):
                self._pays(person, bot, payload)

    async def _cross(self) -> None:
        """A subscription renews, and before we hear of it, staff refund an earlier payment of it."""
        due = [
            each
            for each in self.world.state.subscriptions.values()
            if not (each.cancelled or each.failed) and each.bot_id != self.lost_bot
        ]
        if not due:
            return
        chosen = self.hostile_rng.choice(due)
        while (left_s := chosen.until - 60.0 - self.clock.now()) > 1.0:
            await self._pass(min(left_s, DAY_S))
            await self._record()
            await self._duty()
        await asyncio.sleep(61.0)
        self.world.tick()
        known = [
            (who, charge)
            for who, charge in self.ledger().charges.values()
            if who == chosen.person_id and charge.first == chosen.first_charge and charge.bot == chosen.bot_id
        ]
        if known:
            who, charge = self.hostile_rng.choice(known)
            await self._handle(RefundOrdered(who, BotId(0), charge))

    async def _late_end(self) -> None:
        """A gift is ordered, and between the press and the payment the receiver is gone."""
        await self._gift()
        await self.hostile_rng.choice((self._ban, self._erase, self._record))()

    async def _refund_twice(self) -> None:
        """Telegram refunds by itself, and its message comes once more."""
        found = [each for each in self.taken() if each.refunded_at is None and each.bot_id != self.lost_bot]
        if found:
            chosen = self.hostile_rng.choice(found)
            bot = self.world.state.bots[chosen.bot_id]
            before = len(bot.queue.items)
            payments.refund(self.world, bot, chosen)
            bot.queue.items += bot.queue.items[before:]

    async def _again(self) -> None:
        """Updates that were confirmed long ago come again."""
        for event, ref in self.hostile_rng.sample(self._came, min(3, len(self._came))):
            await self._handle(event, ref)

    async def _month_unread(self) -> None:
        """People pay, and then nobody reads the bots for more than a month. Telegram goes on renewing."""
        if self.hostile_rng.random() < 0.7:
            await self._buy()
            await self._checkouts()
        await self._unread(self.hostile_rng.choice((31, 33, 62)) * DAY_S)
        raise Killed

    async def _checkouts(self) -> None:
        """Answer the checkouts, and lose everything else."""
        for bot in self.bots:
            for item in list(self.world.state.bots[bot].queue.items):
                (arrival,) = arrivals(b'{"ok":true,"result":[' + item.body + b"]}", bot)
                if bot != self.lost_bot and isinstance(arrival.event, CheckoutAsked):
                    await self._handle(arrival.event, arrival.ref)
                    self.world.state.bots[bot].queue.items.remove(item)

    async def _unread(self, time_s: float) -> None:
        until = self.clock.now() + time_s
        while (left_s := until - self.clock.now()) > 0.001:
            await asyncio.sleep(min(left_s, 10 * 3600.0))
            self.world.tick()

    async def _set_clock(self) -> None:
        """The clock of one worker of two goes wrong by hours or days, or is right again. Telegram's stays right."""
        error_s = self.hostile_rng.choice((0.0, *ERRORS_S))
        self.errors_s[self.hostile_rng.randrange(2)] = error_s
        self.fastest_s = max(self.fastest_s, error_s)

    async def _back(self) -> None:
        """A lost bot works again: its token was only revoked."""
        if self.lost_bot is not None and self.hostile_rng.random() < 0.5:
            self.world.state.bots[self.lost_bot].revoked = False
            self.lost_bot = None

    async def _deliver(self) -> None:
        """In any order. An update that is not confirmed comes again."""
        for bot in self.bots:
            if bot == self.lost_bot:
                continue
            queue = self.world.state.bots[bot].queue
            queues.expire(queue, self.clock.now())
            items = list(queue.items)
            self.hostile_rng.shuffle(items)
            for item in items:
                (arrival,) = arrivals(b'{"ok":true,"result":[' + item.body + b"]}", bot)
                await self._handle(arrival.event, arrival.ref)
                self._came = [*self._came[-20:], (arrival.event, arrival.ref)]
                self._may_die()
                if (self.is_calm or self.rng.random() > 0.06) and item in queue.items:
                    queue.items.remove(item)


if __name__ == "__main__":
    main(HostileHistory, "hostile histories")
