"""The checklist for production: the doctor ticks each of its lines."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/laptop-to-production.md").read_text("utf-8")
DOCTOR = "".join(each.read_text("utf-8") for each in (ROOT / "src/passerby/ops/doctor").glob("*.py"))
NO_CHECK = {"SECRET_KEY", "synchronous_commit", "noeviction", "appendfsync always", "maxmemory", "ALERT_WEBHOOK_URL"}


def lines() -> list[str]:
    return PAGE.partition("## The checklist")[2].split("- [ ] ")[1:]


@pytest.mark.parametrize("line", lines(), ids=lambda line: line[:30])
def test_each_line_of_the_checklist_names_checks_of_the_doctor(line: str) -> None:
    named = {name for inside in re.findall(r"\(([^)]*`[^)]*)\)", line) for name in re.findall(r"`([^`]+)`", inside)}
    assert named - NO_CHECK
    for name in named:
        assert f'"{name}"' in DOCTOR
