"""The honest fake of the ledger in the records."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import msgspec

from passerby.domain.money.subscriptions import likeliest
from passerby.kernel.history import PastCase, PastMoney, PastRefund
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import (
    MAY_BE_CHARGED,
    Charge,
    ChargeId,
    PurchaseOrder,
    StarCallKind,
    StarRow,
    Subscription,
    VipGrant,
)
from passerby.kernel.participant import Participant
from passerby.kernel.payment_case import PaymentCase, PaymentDesk, SealedWords, packed, unpacked
from passerby.ports.facts import (
    ChargeTaken,
    Fact,
    GrantChanged,
    OrderPlaced,
    PaymentCaseOpened,
    ReferralLinkMade,
    ReferralReached,
    RefundMade,
    StarCallOwed,
    StarCallSettled,
    SubscriptionChanged,
)
from passerby.ports.money import GrantOver, StarCall, Unmatched
from tests.contract.referrals_memory import past_referrals


class ReferralRow(NamedTuple):
    token: str
    reached_at: float
    decided_at: float | None = None
    outcome: str | None = None
    mine: str = ""
    theirs: str = ""


@dataclass(slots=True)
class Ledger:
    """The tables. Each has the same key as in SQL."""

    orders: dict[str, tuple[PersonId, PurchaseOrder]] = field(default_factory=dict)
    charges: dict[tuple[BotId, ChargeId], tuple[PersonId, Charge]] = field(default_factory=dict)
    grants: dict[tuple[PersonId, str], VipGrant] = field(default_factory=dict)
    subscriptions: dict[tuple[BotId, ChargeId], tuple[PersonId, Subscription]] = field(default_factory=dict)
    refunds: dict[tuple[BotId, ChargeId], RefundMade] = field(default_factory=dict)
    calls: dict[tuple[BotId, ChargeId, StarCallKind], tuple[StarCall, bool]] = field(default_factory=dict)
    rows: dict[tuple[BotId, str, bool], tuple[StarRow, bool]] = field(default_factory=dict)
    """With whether the ledger knows it, too."""
    sweeps: dict[BotId, tuple[int, float]] = field(default_factory=dict)
    cases: dict[str, tuple[PaymentCase, bytes | None]] = field(default_factory=dict)
    """With what was asked, until staff answer."""
    links: dict[str, PersonId] = field(default_factory=dict)
    referrals: dict[PersonId, ReferralRow] = field(default_factory=dict)

    def copy(self) -> "Ledger":
        return Ledger(*(dict(getattr(self, each.name)) for each in fields(self)))

    def store(self, fact: Fact) -> None:
        match fact:
            case OrderPlaced():
                self.orders[fact.order.id] = (fact.person, fact.order)
            case ChargeTaken():
                self.charges.setdefault((fact.charge.bot, fact.charge.id), (fact.person, fact.charge))
            case GrantChanged():
                self.grants[fact.person, fact.grant.code] = fact.grant
            case SubscriptionChanged():
                self.subscriptions[fact.subscription.bot, fact.subscription.first] = (fact.person, fact.subscription)
            case RefundMade():
                self.refunds.setdefault((fact.bot, fact.charge), fact)
            case StarCallOwed():
                call = StarCall(fact.kind, fact.bot, fact.person, fact.charge, fact.provider_charge, fact.at)
                self.calls.setdefault((fact.bot, fact.charge, fact.kind), (call, False))
            case PaymentCaseOpened():
                new = PaymentCase(fact.case, fact.person, fact.at), b""
                case, words = self.cases.get(fact.case, new)
                if words is not None:
                    self.cases[fact.case] = case, words + packed(SealedWords(fact.at, fact.words))
            case ReferralLinkMade():
                self.links.setdefault(fact.token, fact.person)
            case ReferralReached():
                self.referrals.setdefault(fact.person, ReferralRow(fact.token, fact.at))
            case StarCallSettled():
                known = self.calls.get((fact.bot, fact.charge, fact.kind))
                if known is not None:
                    done = known[0]._replace(person=PersonId(0))
                    self.calls[fact.bot, fact.charge, fact.kind] = (done, True)

    def of(self, person: PersonId) -> PastMoney:
        mine = [(key, charge) for key, (who, charge) in self.charges.items() if who == person]
        return PastMoney(
            tuple(order for who, order in self.orders.values() if who == person),
            tuple(charge for _, charge in mine),
            tuple(grant for (who, _), grant in self.grants.items() if who == person),
            tuple(each for who, each in self.subscriptions.values() if who == person),
            tuple(
                PastRefund(key[1], refund.stars, refund.by, refund.at)
                for key, _ in mine
                if (refund := self.refunds.get(key)) is not None
            ),
            cases=tuple(
                PastCase(case.code, case.opened_at, case.answered_at or None, unpacked(words or b""))
                for case, words in self.cases.values()
                if case.person == person
            ),
            referrals=past_referrals(self, person),
        )

    def erase(self, person: PersonId) -> None:
        nobody = PersonId(0)
        self.links = {token: owner for token, owner in self.links.items() if owner != person}
        self.referrals.pop(person, None)
        self.cases = {key: each for key, each in self.cases.items() if each[0].person != person}
        self.orders = {key: each for key, each in self.orders.items() if each[0] != person}
        self.grants = {key: each for key, each in self.grants.items() if key[0] != person}
        self.subscriptions = {key: each for key, each in self.subscriptions.items() if each[0] != person}
        self.charges = {key: (nobody if who == person else who, charge) for key, (who, charge) in self.charges.items()}
        self.orders = {key: each for key, each in self.orders.items() if each[1].gift_to != person}
        for name, (who, charge) in self.charges.items():
            if charge.gift_to == person:
                self.charges[name] = (who, msgspec.structs.replace(charge, gift_to=nobody))
        for key, (row, matched) in self.rows.items():
            if row.person == person and matched:
                self.rows[key] = (msgspec.structs.replace(row, person=0), True)

    def payment_desk(self, code: str) -> PaymentDesk:
        waiting = sorted(
            (case for case, _ in self.cases.values() if not case.answered_at),
            key=lambda case: (case.opened_at, case.code),
        )
        chosen = next((each for each in waiting if each.code == code), None)
        theirs = [charge for who, charge in self.charges.values() if chosen is not None and who == chosen.person]
        return PaymentDesk(tuple(waiting), chosen, tuple(sorted(theirs, key=lambda each: -each.paid_at)))

    def answer(self, case: PaymentCase) -> None:
        self.cases[case.code] = (case, None)


class MemoryMoney:
    """Implements `passerby.ports.money.MoneyRecords`."""

    disk: Any

    async def _io(self) -> None:
        raise NotImplementedError

    async def star_calls(self, limit: int) -> Sequence[StarCall]:
        await self._io()
        owed = [call for call, done in self.disk.ledger.calls.values() if not done]
        return sorted(owed, key=lambda call: call.owed_at)[:limit]

    async def may_cancel(
        self, bot: BotId, person: PersonId, charge: ChargeId, now: float
    ) -> Sequence[tuple[ChargeId, str]]:
        await self._io()
        ledger: Ledger = self.disk.ledger
        if (bot, charge) not in ledger.charges:
            return []
        own = ledger.charges[bot, charge][1]
        names = {
            first for (of, first), (_, each) in ledger.subscriptions.items() if of == bot and each.paid_until > now
        }
        found = [
            (each.id, each.provider_id, each.paid_at, own.paid_at)
            for (of, _), (_, each) in ledger.charges.items()
            if (of, each.order) == (bot, own.order) and each.id != charge and each.id not in names
        ]
        found += [
            (ChargeId(row.id), "", row.at, own.paid_at)
            for (of, _, incoming), (row, _) in ledger.rows.items()
            if (of, incoming, row.payload, row.person) == (bot, True, own.order, person)
            and (bot, ChargeId(row.id)) not in ledger.charges
        ]
        return likeliest(found)

    async def subscribers(self, bot: BotId, now: float, beyond: PersonId, limit: int) -> Sequence[PersonId]:
        await self._io()
        found = {
            who
            for (of, _), (who, each) in self.disk.ledger.subscriptions.items()
            if of == bot and each.paid_until > now and each.state in MAY_BE_CHARGED and who > beyond
        }
        return sorted(found)[:limit]

    async def rows_seen(self, bot: BotId) -> int:
        await self._io()
        seen: int = self.disk.ledger.sweeps.get(bot, (0, 0.0))[0]
        return seen

    async def note_rows(self, bot: BotId, rows: Sequence[StarRow], seen: int, now: float) -> None:
        await self._io()
        ledger: Ledger = self.disk.ledger
        for row in rows:
            is_ours = row.kind == "user" and row.what == "invoice_payment"
            ledger.rows.setdefault((bot, row.id, row.incoming), (row, not is_ours))
        ledger.sweeps[bot] = (seen, now)

    async def unmatched(self, before: float, limit: int) -> Sequence[Unmatched]:
        await self._io()
        ledger: Ledger = self.disk.ledger
        found = []
        for (bot, name, incoming), (row, matched) in ledger.rows.items():
            if not matched and (bot, ChargeId(name)) in (ledger.charges if incoming else ledger.refunds):
                ledger.rows[bot, name, incoming] = (row, True)
            elif not matched and row.at <= before:
                order = ledger.orders.get(row.payload)
                hint = (order[1].plan, order[1].days) if order is not None else ("", 0)
                is_given = (bot, name, False) in ledger.rows or (bot, ChargeId(name)) in ledger.refunds
                refunded = incoming and is_given
                gift_to = order[1].gift_to if order is not None else PersonId(0)
                found.append(Unmatched(bot, row, *hint, refunded, gift_to))
        return sorted(found, key=lambda each: (each.row.at, not each.row.incoming))[:limit]

    async def grants_over(self, after: float, now: float, limit: int) -> Sequence[GrantOver]:
        await self._io()
        ledger: Ledger = self.disk.ledger
        found = []
        for (bot, name), (who, charge) in ledger.charges.items():
            refund, call = ledger.refunds.get((bot, name)), ledger.calls.get((bot, name, StarCallKind.REFUND))
            is_back = (refund is not None and refund.at > after) or (call is not None and not call[1])
            over = GrantOver(charge.gift_to, charge.gift) if charge.gift else GrantOver(who, charge.code)
            grant, them = ledger.grants.get(over), self.disk.people.get(over.receiver)
            is_left = grant is not None and (grant.lasts_s > 0 or grant.until > now)
            if is_back and is_left and them is not None and them.vip_until > now:
                found.append(over)
        return found[:limit]

    async def unconfirmed(self, after: float, before: float) -> int:
        await self._io()
        ledger: Ledger = self.disk.ledger
        return sum(
            after < charge.paid_at < before
            and bot in ledger.sweeps
            and ledger.sweeps[bot][1] > charge.paid_at + 3600.0
            and (bot, name, True) not in ledger.rows
            for (bot, name), (_, charge) in ledger.charges.items()
        )

    async def vip_ending(self, after: float, before: float, beyond: PersonId, limit: int) -> Sequence[Participant]:
        await self._io()
        found = [
            each
            for _, each in sorted(self.disk.people.items())
            if each.vip_until > 0 and after < each.vip_until <= before and each.person > beyond
        ]
        return found[:limit]
