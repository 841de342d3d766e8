"""All cases by name."""

from tests.faults import cases_machine, cases_poison, cases_stores, cases_telegram, cases_workers
from tests.faults.stage import Case

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        *cases_workers.CASES,
        *cases_stores.CASES,
        *cases_telegram.CASES,
        *cases_machine.CASES,
        *cases_poison.CASES,
    )
}
