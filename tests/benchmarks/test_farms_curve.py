"""Other thresholds for the watch for farms, on a few people."""

from benchmarks.farms.__main__ import BEGINS_AT
from benchmarks.farms.curve import STRICTNESS, draw_curve, points, thresholds
from passerby.domain.farms import bulk, judgement
from simulated_people.farms import STYLES


def test_lower_thresholds_find_more_and_the_picture_has_a_line_for_each_farm() -> None:
    found = points(60, STYLES["script"], 6, BEGINS_AT, 0.3, seed=1)
    assert [each["strictness"] for each in found] == list(STRICTNESS)
    assert found[0]["apart"] <= found[-1]["apart"]
    assert all(0 <= each["slowed"] <= each["noticed"] <= 1 for each in found)
    assert draw_curve({"one": found, "other": found}).count("<polyline") == 2


def test_the_thresholds_are_as_before_when_the_measurement_is_over() -> None:
    before = judgement.DOUBT, judgement.FARM, bulk.BULK
    with thresholds(0.5):
        assert (before[0] / 2, 2, before[2] / 2) == (judgement.DOUBT, judgement.FARM, bulk.BULK)
    assert before == (judgement.DOUBT, judgement.FARM, bulk.BULK)
