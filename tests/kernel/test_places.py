"""Decisions that are not about countries need no country names."""

from passerby.kernel.decision import UNMAPPED
from passerby.kernel.text import Text, day


def test_no_country_is_found_without_country_names() -> None:
    assert UNMAPPED.in_order(("PE", "DE"), "en") == ("PE", "DE")
    assert (UNMAPPED.exactly("Peru"), UNMAPPED.like("Per")) == (None, ())


def test_a_moment_is_shown_as_its_day_in_utc() -> None:
    assert day(0.0) == day(86_399.9) == Text("days.0")
    assert day(1_793_577_600.0) == Text("days.20759")
