"""`/money` in the staff bot: the last 30 days, what would go with each bot, and what Telegram has not confirmed."""

from random import Random

import pytest

from passerby.kernel.decision import Env
from passerby.kernel.drain import FleetBot, KnownBots
from passerby.kernel.effect import Say
from passerby.kernel.ids import BotId
from passerby.kernel.money_report import BotBalance, Given, Ledgered, Net, Open, Sold
from passerby.kernel.staff import Role, StaffFacts, StaffId, StaffMember
from passerby.kernel.text import Text, text
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL
from tests.features.test_staff_money import NOW, wrote
from tests.wording import catalogue

HERE, GONE, NAMELESS = BotId(1), BotId(2), BotId(3)
FLEET = KnownBots((FleetBot(HERE, "one_bot"), FleetBot(NAMELESS)))
NANO, HOUR = 1_000_000_000, 3600.0
NOTHING = Ledgered([], [], [], [], [], [])
READ = Ledgered(
    sold=[Sold(2, "week", 1, 75, 0, 0, 0), Sold(1, "month", 3, 750, 1, 1, 250), Sold(2, "month", 1, 250, 0, 0, 0)],
    given=[Given("trial", 4, 12.0), Given("gift", 1, 30.0)],
    net=[Net(1, 12_345_678 * NANO, 0), Net(2, NANO // 2, 0)],
    balances=[BotBalance(1, 500, 2, NOW - 600, 0), BotBalance(3, 0, 0, 0.0, 1)],
    open=[Open("CODE2", 2, "week", 75, NOW, 6.0), Open("CODE1", 1, "month", 250, NOW, 29.0)],
    owed=[(1, "refund", NOW - HOUR), (2, "refund", NOW - 30 * HOUR), (1, "cancel", NOW - 90 * HOUR)],
)


def told(read: Ledgered | None, role: Role = Role.SUPPORT) -> Text:
    me = StaffMember(StaffId(4), wrote("").person, role, NOW)
    facts = StaffFacts(me, (me,), fleet=FLEET, money=read)
    done = StaffRouter(ALL).decide(wrote("/money"), facts, Env(NOW, Random(1)))
    assert not done.changes
    (said,) = done.effects
    assert isinstance(said, Say)
    return said.text


def within(said: Text, key: str) -> list[dict[str, object]]:
    """The values of each text with this key in what is said, from the top."""
    own = [dict(said.args)] if said.key == key else []
    return own + [each for _, value in said.args if isinstance(value, Text) for each in within(value, key)]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OWNER])
def test_support_and_owners_see_each_plan_over_all_bots_and_what_telegram_counts(role: Role) -> None:
    said = told(READ, role)
    assert within(said, "money_report.plan") == [
        {"plan": "month", "sales": 4, "stars": 1000, "gifts": 1, "refunds": 1, "refunded": 250},
        {"plan": "week", "sales": 1, "stars": 75, "gifts": 0, "refunds": 0, "refunded": 0},
    ]
    (report,) = within(said, "money_report.report")
    assert (report["net"], report["days"]) == ("12345678.5", "42")


def test_each_bot_shows_what_would_go_with_it_and_when_its_payments_were_compared() -> None:
    said = told(READ)
    by_debt = [
        (bot["bot"], bot["held"], bot["days"], bot["subscriptions"], bot["swept"])
        for bot in within(said, "money_report.bot")
    ]
    assert by_debt == [
        ("@one_bot", 500, "29", 2, text("money_report.swept", minutes=10)),
        (text("money_report.gone", bot="2"), 0, "6", 0, text("money_report.never_swept")),
        ("3", 0, "0", 0, text("money_report.never_swept")),
    ]
    assert within(said, "money_report.unknown") == [{"count": 1}]


def test_the_oldest_open_refund_is_shown_apart_from_the_oldest_cancellation() -> None:
    said = told(READ)
    assert within(said, "money_report.owed_refund") == [{"count": 2, "hours": "30"}]
    assert within(said, "money_report.owed_cancel") == [{"count": 1, "hours": "90"}]
    assert within(said, "money_report.stuck") == [{"count": 1}]


def test_the_oldest_question_about_payments_is_in_the_report() -> None:
    assert within(told(READ._replace(cases=[NOW - 9000.0, NOW - 60.0])), "money_report.cases") == [
        {"count": 2, "hours": "2.5"}
    ]


def test_a_fleet_that_never_sold_anything_reads_so() -> None:
    said = dict(told(NOTHING).args)
    assert (said["sold"], said["bots"]) == (text("money_report.nothing_sold"), text("money_report.no_bots"))
    assert (said["net"], said["below"]) == ("0", text("money_report.nothing_owed"))


def test_a_large_fleet_fits_in_one_message_and_says_how_many_bots_it_leaves_out() -> None:
    many = READ._replace(
        sold=[Sold(1, f"a_plan_with_a_long_name_{number}", 1000, 10**6 + number, 9, 9, 9) for number in range(13)],
        balances=[BotBalance(10**10 + number, 10**6 + number, 1000, NOW - 600, 12) for number in range(50)],
        open=[],
    )
    said = told(many)
    assert [bot["held"] for bot in within(said, "money_report.bot")] == [10**6 + left for left in range(49, 39, -1)]
    assert within(said, "money_report.more") == [{"count": 40}, {"count": 3}]
    assert all(len(catalogue().plain(said, language)) < 3500 for language in catalogue().languages)


def test_a_moderator_and_an_analyst_see_no_money() -> None:
    for role in (Role.MODERATOR, Role.ANALYST):
        assert told(None, role) == text("team.not_allowed")
    assert told(None) == text("money_report.not_here")
