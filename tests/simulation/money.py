"""Random histories of money: people buy, renew, refund, are banned and erased, while processes are killed, answers get
lost, updates come twice, and everything is away for a day. At the end, the ledger is compared with Telegram's.

    python -m tests.simulation.money 17 200                    the verdicts on 200 seeds from 17, on memory
    python -m tests.simulation.money 17 200 memory+sqlite      the same on files; redis+postgres: on servers

The parts are the product's: the Telegram adapter, the router and the features, the commit plan, the live store, the
records, and the duty `money`. Only the loops between them are ours, so that a history takes milliseconds, and so that a
process can be killed between any two steps. The sandbox plays Telegram; one seed determines everything.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from random import Random

import msgspec

from botapi_sandbox import Switches, World
from botapi_sandbox.world import payments
from botapi_sandbox.world import queue as queues
from botapi_sandbox.world.people import CannotDo
from botapi_sandbox.world.state import Payment
from passerby.adapters.botapi import BotApi, errors
from passerby.adapters.botapi.client import Answer as Decoded
from passerby.adapters.botapi.client import Client, T, _result
from passerby.adapters.botapi.decode import arrivals
from passerby.adapters.botapi.stars import StarCalls
from passerby.domain.money.checkout import refusal_at_checkout
from passerby.domain.money.wallets import new_code
from passerby.features import ALL
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Say
from passerby.kernel.event import ButtonPressed, ErasureDue, Event
from passerby.kernel.ids import BotId, PersonId, UpdateRef
from passerby.kernel.money import Plan
from passerby.kernel.money_event import CheckoutAnswered, CheckoutAsked, RefundOrdered, SellerClosing
from passerby.kernel.participant import DataRequests, Gender, Participant, Profile
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import SanctionOrdered
from passerby.ports.clock import Clock
from passerby.ports.facts import PersonChanged
from passerby.ports.live_store import LiveStore
from passerby.ports.participants import Commit, Committed
from passerby.ports.records import Records
from passerby.ports.telegram import AnswerCheckout, TelegramError, Unavailable
from passerby.runtime.background.money import MoneyTask
from passerby.runtime.background.referrals import Referrals
from passerby.runtime.decide.commit_plan import participants_in, plan_commit
from passerby.runtime.decide.router import Router
from tests.contract.live_places import MemoryPlace, Place
from tests.scenario.records_places import MemoryRecordsPlace, RecordsPlace
from tests.scenario.stores import opened, opened_again
from tests.simulation.money_growth import CHEAP, FREE, TRIAL_DAYS, Growing
from tests.simulation.money_judge import Judge
from tests.wording import catalogue

DAY_S = 86_400.0
WEEK, MONTH, MONTHLY = Plan("week", 7, 75), Plan("month", 30, 250), Plan("monthly", 30, 200, renews=True)
RULES = Rules(plans=(WEEK, MONTH, MONTHLY), free_filters=(), trial_days=TRIAL_DAYS, referral_days=2)
PEOPLE, BOTS = 3, 2
EVERY = 250
"""So often, a long run says how far it is."""


class Killed(Exception):
    """The process died here."""


class DirectClient(Client):
    """The product's client, with the sandbox in place of HTTP. `lose` says what happens to a call."""

    def __init__(self, tokens: dict[BotId, str], world: World, lose: Callable[[], str]) -> None:
        self._tokens = tokens
        self._world = world
        self._lose = lose

    async def call(
        self,
        bot: BotId,
        method: str,
        body: bytes,
        decoder: "msgspec.json.Decoder[Decoded[T]]",
        *,
        sends: bool = False,
    ) -> T:
        lost = self._lose()
        if lost == "before":
            raise Unavailable("lost on the way there", uncertain=False)
        answer = self._world.call(self._tokens[bot], method, msgspec.json.decode(body))
        if lost == "after":
            raise Unavailable("lost on the way back", uncertain=True)
        if answer.status == 200:
            return _result(answer.body, decoder, method, sends=sends)
        raise errors.failure(answer.status, answer.body, None, method=method, sends=sends)


class DirectApi(BotApi):
    def __init__(self, tokens: dict[BotId, str], world: World, lose: Callable[[], str]) -> None:
        self._bots = tuple(tokens)
        self._client = DirectClient(tokens, world, lose)
        self._stars = StarCalls(self._client)


class _WorkerClock(Clock):
    """The clock of the worker whose turn it is. It may be wrong by `errors_s`."""

    def __init__(self, history: "History") -> None:
        self._history = history

    def now(self) -> float:
        return self._history.clock.now() + self._history.errors_s[self._history.worker]

    def monotonic(self) -> float:
        return self._history.clock.monotonic()

    async def sleep(self, delay_s: float) -> None:
        await self._history.clock.sleep(delay_s)


class History(Growing):
    """`errors_s`: by how much the clocks of the two workers are wrong; `fastest_s`: by how much one was ahead, at most.
    `worker`: the one whose turn it is."""

    def __init__(self, seed: int, place: Place, records: Records, records_place: RecordsPlace) -> None:
        self.rng = Random(f"money:{seed}")
        self.invite_rng = Random(f"invite:{seed}")
        self.place = place
        self.records = records
        self.ledger, self._records_place = records_place.ledger, records_place
        for promo in (FREE, CHEAP):
            records_place.add_promo(promo)
        self.clock = place.clock
        switches = Switches(
            limits=False,
            strict=False,
            refund_cancels=self.rng.random() < 0.3,
            cancels_by_provider_charge=self.rng.random() < 0.3,
        )
        self.world = World(clock=self.clock.now, rng=Random(f"world:{seed}"), seed=seed, switches=switches)
        bots = [self.world.add_bot() for _ in range(BOTS)]
        self.tokens = {BotId(bot.id): bot.token for bot in bots}
        self.bots = tuple(self.tokens)
        self.people = [self.world.add_person(f"P{number}").id for number in range(PEOPLE)]
        self.is_calm = False
        self.rules = RULES
        self.telegram = DirectApi(self.tokens, self.world, self._lose)
        self.router = Router(ALL, catalogue().key_with_label)
        self.raised: list[Event] = []
        self.banned_at: dict[int, float] = {}
        self.erased_at: dict[int, float] = {}
        self.erasing: set[PersonId] = set()
        self.lost_bot: BotId | None = None
        self.invoices: list[tuple[int, BotId, str]] = []
        self.errors_s = [0.0, 0.0]
        self.fastest_s = 0.0
        self.worker = 0
        self.worker_clock = _WorkerClock(self)
        self.judge = Judge(self, RULES.plans)
        self.gifts: dict[str, PersonId] = {}
        self.due_back: set[PersonId] = set()
        self.recorded_until = 0.0
        self.journal = (0, 0)
        self._numbers = 0
        self.told: list[str] = []

    def _lose(self) -> str:
        chance = 1.0 if self.is_calm else self.rng.random()
        return "before" if chance < 0.06 else "after" if chance < 0.12 else ""

    def _may_die(self) -> None:
        if not self.is_calm and self.rng.random() < 0.05:
            raise Killed

    async def play(self, steps: int) -> None:
        self._restart()
        await self.store.adopt((), whole=True)
        for number, person in enumerate(self.people):
            bot = self.bots[number % BOTS]
            for each in self.bots:
                self.world.chat(self.world.state.bots[each], person).started = True
            now = self.clock.now()
            profile = Profile(now, 30, now, Gender.UNSAID, "en")
            newcomer = Participant(PersonId(person), 1, bot, self.bots, profile, seen_at=now)
            # The records must know them, too: the live store forgets people who have been away for long.
            await self.store.commit(Commit((newcomer,), facts=(PersonChanged(newcomer, now),)))
        for _ in range(steps):
            try:
                await self._step()
            except Killed:
                self._restart()
        self.is_calm = True
        self.errors_s = [0.0, 0.0]
        await self._pass(self.fastest_s)  # until all that a fast clock has noted is over
        for _ in range(14):
            # Longer than a sweep's pause, and than the age at which a row is compared.
            await self._calm_round()
            await asyncio.sleep(800.0)

    def _restart(self) -> None:
        """Another process. The data that the one before had only in memory is gone."""
        self.store: LiveStore = self.place.open()
        self.raised = []
        self.task = MoneyTask(
            self.records,
            self.telegram,
            lambda: self.bots,
            lambda bot: bot != self.lost_bot,
            self.raised.append,
            self.worker_clock,
            journal=lambda: self.journal,
        )
        self.referrals_at = float("-inf")
        self.referrals = Referrals(
            self.records, lambda: self.rules, self.raised.append, self.worker_clock, Random(self.invite_rng.random())
        )

    async def _calm_round(self) -> None:
        self.world.tick()
        await self._deliver()
        await self._try_again()
        await self._record()
        await self._duty()
        await self._record()

    async def _step(self) -> None:
        if await self._attack():
            return
        does = self.rng.choices(
            (self._buy, self._pay_again, self._deliver, self._record, self._duty, self._time, self._turn, self._refund,
             self._unasked, self._ban, self._erase, self._outage, self._lose_bot, self._spend, self._staff_refunds,
             self._close, self._gift, self._promo, self._talk),
            (10, 3, 12, 6, 6, 6, 2, 3, 1, 0.6, 0.4, 0.5, 0.25, 0.5, 0.5, 0.3, 4, 3, 3),
        )[0]  # fmt: skip
        await does()
        # By chance of its own, so that this changes no other step.
        if self.invite_rng.random() < 0.06:
            await self._invite()

    async def _attack(self) -> bool:
        """Something hostile in place of a step; here never. Returns whether it took place."""
        return False

    async def _time(self) -> None:
        await self._pass(self.rng.choice((1.0, 60.0, 700.0, 4 * 3600.0, DAY_S, 9 * DAY_S)))

    async def _pass(self, delay_s: float) -> None:
        """Let time pass, while the bots are read at least twice a day."""
        until = self.clock.now() + delay_s
        while (left_s := until - self.clock.now()) > 0.001:
            await asyncio.sleep(min(left_s, 10 * 3600.0))
            self.world.tick()
            await self._deliver()

    async def _outage(self) -> None:
        """Nothing of ours runs for 25 hours. Telegram drops what is older than a day."""
        await asyncio.sleep(25 * 3600.0)
        self.world.tick()
        raise Killed

    async def _buy(self) -> None:
        person, bot = self.rng.choice(self.people), self._bot()
        if person in self.erased_at or person in self.erasing:
            return
        plan = self.rng.choice(self.rules.plans)
        event = ButtonPressed(PersonId(person), bot, "q", None, "vip_buy", plan.name, "en")
        invoice = next((say for say in await self._handle(event) if say.bill is not None), None)
        if invoice is None or invoice.bill is None:
            return
        bill = invoice.bill
        made = payments.Invoice(
            bot_id=bot,
            title="VIP",
            payload=bill.payload,
            currency="XTR",
            amount=bill.stars,
            subscription_period=2_592_000 if bill.renews else None,
        )
        self.world.state.bots[bot].invoices[bill.payload] = made
        self.invoices.append((person, bot, bill.payload))
        self._pays(person, bot, bill.payload)

    def _bot(self) -> BotId:
        return self.rng.choice([each for each in self.bots if each != self.lost_bot])

    def _pays(self, person: int, bot: BotId, payload: str) -> None:
        if bot != self.lost_bot:
            known = self.world.state.bots[bot]
            payments.begin(self.world, known, person, known.invoices[payload])

    async def _pay_again(self) -> None:
        """Somebody pays an old invoice: its buyer, or a stranger."""
        if self.invoices:
            person, bot, payload = self.rng.choice(self.invoices[-4:])
            self._pays(self.rng.choice((person, *self.people)), bot, payload)

    async def _spend(self) -> None:
        person = self.world.state.people[self.rng.choice(self.people)]
        person.stars = self.rng.choice((10_000, 100))

    async def _turn(self) -> None:
        found = [each for each in self.world.state.subscriptions.values() if each.person_id in self.people]
        if found:
            chosen = self.rng.choice(found)
            try:
                self.world.phones.turn_subscription(
                    chosen.person_id, chosen.first_charge, cancelled=not chosen.cancelled
                )
            except CannotDo:
                return

    async def _refund(self) -> None:
        person = PersonId(self.rng.choice(self.people))
        facts = await self.store.load(person)
        charges = facts.me.wallet.charges if facts is not None and facts.me.wallet is not None else ()
        if charges:
            code = self.rng.choice(charges[-3:]).code
            await self._handle(ButtonPressed(person, self._bot(), "q", None, "vip_refund", code, "en"))

    async def _staff_refunds(self) -> None:
        """Staff refund a purchase that the records know; they know it until the buyer is erased."""
        known = [(who, charge) for who, charge in self.ledger().charges.values() if who and charge.bot != self.lost_bot]
        if known:
            who, charge = self.rng.choice(known)
            await self._handle(RefundOrdered(who, BotId(0), charge))

    async def _close(self) -> None:
        """A bot closes for a while: whoever has a subscription of it hears of it."""
        bot = self._bot()
        for person in await self.records.subscribers(bot, self.clock.now(), PersonId(-1), 10):
            await self._handle(SellerClosing(person, bot))

    async def _unasked(self) -> None:
        """Telegram refunds somebody by itself."""
        found = [each for each in self.taken() if each.refunded_at is None and each.bot_id != self.lost_bot]
        if found:
            chosen = self.rng.choice(found)
            payments.refund(self.world, self.world.state.bots[chosen.bot_id], chosen)

    async def _ban(self) -> None:
        person = self.rng.choice(self.people)
        if person not in self.banned_at and person not in self.erased_at:
            banned = Sanction(f"s{person}", SanctionKind.BANNED, Reason.SCAM, self.clock.now())
            await self._handle(SanctionOrdered(PersonId(person), BotId(0), banned))
            self.banned_at[person] = self.clock.now()

    async def _erase(self) -> None:
        person = PersonId(self.rng.choice(self.people))
        facts = await self.store.load(person)
        if facts is None or person in self.erased_at or person in self.banned_at:
            return
        asked = msgspec.structs.replace(facts.me, requests=DataRequests(erase_at=self.clock.now()))
        plan = plan_commit(
            _change(asked), {person: facts.me}, now=self.clock.now(), name=lambda index: f"e{person}:{index}"
        )
        assert plan.commit is not None
        await self.store.commit(plan.commit)
        self.erasing.add(person)
        await self._go_on_erasing()

    async def _go_on_erasing(self) -> None:
        for person in list(self.erasing):
            for is_last in (False, True):
                await self._handle(ErasureDue(person, self._bot(), is_last))
            # For a slow clock it is not due yet, and comes again.
            if (await self.load(person)).me.requests is None:
                self.erased_at[person] = self.clock.now()
                self.erasing.discard(person)

    async def _lose_bot(self) -> None:
        """A bot is deleted. Nothing can be done through it any more, and its subscriptions end."""
        if self.lost_bot is None:
            await self._deliver()
            self.lost_bot = self._bot()
            self.world.switches.renews_deleted_bots = False
            self.world.state.bots[self.lost_bot].revoked = True
            for each in self.world.state.subscriptions.values():
                each.cancelled = each.cancelled or each.bot_id == self.lost_bot

    async def _deliver(self) -> None:
        """Take the updates of every bot. One that was not confirmed comes again."""
        for bot in self.bots:
            if bot == self.lost_bot:
                continue
            queue = self.world.state.bots[bot].queue
            queues.expire(queue, self.clock.now())
            for item in list(queue.items):
                body = b'{"ok":true,"result":[' + item.body + b"]}"
                (arrival,) = arrivals(body, bot)
                await self._handle(arrival.event, arrival.ref)
                self._may_die()
                if self.is_calm or self.rng.random() > 0.06:  # otherwise the confirmation is lost
                    queue.items.remove(item)

    async def _duty(self) -> None:
        await self._go_on_erasing()
        recorded = await self.records.applied(self.store.generation)
        waiting = await self.store.journal(recorded, 10_000)
        self.journal = (waiting[-1][0] if waiting else recorded, recorded)
        await self.task.sweep()
        await self.task.make_calls()
        await self.task.take_grants_back()
        await self.task.tell_endings()
        await self._decide_referrals()
        while self.raised:
            await self._handle(self.raised.pop(0))

    async def _record(self) -> None:
        """The recorder's work. If the process dies in between, the same entries come again."""
        done = await self.records.applied(self.store.generation)
        entries = await self.store.journal(done, 1_000)
        if entries:
            await self.records.apply(self.store.generation, entries)
            self._may_die()
        self.recorded_until = self.clock.now()

    async def _handle(self, event: Event, ref: UpdateRef | None = None) -> list[Say]:
        if isinstance(event, CheckoutAsked):
            event = await self._checkout(event)
        self._numbers += 1
        facts = await self.load(event.person)
        decider = self.router.route(event, facts)
        others = [(await self.load(each)).me for each in self.router.also_load(decider, event, facts)]
        facts = msgspec.structs.replace(facts, others=tuple(others))
        now = self.worker_clock.now()
        code = self.router.promo_code_in(decider, event, facts, now)
        if code is not None:
            bought = facts.me.wallet is not None and bool(facts.me.wallet.charges)
            grant = new_code(self.rng)
            redemption = await self.records.redeem(code, event.person, now, has_bought=bought, grant=grant)
            self._may_die()
            facts = msgspec.structs.replace(facts, redemption=redemption)
        env = Env(now, self.rng, self.rules)
        decision = self.router.decide(decider, event, facts, env)
        name = f"{ref.bot}:{ref.update}" if ref is not None else f"n{self._numbers}"
        plan = plan_commit(
            decision,
            participants_in(facts),
            now=now,
            name=lambda index: f"{name}:{index}",
            refs=(ref,) if ref is not None else (),
        )
        self._may_die()
        if plan.commit is not None and await self.store.commit(plan.commit) is Committed.YES:
            self.judge.note(plan.commit.facts)
        said = [effect for effect in decision.effects if isinstance(effect, Say)]
        self.told += [each.text.key for each in said]
        return said

    async def _checkout(self, asked: CheckoutAsked) -> CheckoutAnswered:
        me = (await self.load(asked.person)).me
        env = Env(self.worker_clock.now(), self.rng, self.rules)
        refusal = refusal_at_checkout(me, asked.bot, asked.payload, asked.stars, env)
        with suppress(TelegramError):
            await self.telegram.send(AnswerCheckout(asked.bot, asked.query, str(refusal or "")))
        return CheckoutAnswered(asked.person, asked.bot, asked.payload, refusal or "")

    async def load(self, person: PersonId) -> Facts:
        facts = await self.store.load(person)
        if facts is None:
            known = await self.records.people((person,))
            if known:
                await self.store.adopt(tuple(known.values()))
                facts = await self.store.load(person)
        return facts or Facts(Participant(person))

    def taken(self) -> list[Payment]:
        """All payments for which Telegram took Stars."""
        return [each for each in self.world.state.payments.values() if each.charge_id is not None]

    async def faults(self) -> list[str]:
        """Return the problems at the end; empty if all is well."""
        growth = self._faults_of_growth(self.ledger(), self._records_place.promo_uses())
        return await self.judge.faults() + growth


def _change(me: Participant) -> Decision:
    return Decision((me,))


def judged(
    seed: int,
    place: Place | None = None,
    records_place: RecordsPlace | None = None,
    steps: int = 60,
    kind: type[History] = History,
) -> list[str]:
    """One history, by default over stores in memory. Returns what is wrong."""
    place, records_place = place or MemoryPlace(), records_place or MemoryRecordsPlace()
    history = kind(seed, place, records_place.open(), records_place)

    async def play() -> list[str]:
        await history.play(steps)
        return await history.faults()

    return place.run(play())


def verdicts(
    seeds: Iterable[int], stores: str = "memory", kind: type[History] = History
) -> Iterator[tuple[int, list[str]]]:
    """Each history with its problems. One database serves all of them."""
    place, records_place = opened(stores)
    try:
        for number, seed in enumerate(seeds):
            if number:
                place = opened_again(stores, records_place)
            yield seed, judged(seed, place, records_place, kind=kind)
    finally:
        records_place.close()


def main(kind: type[History] = History, called: str = "histories") -> None:
    first, count = int(sys.argv[1]), int(sys.argv[2])
    stores = sys.argv[3] if len(sys.argv) > 3 else "memory"
    began, wrong = time.monotonic(), {}
    for done, (seed, faults) in enumerate(verdicts(range(first, first + count), stores, kind), start=1):
        if faults:
            wrong[seed] = faults
            print(seed, faults, flush=True)
        if done % EVERY == 0 or done == count:
            a_minute = done / (time.monotonic() - began) * 60
            print(f"{done} {called} on {stores}, {len(wrong)} wrong, {a_minute:.0f} a minute", flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
