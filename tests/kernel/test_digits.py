"""The words that count as a number in a button or form."""

import pytest

from passerby.kernel.digits import MOST_ID, MOST_NUMBER, whole


@pytest.mark.parametrize("junk", ["", "²", "٣", "-1", "+1", " 1", "1 ", "1.0", "1_0", "x", "\0", "9" * 40, "9" * 5000])
def test_junk_and_endless_numbers_are_no_number(junk: str) -> None:
    assert whole(junk) is None


def test_a_number_is_read_up_to_its_bound() -> None:
    assert [whole(each) for each in ("0", "7", "007", str(MOST_NUMBER))] == [0, 7, 7, MOST_NUMBER]
    assert whole(str(MOST_NUMBER + 1)) is None
    assert (whole(str(MOST_ID), MOST_ID), whole(str(MOST_ID + 1), MOST_ID)) == (MOST_ID, None)
