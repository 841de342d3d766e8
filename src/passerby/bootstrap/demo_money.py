"""The origin and the purchases of the demo's invented people.

Telegram's side of it is invented, too, so that the ledger agrees with it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

import sqlalchemy as sa

from passerby.adapters.sql.funnel import Key, rows_of
from passerby.adapters.sql.money_tables import charges, grants, refunds, star_calls, star_rows, subscriptions
from passerby.adapters.sql.rows import details_in
from passerby.domain.money.timeline import vip_end
from passerby.domain.money.wallets import new_code
from passerby.kernel.journey import Journey, Step
from passerby.kernel.money import SUBSCRIPTION_S, GrantSource, RefundedBy, SubscriptionState, VipGrant

Rows = list[dict[str, Any]]
Came = list[tuple[dict[str, Any], str]]
"""People with the source that brought them."""

SOURCES: Final = ("", "", "", "tiktok", "tiktok", "ads-may", "ads-may", "ads-june", "friend-page", "newsletter")
PLANS: Final[tuple[tuple[str, int, int], ...]] = (
    ("week", 7, 75),
    ("week", 7, 75),
    ("month", 30, 250),
    ("monthly", 30, 200),
)
RENEWS: Final[str] = "monthly"
BUYERS: Final = 0.07
GIFTS: Final = 0.12
REFUNDS: Final = 0.08
LEAST: Final = 6
"""How many of the newest people who had a chat buy something, whatever chance says. One of them buys a gift, and one is
refunded."""
_DAY_S: Final = 86_400.0


def came_by(person: Mapping[str, Any]) -> int:
    """The bot by which an invented person came. They may have blocked it since."""
    return _journey_of(person).bot


def with_sources(people: Sequence[dict[str, Any]]) -> Came:
    return [(each, _journey_of(each).source) for each in people]


def _journey_of(person: Mapping[str, Any]) -> Journey:
    journey = details_in(person["details"]).journey
    assert journey is not None, "each of them has one"
    return journey


def ledger(rng: Random, now: float, came: Came) -> dict[sa.Table, Rows]:
    """The rows of each table."""
    talkers = [each for each, _ in came if each["last_chat"]]
    chosen = [each for each in talkers[:-LEAST] if rng.random() < BUYERS] + talkers[-LEAST:]
    made: dict[sa.Table, Rows] = {
        table: [] for table in (charges, grants, refunds, star_calls, star_rows, subscriptions)
    }
    once = [number for number in range(len(chosen)) if PLANS[number % len(PLANS)][0] != RENEWS]
    for number, buyer in enumerate(chosen):
        plan, days, stars = PLANS[number % len(PLANS)]
        paid_at = rng.uniform(buyer["created_at"] + 30, max(buyer["created_at"] + 31, buyer["last_active_date"]))
        if plan == RENEWS:
            first = ""
            while paid_at < now:
                first = _sell(rng, made, buyer, paid_at, plan, days, stars, first=first)
                paid_at += SUBSCRIPTION_S
            made[subscriptions].append(
                {
                    "bot_id": came_by(buyer),
                    "first_charge": first,
                    "first_provider": "",
                    "user_id": buyer["id"],
                    "order_id": f"order-{first}",
                    "plan": plan,
                    "stars": stars,
                    "paid_until": paid_at,
                    "state": SubscriptionState.ACTIVE.value,
                }
            )
            continue
        is_gift = number == once[-1] or rng.random() < GIFTS
        receiver = rng.choice(talkers) if is_gift else buyer
        charge = _sell(rng, made, buyer, paid_at, plan, days, stars, receiver=receiver)
        if number == once[-2] or rng.random() < REFUNDS:
            _give_back(rng, made, buyer, charge, stars, min(now - 600, paid_at + rng.uniform(300, 2 * _DAY_S)))
    sources = {each["id"]: source for each, source in came}
    for row in made[charges]:
        row["source"] = sources.get(row["user_id"]) or None
    return made


def vip_ends(made: Mapping[sa.Table, Rows], now: float) -> dict[int, float]:
    """Until when people are VIPs. If it ends soon, it is left out: they are invented, so nobody can tell them."""
    owned: dict[int, list[VipGrant]] = {}
    for row in made[grants]:
        grant = VipGrant(row["code"], GrantSource(row["source"]), row["since"], row["lasts_s"], row["until"])
        owned.setdefault(row["user_id"], []).append(grant)
    ends = {person: vip_end(each) for person, each in owned.items()}
    return {person: end for person, end in ends.items() if end > now + 2 * _DAY_S}


def _sell(
    rng: Random,
    made: dict[sa.Table, Rows],
    buyer: Mapping[str, Any],
    paid_at: float,
    plan: str,
    days: int,
    stars: int,
    *,
    first: str = "",
    receiver: Mapping[str, Any] | None = None,
) -> str:
    """Returns the id of the first charge of the subscription, or of the only one."""
    charge, code = f"invented-{rng.getrandbits(64):016x}", new_code(rng)
    is_gift = receiver is not None and receiver is not buyer
    grant = new_code(rng) if is_gift else code
    renews = plan == RENEWS
    made[charges].append(
        {
            "bot_id": came_by(buyer),
            "id": charge,
            "user_id": buyer["id"],
            "code": code,
            "order_id": f"order-{first or charge}",
            "plan": plan,
            "stars": stars,
            "paid_at": paid_at,
            "provider_id": "",
            "renews": renews,
            "first_charge": (first or charge) if renews else "",
            "found": False,
            "gift_to": receiver["id"] if receiver is not None and is_gift else None,
            "gift_grant": grant if is_gift else None,
        }
    )
    made[grants].append(
        {
            "user_id": receiver["id"] if receiver is not None else buyer["id"],
            "code": grant,
            "source": (GrantSource.GIFT if is_gift else GrantSource.CHARGE).value,
            "since": paid_at,
            "lasts_s": 0.0 if renews else days * _DAY_S,
            "until": paid_at + SUBSCRIPTION_S if renews else 0.0,
        }
    )
    made[star_rows].append(_transaction(buyer, charge, stars, paid_at, incoming=True))
    return first or charge


def _give_back(
    rng: Random, made: dict[sa.Table, Rows], buyer: Mapping[str, Any], charge: str, stars: int, at: float
) -> None:
    by = rng.choice((RefundedBy.STAFF, RefundedBy.BUYER)).value
    place = {"bot_id": came_by(buyer), "charge_id": charge}
    made[refunds].append(place | {"stars": stars, "refunded_by": by, "at": at})
    made[star_calls].append(
        place | {"kind": "refund", "user_id": 0, "provider_id": "", "owed_at": at - 2, "done_at": at}
    )
    made[star_rows].append(_transaction(buyer, charge, stars, at, incoming=False))
    gone = next(each["code"] for each in made[charges] if each["id"] == charge)
    gift = next(each["gift_grant"] for each in made[charges] if each["id"] == charge)
    made[grants] = [each for each in made[grants] if each["code"] not in (gone, gift)]


def _transaction(buyer: Mapping[str, Any], charge: str, stars: int, at: float, *, incoming: bool) -> dict[str, Any]:
    return {
        "bot_id": came_by(buyer),
        "id": charge,
        "incoming": incoming,
        "at": at,
        "stars": stars,
        "nanostars": 0,
        "kind": "user",
        "what": "invoice_payment",
        "user_id": buyer["id"],
        "payload": "",
        "period_s": 0,
        "affiliate": 0,
        "affiliate_nano": 0,
        "seen_at": at + 60,
        "matched_at": at + 60,
    }


def steps(rng: Random, came: Came, money: Mapping[sa.Table, Rows]) -> Rows:
    """The funnel: the steps of everybody, as their rows say."""
    buyers = {each["user_id"] for each in money[charges]}
    counts: Counter[Key] = Counter()
    for person, source in came:
        has_paid, has_chatted = person["id"] in buyers, person["last_chat"] is not None
        reached = [Step.START]
        reached += [Step.PROFILE] if person["gender"] else []
        reached += [Step.SEARCH, Step.CHAT] if has_chatted else []
        reached += [Step.TALK] if has_paid or (has_chatted and rng.random() < 0.6) else []
        if has_paid:
            reached += [Step.INVOICE, Step.CHECKOUT, Step.PAID]
        elif Step.TALK in reached and rng.random() < 0.06:
            reached.append(Step.INVOICE)
        day = int(person["created_at"] // _DAY_S)
        counts.update((day, source, came_by(person), person["language"], int(step)) for step in reached)
    return rows_of(counts)
