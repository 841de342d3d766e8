"""No alert rule is left without a test in which its real cause fires it, and the end of the cause ends it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerby.domain.alerts import rules
from passerby.domain.alerts.rules import RULES, Rule

CONSTANTS = {rule: name for name, rule in vars(rules).items() if isinstance(rule, Rule)}


def causes() -> Iterator[tuple[str, str]]:
    """Name and code of every test of causes."""
    for file in sorted(Path(__file__).parent.glob("test_*causes.py")):
        code = file.read_text("utf-8")
        for each in ast.parse(code).body:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_"):
                yield f"{file.name}::{each.name}", ast.get_source_segment(code, each) or ""


def shows(code: str, rule: Rule) -> bool:
    """Whether a test asserts that this alert fires, and later that it does not. Staff hear titles."""
    title, constant = re.escape(f'"{rule.title}"'), rf"rules\.{CONSTANTS[rule]}\b"
    fires = rf"assert (fleet\.fires\({constant}|{title} in|.*firing\(\) == \[{title}\]|set\(.*{constant}.*firing\))"
    ends = rf"assert (not fleet\.fires\({constant}|{title} in house\.heard\.over|.*over\(\)\) == .*{title}"
    ends += rf"|.*over\(\) == \[{title}\]|house\.heard\.firing\(\) == \[\])"
    begun = re.search(fires, code)
    return begun is not None and re.search(ends, code[begun.end() :]) is not None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_alert_is_fired_by_its_real_cause_in_a_test_and_ends_with_it(rule: Rule) -> None:
    assert [name for name, code in causes() if shows(code, rule)]
