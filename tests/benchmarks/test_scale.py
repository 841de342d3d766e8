"""The calculation for millions of people adds up, and its page shows what it prints."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.fleet_size import BUSY, QUIET, Assumed, Fleet
from benchmarks.scale import LIMITS, fits, number, tables

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/scale.md"
EASY = replace(QUIET, relays_s=90.0, chats_a_person=24.0, busiest_share=0.1, notices=3.0, full=0.5, bot_s=20.0)


def test_a_fleet_of_round_figures_is_calculated_by_hand() -> None:
    fleet = Fleet(150_000, EASY)
    assert fleet.relays_s == 900
    assert fleet.chats_a_day == 1_800_000
    assert fleet.chats_s == pytest.approx(50)
    assert fleet.sends_s == pytest.approx(900 + 50 * 2 * 3)
    assert fleet.bots == 120
    assert fleet.relays_a_day == pytest.approx(900 * 3_600 / 0.1)
    assert fleet.worker_cores == pytest.approx((900 * 644 * 2 + 50 * 2 * 660 * 2) / 1e6)
    assert fleet.workers == 3
    assert fleet.redis_cores == pytest.approx((900 * 83 + 50 * 870) / 1e6)
    assert fleet.primaries == 1
    assert fleet.journal_full_s == pytest.approx(1e6 / 450)
    assert fleet.cases_a_day == pytest.approx(18_000)


def test_the_month_of_the_page_about_records_comes_out_again() -> None:
    fleet = Fleet(15_000, QUIET)
    assert fleet.chats_a_day * 30 == 2_700_000
    assert fleet.database_gb["`past_chats`, 90 days"] == pytest.approx(3 * 0.215, rel=0.02)
    assert fleet.database_gb["`chats`, a day"] == pytest.approx(0.040, rel=0.1)


@pytest.mark.parametrize("given", [QUIET, BUSY], ids=["guessed", "reported"])
@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_just_reached_by_the_people_it_carries(limit: str, given: Assumed) -> None:
    load = LIMITS[limit]
    assert load(Fleet(round(fits(load, given)), given)) == pytest.approx(1, rel=0.01)


def test_bots_start_until_the_number_of_the_hour_is_used_up() -> None:
    assert Fleet(150_000, EASY).start_h == pytest.approx(120 / 20 / 60)
    assert Fleet(1_500_000, EASY).start_h == 2


def test_messages_within_the_free_rate_cost_no_stars() -> None:
    assert Fleet(15_000, BUSY).paid_usd == 0
    assert Fleet(1_500_000, BUSY).paid_usd > 1_000_000


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0001, "< 0.001"),
        (0.0, "0"),
        (0.0125, "0.013"),
        (2.84, "2.8"),
        (41.2, "41"),
        (1_234.0, "1,200"),
        (99_950.0, "100,000"),
    ],
)
def test_a_figure_has_two_digits_that_mean_something(value: float, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize("title", tables())
def test_the_page_shows_each_table_as_it_is_printed(title: str) -> None:
    assert "\n".join(tables()[title]) in PAGE.read_text("utf-8")
