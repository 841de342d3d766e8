"""No alert rule is left without a test that fires it by its real cause."""

import re
from pathlib import Path

import pytest

from passerby.domain.alerts import rules
from passerby.domain.alerts.rules import RULES, Rule

CAUSES = "".join(each.read_text("utf-8") for each in Path(__file__).parent.glob("test_*causes.py"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_alert_is_fired_by_its_real_cause_in_a_test(rule: Rule) -> None:
    """By its title in what staff hear, or by its constant in `fires`."""
    constant = next(name for name, value in vars(rules).items() if value is rule)
    assert f'"{rule.title}"' in CAUSES or re.search(rf"\b{constant}\b(?!,$)", CAUSES, re.MULTILINE)
