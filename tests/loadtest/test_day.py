"""The calculation of the busiest hour."""

import pytest

from passerby.loadtest.day import BUSIEST, HOUR_S, TELEGRAM_PER_S, Load, crowd, peak
from passerby.loadtest.run import MOST_PEOPLE, LoadPlan, TooMuch
from simulated_people.habits import Habits

HABITS = Habits()


def test_the_busiest_hour_follows_from_the_people_of_a_day() -> None:
    hour = peak(15_000, 5, HABITS)
    assert hour.hourly == pytest.approx(15_000 * BUSIEST)
    assert hour.real.arrivals == pytest.approx(hour.hourly / HOUR_S)
    assert hour.real.people == pytest.approx(hour.real.arrivals * hour.visit_s)
    # Nearly all people write all the time, each once in `pause_s`.
    assert 0.8 < hour.real.relays / (hour.real.people / HABITS.pause_s) < 1.2


def test_the_people_of_the_hour_come_within_the_given_minutes() -> None:
    hour = peak(15_000, 5, HABITS)
    assert hour.factor == 12
    assert hour.played.arrivals * 5 * 60 == pytest.approx(hour.hourly)
    told = " ".join(hour.told())
    assert "Played 12 times as dense" in told
    assert "180,000 people a day" in told


def test_without_compression_people_come_at_their_real_rate() -> None:
    hour = peak(15_000, 5, HABITS, 1.0)
    assert hour.played == hour.real
    assert hour.told()[-1] == "Played as it is, 5 minutes of the hour."


@pytest.mark.parametrize(("daily", "minutes", "factor"), [(0, 5, None), (10, 0, None), (10, 5, 0.0)])
def test_an_invalid_load_is_refused(daily: int, minutes: float, factor: float | None) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        peak(daily, minutes, HABITS, factor)


def test_there_are_enough_bots_for_the_load_within_telegrams_limit() -> None:
    assert Load(1, 0, 0, 0).bots == 1
    for relays in (10, 100, 1000):
        load = Load(1, 0.0, relays, relays / 4)
        assert load.sends / load.bots <= 0.6 * TELEGRAM_PER_S
        assert load.sends / (load.bots - 1 or 0.001) > 0.6 * TELEGRAM_PER_S
    assert crowd(200, HABITS).relays == pytest.approx(2 * crowd(100, HABITS).relays)


def test_all_people_come_during_the_test_at_times_given_by_the_seed() -> None:
    plan = LoadPlan(60, 3, users=50)
    moments = plan.moments()
    assert moments == sorted(moments) == LoadPlan(60, 3, users=50).moments() != LoadPlan(60, 4, users=50).moments()
    assert len(moments) == 50
    assert 0 <= moments[0] <= moments[-1] <= plan.ramp_s == 12
    assert LoadPlan(60, 3, users=50, searching=True).moments() == [0.0] * 50


def test_an_hour_begins_with_people_who_are_already_there() -> None:
    plan = LoadPlan(300, 1, daily=15_000, factor=1.0)
    moments = plan.moments()
    assert len([each for each in moments if each > plan.ramp_s]) > 50
    assert plan.load.people + plan.load.arrivals * 300 == pytest.approx(len(moments), rel=0.2)
    assert max(moments) < 300


def test_a_load_that_is_too_large_is_refused_at_once() -> None:
    with pytest.raises(TooMuch, match=f"more than {MOST_PEOPLE:,}"):
        LoadPlan(3600, 1, daily=50_000_000).moments()
