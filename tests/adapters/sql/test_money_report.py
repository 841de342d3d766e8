"""The report about money adds up what both databases have."""

import msgspec

from passerby.adapters.sql import SqlRecords, SqlStaff
from passerby.domain.money.report import NANO
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import (
    Charge,
    ChargeId,
    GrantSource,
    RefundedBy,
    StarCallKind,
    StarRow,
    Subscription,
    VipGrant,
)
from passerby.kernel.money_report import BotBalance, Given, Net, Open, Sold, SoldBySource
from passerby.ports.facts import ChargeTaken, GrantChanged, RefundMade, StarCallOwed, SubscriptionChanged
from tests.contract.records_facts import NOW, changed, numbered, person
from tests.contract.records_places import make_tables
from tests.staged import in_a_loop

DAY_S = 86_400.0
HERE, OTHER = BotId(1_000_001), BotId(1_000_002)
ANN, BOB = PersonId(11), PersonId(12)
ZOE = PersonId(13)


def charge(name: str, bot: BotId, ago_days: float, stars: int = 100, first: str = "") -> Charge:
    return Charge(ChargeId(name), bot, f"C{name}", "order", "week", stars, NOW - ago_days * DAY_S, first=first)


@in_a_loop
async def test_sales_refunds_exposure_and_what_is_owed_are_counted_by_bot(database: str) -> None:
    await make_tables(database)
    records = SqlRecords.at(database)
    try:
        old, new, monthly = charge("old", HERE, 40), charge("new", HERE, 2, 75), charge("sub", OTHER, 1, 200, "sub")
        facts = [
            *(changed(msgspec.structs.replace(person(who), vip_until=NOW + 9 * DAY_S)) for who in (ANN, BOB)),
            changed(person(ZOE)),
            *(ChargeTaken(ANN, each, NOW) for each in (old, new)),
            ChargeTaken(BOB, monthly, NOW, "spring"),
            ChargeTaken(BOB, msgspec.structs.replace(charge("present", HERE, 1), gift_to=ANN, gift="gift"), NOW),
            GrantChanged(ANN, VipGrant("long ago", GrantSource.TRIAL, NOW - 9 * DAY_S, lasts_s=3 * DAY_S), NOW),
            GrantChanged(ANN, VipGrant("Cnew", GrantSource.CHARGE, NOW - DAY_S, lasts_s=4 * DAY_S), NOW),
            GrantChanged(ANN, VipGrant("gift", GrantSource.GIFT, NOW - DAY_S, lasts_s=7 * DAY_S), NOW),
            GrantChanged(BOB, VipGrant("Csub", GrantSource.CHARGE, NOW - DAY_S, until=NOW + 9 * DAY_S), NOW),
            SubscriptionChanged(
                BOB, Subscription("order", OTHER, "week", 200, ChargeId("sub"), "", NOW + 8 * DAY_S), NOW
            ),
            RefundMade(HERE, ChargeId("old"), 100, RefundedBy.STAFF, NOW - DAY_S),
            RefundMade(HERE, ChargeId("unheard of"), 7, RefundedBy.TELEGRAM, NOW - DAY_S),
            StarCallOwed(BOB, StarCallKind.CANCEL, OTHER, ChargeId("sub"), "", NOW - 60),
        ]
        await records.apply("g", numbered(*facts))
        rows = [
            StarRow("old", True, NOW - 2 * DAY_S, 100, what="invoice_payment", affiliate=4, affiliate_nano=NANO // 2),
            StarRow("old", False, NOW - DAY_S, 99, NANO // 2, what="invoice_payment"),
            StarRow("withdrawn", False, NOW - DAY_S, 50, kind="fragment"),
        ]
        await records.note_rows(HERE, rows, 3, NOW - 120)
        read = await SqlStaff(records.engine).ledgered(NOW - 3 * DAY_S, NOW, NOW)
    finally:
        await records.aclose()
    assert sorted(read.sold) == [
        Sold(HERE, "", 0, 0, 0, 1, 7),
        Sold(HERE, "week", 2, 175, 1, 1, 100),
        Sold(OTHER, "week", 1, 200, 0, 0, 0),
    ]
    assert sorted(read.sources) == [SoldBySource("", 2, 175, 0, 0), SoldBySource("spring", 1, 200, 0, 0)]
    assert read.given == [Given("gift", 1, 7.0)]
    assert read.net == [Net(HERE, NANO // 2, 4 * NANO + NANO // 2)]
    assert sorted(read.balances) == [BotBalance(HERE, 175, 0, NOW - 120, 2), BotBalance(OTHER, 200, 1, 0.0, 0)]
    assert sorted(
        (each._replace(days_left=round(each.days_left, 3)) for each in read.open), key=lambda one: one.code
    ) == [
        Open("Cnew", HERE, "week", 75, NOW - 2 * DAY_S, 3.0),
        Open("Csub", OTHER, "week", 200, NOW - DAY_S, 9.0),
    ]
    assert read.owed == [(OTHER, "cancel", NOW - 60)]
