"""Judges a random history of money: whether the ledger says what Telegram's transactions say, and whether everybody has
the time that they paid for, no less and no more.

A worker whose clock is wrong cannot know it. So the judge notes how wrong the clock was of the worker that stored a
charge or a refund. It allows as much as that clock explains, for that charge alone, and nothing more.
"""

from typing import TYPE_CHECKING, NamedTuple

from botapi_sandbox.world.state import Payment
from botapi_sandbox.world.state import Subscription as Running
from passerby.domain.money.timeline import Piece, pieces
from passerby.domain.money.wallets import DAY_S, GRACE_S
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import Charge, ChargeId, GrantSource, Plan, StarCallKind, VipGrant
from passerby.kernel.participant import Participant
from passerby.kernel.rules import Rules
from passerby.ports.facts import ChargeTaken, Fact, RefundMade, StarCallOwed
from passerby.ports.money import StarCall
from tests.contract.money_memory import Ledger

if TYPE_CHECKING:
    from tests.simulation.money import History

Key = tuple[BotId, ChargeId]
SECOND_S = 1.0
"""Telegram's dates are whole seconds."""


class Taken(NamedTuple):
    """When a charge was stored. `error_s`: by how much the clock of its worker was wrong."""

    at: float
    error_s: float
    rules: Rules


class Judge:
    def __init__(self, history: "History", plans: tuple[Plan, ...]) -> None:
        self._history = history
        self._days = {plan.name: plan.days for plan in plans}
        self._taken: dict[Key, Taken] = {}
        self._ended_at: dict[Key, float] = {}
        """For charges whose VIP time ended: the latest time that the clock of that worker can have shown."""

    def note(self, facts: tuple[Fact, ...]) -> None:
        """These facts have just been stored, by the worker whose turn it is."""
        now, error_s = self._history.clock.now(), self._history.errors_s[self._history.worker]
        for fact in facts:
            if isinstance(fact, ChargeTaken):
                key = (fact.charge.bot, fact.charge.id)
                self._taken.setdefault(key, Taken(now, error_s, self._history.rules))
            elif isinstance(fact, RefundMade) or (isinstance(fact, StarCallOwed) and fact.kind is StarCallKind.REFUND):
                self._ended_at.setdefault((fact.bot, fact.charge), now + max(0.0, error_s))

    async def faults(self) -> list[str]:
        """Return the problems at the end; empty if all is well."""
        lost, ledger = self._history.lost_bot, self._history.ledger()
        paid = self._history.taken()
        at_telegram = {(each.bot_id, each.charge_id): each for each in paid if each.bot_id != lost}
        charges = {key for key in ledger.charges if key[0] != lost}
        found = []
        if charges != at_telegram.keys():
            found.append(f"charges: {len(charges)} here, {len(at_telegram)} at Telegram")
        given = {key for key, each in at_telegram.items() if each.refunded_at is not None}
        if {key for key in ledger.refunds if key[0] != lost} != given:
            found.append("refunds differ")
        if any(not done and self._can_be_made(call, ledger) for call, done in ledger.calls.values()):
            found.append("something is still owed")
        if any(not matched and key[0] != lost for key, (_, matched) in ledger.rows.items()):
            found.append("a transaction is not matched")
        found += self._unpaid(ledger)
        for person in self._history.people:
            mine = [each for each in paid if each.person_id == person]
            found += await self._faults_of(PersonId(person), ledger, mine)
        return found

    def _can_be_made(self, call: StarCall, ledger: Ledger) -> bool:
        """A lost bot can do nothing. The alert about old Stars calls tells the operator about what cannot be made."""
        if call.bot == self._history.lost_bot:
            return False
        named = [
            each
            for each in self._history.world.state.subscriptions.values()
            if each.bot_id == call.bot and each.payload == ledger.charges[call.bot, call.charge][1].order
        ]
        own = [each for each in named if each.first_charge == call.charge]
        return call.kind is not StarCallKind.CANCEL or not all(self._is_nameless(each, ledger) for each in own or named)

    def _is_nameless(self, each: Running, ledger: Ledger) -> bool:
        """If Telegram wants the provider's id, a subscription whose first payment only the transactions show cannot be
        cancelled: they do not name it."""
        first = ledger.charges.get((BotId(each.bot_id), ChargeId(each.first_charge)))
        is_named = first is not None and first[1].provider_id != ""
        return self._history.world.switches.cancels_by_provider_charge and not is_named

    def _unpaid(self, ledger: Ledger) -> list[str]:
        """VIP time from a payment that the ledger does not have. Living people's only: an erasure unties the rest."""
        codes = {charge.code for _, charge in ledger.charges.values()}
        gifts = {charge.gift for _, charge in ledger.charges.values()}
        return [
            f"{who}: {grant.code} was not paid"
            for (who, _), grant in ledger.grants.items()
            if (grant.source is GrantSource.CHARGE and grant.code not in codes)
            or (grant.source is GrantSource.GIFT and grant.code not in gifts)
        ]

    async def _faults_of(self, person: PersonId, ledger: Ledger, mine: list[Payment]) -> list[str]:
        history = self._history
        running = [
            each
            for each in history.world.state.subscriptions.values()
            if each.person_id == person
            and not (each.cancelled or each.failed or each.bot_id == history.lost_bot)
            and not self._is_nameless(each, ledger)
        ]
        end_at = history.banned_at.get(person) or history.erased_at.get(person)
        if end_at is not None:
            kept = [
                each
                for each in mine
                if (each.paid_at or 0) > end_at and each.refunded_at is None and each.bot_id != history.lost_bot
            ]
            # Somebody who was erased may buy again like anybody else. They did not here.
            found = [f"{person}: charged after the end"] if kept else []
            return found + [f"{person}: a subscription still runs"] * bool(running)
        grants = {code: grant for (who, code), grant in ledger.grants.items() if who == person}
        found = [fault for each in mine for fault in self._faults_of_payment(each, ledger, grants)]
        me = (await history.records.people((person,))).get(person, Participant(person))
        facts = await history.load(person)
        until = max((each.until for each in pieces(grants.values())), default=0.0)
        now = history.clock.now()
        for where, value in (("records", me.vip_until), ("live store", facts.me.vip_until)):
            if abs(max(until, now) - max(value, now)) > 0.001:
                found.append(f"{person}: VIP ends {value - until:+.0f} s off in the {where}")
        return found

    def _faults_of_payment(self, payment: Payment, ledger: Ledger, grants: dict[str, VipGrant]) -> list[str]:
        key = (BotId(payment.bot_id), ChargeId(payment.charge_id or ""))
        if key not in ledger.charges:
            return []  # told already, or the bot was lost before it could tell
        charge = ledger.charges[key][1]
        is_back = payment.refunded_at is not None or (*key, StarCallKind.REFUND) in ledger.calls
        if charge.gift:
            return self._faults_of_gift(charge, ledger, is_back=is_back)
        mine = [each for each in pieces(grants.values()) if each.code == charge.code and each.until > each.since]
        if is_back:
            # A refund of a bot that was lost is known to nobody.
            latest = self._ended_at.get(key, float("inf"))
            is_late = any(each.until > latest + SECOND_S for each in mine)
            return [f"{payment.person_id}: VIP goes on after a refund"] * is_late
        grant = grants.get(charge.code)
        if grant is None:
            return [f"{payment.person_id}: {charge.code} was paid and gave nothing"]
        return [
            f"{payment.person_id}: {charge.code} {fault}"
            for fault in self._faults_of_grant(payment, charge, grant, mine)
        ]

    def _faults_of_grant(self, payment: Payment, charge: Charge, grant: VipGrant, mine: list[Piece]) -> list[str]:
        """It has the days that were paid, all of them after they were paid and, but for a slow clock, after we knew."""
        taken, paid_at = self._taken[charge.bot, charge.id], payment.paid_at or 0.0
        found = []
        given_s = sum(each.until - each.since for each in mine)
        usable_s = sum(max(0.0, each.until - max(each.since, taken.at)) for each in mine)
        if grant.since < paid_at - SECOND_S:
            found.append("begins before it was paid")
        latest = max(paid_at, taken.at + max(0.0, taken.error_s))
        if not charge.found:
            latest = max(taken.at, min(latest, paid_at + GRACE_S))
        if grant.since > latest + SECOND_S:
            found.append("begins too late")
        if payment.subscription_period is not None:
            days_s = float(payment.subscription_period)
            is_late = charge.found and taken.at + taken.error_s > int(paid_at) + GRACE_S
            until = paid_at + payment.subscription_period + GRACE_S
            usable_s = max(usable_s, grant.until - taken.at)
            if is_late != (not grant.until) and abs(taken.at + taken.error_s - paid_at - GRACE_S) > SECOND_S:
                found.append("is of the wrong kind")
            elif not is_late and abs(grant.until - until) > SECOND_S:
                found.append(f"ends {grant.until - until:+.0f} s off Telegram's date")
            elif is_late and abs(given_s - days_s) > SECOND_S:
                found.append(f"has {given_s / DAY_S:.2f} days")
        else:
            days_s = self._days_paid(charge, taken.rules) * DAY_S
            if abs(given_s - days_s) > SECOND_S:
                found.append(f"has {given_s / DAY_S:.2f} days of {days_s / DAY_S:.2f}")
        lost_s = min(max(0.0, -taken.error_s), max(0.0, taken.at - paid_at))
        if usable_s < days_s - lost_s - SECOND_S:
            found.append(f"could be used on {usable_s / DAY_S:.2f} days")
        return found

    def _days_paid(self, charge: Charge, rules: Rules) -> float:
        """Without a plan, its order was not on record yet, and it has the days that its Stars buy."""
        if charge.plan:
            return float(self._days[charge.plan])
        return charge.stars * max(plan.days / plan.stars for plan in rules.plans)

    def _faults_of_gift(self, charge: Charge, ledger: Ledger, *, is_back: bool) -> list[str]:
        """It was delivered whole, or its Stars went back to the giver and nothing is left."""
        history = self._history
        whom = history.gifts[charge.order]
        gone_at = history.banned_at.get(whom, history.erased_at.get(whom))
        grant = ledger.grants.get((whom, charge.gift))
        if is_back:
            mine = pieces(each for (who, _), each in ledger.grants.items() if who == whom)
            is_left = any(each.code == charge.gift and each.until > history.clock.now() for each in mine)
            return [f"{whom}: a gift goes on after its refund"] * is_left
        taken_at = self._taken[charge.bot, charge.id].at
        if gone_at is not None:
            return [f"{whom}: a gift came after the end, and its Stars did not go back"] * (taken_at > gone_at)
        is_whole = grant is not None and abs(grant.lasts_s - self._days[charge.plan] * DAY_S) < SECOND_S
        return [f"{whom}: a gift was paid and not delivered whole"] * (not is_whole)
