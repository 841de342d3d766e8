"""The benchmark of the user cache simulates people who come back."""

from random import Random

import pytest

from benchmarks import user_cache
from passerby.loadtest.day import HOUR_S
from tests.runtime.alerting.stage import clean_metrics
from tests.runtime.virtual import run


def test_everybody_visits_at_least_once_and_more_often_when_the_hour_is_busy() -> None:
    rng = Random(1)
    visits = [at for _ in range(2000) for at in user_cache.moments(rng, 2.0, user_cache.WHOLE_DAY)]
    assert len(visits) > 3000
    night, evening = (sum(from_h <= at / HOUR_S < from_h + 3 for at in visits) for from_h in (3, 19))
    assert 0 < night < evening / 4
    assert all(0 <= at < 3 * HOUR_S for at in user_cache.moments(rng, 9.0, user_cache.EVENING))


@pytest.mark.long
def test_people_who_come_back_are_read_from_the_records_once_and_then_found_in_the_live_store() -> None:
    with clean_metrics():
        found = run(user_cache.live(30, 2.0, 1, range(20, 21)))
    assert found["pairs"]
    assert found["people"] <= found["records"] <= found["visits"]
    assert found["live"] > 5 * found["records"]
