"""Small numbers of people stay unknown, also to somebody who subtracts."""

import pytest

from passerby.domain.small_numbers import bounds, count, in_tens, of_parts, parts, people, told, untold


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([50, 3, 200, 40], ["50", "< 10", "200", "34–42"]),
        ([50, 3, 200, 4], ["50", "< 10", "200", "< 10"]),
        ([50, 0, 200], ["50", "0", "200"]),
        ([3], ["< 10"]),
        ([3, 0], ["< 10", "0"]),
        ([10, 10, 9], ["10–18", "10", "< 10"]),
        ([10, 1], ["not shown", "< 10"]),
        ([2000, 1], ["1,992–2,000", "< 10"]),
        ([], []),
    ],
)
def test_the_whole_without_the_others_tells_no_small_part(values: list[int], shown: list[str]) -> None:
    assert parts(values) == shown


@pytest.mark.parametrize("whole", [11, 12, 19, 20, 43, 1000])
def test_a_range_is_the_same_for_every_small_number_beside_it(whole: int) -> None:
    rows = [parts([whole - few, 5000, few]) for few in range(1, 10) if whole - few >= 10]
    assert all(row == rows[0] for row in rows), "so it tells nothing of it"


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (9, "< 10"), (10, "10+"), (19, "10+"), (12_345, "12,340+")])
def test_a_number_in_tens_is_rounded_down(value: int, shown: str) -> None:
    assert in_tens(value) == shown


def test_numbers_have_commas_and_an_unknown_one_is_a_dash() -> None:
    assert [count(1234567), count(None), people(1234), people(9), people(0), people(None)] == [
        "1,234,567",
        "–",
        "1,234",
        "< 10",
        "0",
        "–",
    ]


def test_one_row_of_a_table_tells_no_more_than_the_whole_table() -> None:
    table = {"a": {"people": 50}, "b": {"people": 3}, "c": {"people": 40}, "d": {}}
    values = [50, 3, 40, 0]
    for at, name in enumerate(table):
        hidden = values[at] >= 10 and not told(values)[at]
        assert of_parts(table, name, "people") == (bounds(values, at) if hidden else None)
    assert of_parts(table, "c", "people") == "34–42"
    assert of_parts(table, "e", "people") is None


def test_two_numbers_that_add_up_to_one_that_is_shown_are_hidden_or_none() -> None:
    counts = {"all": 53, "few": 3, "some": 20, "most": 30, "none": 0}
    parts_of_all = ("few", "some", "most", "none")
    assert untold(counts, [("all", *parts_of_all)]) == {"few", "some"}
    assert untold(counts | {"few": 13}, [("all", *parts_of_all)]) == frozenset()
    # "some" is hidden because of "few", so in its other sum a second one is hidden, too
    assert untold(counts | {"other": 90}, [parts_of_all, ("some", "other")]) == {"few", "some", "other"}
    assert untold({"few": 3}, [("few",)]) == {"few"}
