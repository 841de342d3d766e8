"""All cases by name."""

from tests.faults import (
    cases_cluster,
    cases_copies,
    cases_damage,
    cases_loss,
    cases_machine,
    cases_people,
    cases_poison,
    cases_redis_loss,
    cases_stores,
    cases_telegram,
    cases_workers,
)
from tests.faults.stage import Case

_ALL = (
    cases_workers,
    cases_stores,
    cases_cluster,
    cases_copies,
    cases_damage,
    cases_telegram,
    cases_machine,
    cases_loss,
    cases_poison,
    cases_redis_loss,
    cases_people,
)

CASES: dict[str, Case] = {case.name: case for cases in _ALL for case in cases.CASES}
