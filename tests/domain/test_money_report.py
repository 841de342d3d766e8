"""The report about money: what it adds up, and how it is written."""

import csv
import io

import pytest

from passerby.domain.money.report import DAY_S, NANO, days_left, figures, in_words, named, rows
from passerby.domain.spreadsheet import as_csv
from passerby.kernel.drain import FleetBot, KnownBots
from passerby.kernel.ids import BotId
from passerby.kernel.money import GrantSource, VipGrant
from passerby.kernel.money_report import BotBalance, Given, Ledgered, Net, Open, Sold, SoldBySource

NOW = 1_800_000_000.0
HERE, GONE, NEW = BotId(1), BotId(2), BotId(3)
READ = Ledgered(
    sold=[Sold(2, "week", 1, 75, 0, 0, 0), Sold(1, "=month", 3, 750, 1, 1, 250)],
    given=[Given("trial", 4, 12.04), Given("gift", 1, 30.0)],
    net=[Net(1, 499_500_000_000, NANO // 2)],
    balances=[BotBalance(1, 500, 2, NOW - 600, 0), BotBalance(3, 0, 0, 0.0, 1)],
    open=[Open("CODE2", 2, "week", 75, NOW - DAY_S, 6.04), Open("CODE1", 1, "=month", 250, NOW - DAY_S, 29.0)],
    owed=[(1, "refund", NOW - 5400), (1, "cancel", NOW - 60)],
    sources=[SoldBySource("tiktok", 2, 500, 1, 250), SoldBySource("", 1, 250, 0, 0)],
    cases=[NOW - 9000.0, NOW - 60.0],
)
REPORT = figures(READ, "2027-01-01", "2027-02-01", {HERE, NEW}, NOW)


KNOWN = KnownBots((FleetBot(HERE, "first_bot"), FleetBot(NEW)))


def test_the_days_that_each_purchase_still_owes_are_those_to_come() -> None:
    grants = [
        VipGrant("sub", GrantSource.CHARGE, NOW - 5 * DAY_S, until=NOW + 10 * DAY_S),
        VipGrant("pass", GrantSource.CHARGE, NOW - 6 * DAY_S, lasts_s=7 * DAY_S),
        VipGrant("old", GrantSource.CHARGE, NOW - 90 * DAY_S, lasts_s=7 * DAY_S),
    ]
    assert days_left(grants, NOW) == pytest.approx({"sub": 10.0, "pass": 6.0})


def test_each_bot_shows_what_would_go_with_it_and_lost_ones_what_cannot_be_refunded() -> None:
    assert [(each["bot"], each["runs"], each["held_stars"], each["days_owed"]) for each in REPORT["exposure"]] == [
        (1, True, 500, 29.0),
        (2, False, 0, 6.0),
        (3, True, 0, 0),
    ]
    assert [each["swept_minutes_ago"] for each in REPORT["exposure"]] == [10, None, None]
    assert [each["code"] for each in REPORT["cannot_be_refunded"]] == ["CODE2"]
    assert REPORT["net"] == [{"bot": 1, "stars": 499.5, "affiliates": 0.5}]
    assert [(each["source"], each["stars"], each["refunded"]) for each in REPORT["by_source"]] == [
        ("", 250, 0),
        ("tiktok", 500, 250),
    ]
    assert REPORT["owed"] == {"calls": 2, "oldest_hours": 1.5}
    assert REPORT["cases"] == {"open": 2, "oldest_hours": 2.5}


def test_the_report_is_read_on_a_terminal_too() -> None:
    said = in_words(REPORT, KNOWN)
    assert "Refunds and cancellations that Telegram has not confirmed: 2, the oldest for 1.5 h" in said
    assert "  bot         plan    sold  Stars  of them gifts  given back  Stars given back\n" in said
    assert "  no tag  " in said
    assert said.endswith("wait for an answer: 2, the oldest for 2.5 h")
    assert any(line.split() == ["@first_bot", "=month", "3", "750", "1", "1", "250"] for line in said.splitlines())
    assert "  gift   1      30\n  trial  4      12\n" in said
    nothing = in_words(figures(Ledgered([], [], [], [], [], []), "2027-01-01", "2027-02-01", (), NOW), KNOWN)
    assert nothing.count("  none") == 6
    assert "has not confirmed: 0\n" in nothing
    assert nothing.endswith("wait for an answer: 0")


def test_bots_are_called_by_their_names_and_by_their_numbers_if_nobody_knows_the_name() -> None:
    said = in_words(REPORT, KNOWN).partition("If a bot were lost\n")[2]
    assert [line.split()[0] for line in said.splitlines()[1:4]] == ["@first_bot", "2", "3"]
    found = named(REPORT, KNOWN)["exposure"]
    assert [(each["bot"], each["bot_name"]) for each in found] == [(1, "first_bot"), (2, ""), (3, "")]


def test_a_large_amount_is_written_out_in_full() -> None:
    net = [Net(1, 12_345_678 * NANO + NANO // 2, 0)]
    said = in_words(figures(Ledgered([], [], net, [], [], []), "2027-01-01", "2027-02-01", (), NOW), KNOWN)
    assert "  @first_bot  12345678.5  0\n" in said


def test_a_spreadsheet_runs_nothing_of_the_report() -> None:
    read = list(csv.reader(io.StringIO(as_csv(rows(named(REPORT, KNOWN))))))
    assert all(len(row) == len(read[0]) for row in read)
    cells = [cell for row in read for cell in row]
    assert "'=month" in cells
    assert not any(cell.startswith(("=", "+", "@")) for cell in cells)
    assert as_csv([{"a": -1, "b": "\tx", "-c": "\n"}]).splitlines()[0] == "a,b,'-c"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "−"])  # full-width, too
@pytest.mark.parametrize(
    "gap", ["", " ", "  ", "\t", "\r", "\r\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "\x00", " \t "]
)
def test_a_spreadsheet_runs_no_formula_behind_gaps_or_with_full_width_signs(gap: str, sign: str) -> None:
    written = f"{gap}{sign}1+1"
    assert as_csv([{"a": written}]).split("\r\n", 1)[1].lstrip('"').startswith(f"'{written}"[:2])
    for word in ("fine", "a=1", " fine, too", "", "1-2"):
        assert "'" not in as_csv([{"a": word}]), word
