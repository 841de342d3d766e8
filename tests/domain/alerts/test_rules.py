"""The table of alert rules, and the comparison with last week."""

import re

import pytest

from passerby.domain.alerts.rules import BY_NAME, RULES, Rule
from passerby.domain.alerts.waits import ENOUGH, HOUR_S, WEEK_H, SearchWaits


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_can_be_named_told_and_asked(rule: Rule) -> None:
    assert re.fullmatch(r"Passerby([A-Z][a-z]+)+", rule.name)
    assert BY_NAME[rule.name] is rule
    said = rule.told.format(subject="x", value=1.5, threshold=1.0)
    assert said.endswith((".", "stored."))
    assert ("{subject}" in rule.told) == bool(rule.label), "a sentence names its subject"
    assert rule.threshold({rule.setting: 7.0} if rule.setting else {}) == (7.0 if rule.setting else 0.0)
    assert not rule.label or f"by ({rule.label})" in rule.query


def waits(**hours: tuple[int, float]) -> SearchWaits:
    found = SearchWaits()
    for name, (count, waited_s) in hours.items():
        found = found.add(int(name[1:]) * HOUR_S, count, waited_s)
    return found


NOW_H = 1000
A_WEEK_AGO = f"h{NOW_H - WEEK_H}"


def test_waits_are_compared_with_the_same_hour_a_week_ago() -> None:
    found = waits(**{A_WEEK_AGO: (100, 500.0), f"h{NOW_H}": (50, 1000.0)})
    assert found.ratio(NOW_H * HOUR_S + 1800) == 4.0


def test_early_in_an_hour_the_hour_before_counts() -> None:
    found = waits(
        **{f"h{NOW_H - 1 - WEEK_H}": (100, 500.0), A_WEEK_AGO: (100, 100.0), f"h{NOW_H - 1}": (50, 500.0)}
    ).add(NOW_H * HOUR_S, ENOUGH - 1, 900.0)
    assert found.ratio(NOW_H * HOUR_S) == 2.0


@pytest.mark.parametrize("past", [(ENOUGH - 1, 500.0), (ENOUGH, 0.0)])
def test_a_few_waits_say_nothing(past: tuple[int, float]) -> None:
    assert waits(**{A_WEEK_AGO: past, f"h{NOW_H}": (50, 1000.0)}).ratio(NOW_H * HOUR_S) is None


def test_hours_older_than_a_week_are_forgotten() -> None:
    assert set(waits(h1=(5, 1.0), h2=(5, 1.0)).add((3 + WEEK_H) * HOUR_S, 1, 1.0).hours) == {2, 3 + WEEK_H}
    assert waits(h1=(5, 1.0)).add(2 * HOUR_S, 0, 0.0) == waits(h1=(5, 1.0))
