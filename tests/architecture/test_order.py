"""The order of a parallel run."""

import pytest

from tests.order import SLOW, slow_first


@pytest.mark.parametrize("workers", [1, 2, 4, 6])
def test_each_process_begins_with_slow_tests_and_no_test_is_lost(workers: int) -> None:
    quick = [f"tests/quick/test_{number}.py" for number in range(103)]
    slow = [f"{places[-1]}{number}" for places in SLOW for number in range(3)]
    given = [*quick, *slow]
    ordered = slow_first(given, workers, str)
    assert sorted(ordered) == sorted(given)
    begins = [len(ordered) * number // workers for number in range(min(workers, len(SLOW)))]
    assert all(ordered[begin + 1] in slow for begin in begins)
    assert ordered[-1] in quick


def test_few_tests_stay_complete() -> None:
    given = ["tests/browser/a", "tests/browser/b", "tests/browser/c", "tests/x"]
    assert sorted(slow_first(given, 4, str)) == given
    assert slow_first([], 4, str) == []
