"""The alert about cases: a real report that nobody decides, in a real database."""

from functools import partial
from pathlib import Path

import sqlalchemy as sa

from passerby.adapters.sql.tables import cases, payment_cases
from passerby.bootstrap import alerting
from passerby.domain.alerts import rules
from passerby.kernel.participant import Complaint
from passerby.runtime.alerting.watch import Probe
from passerby.staff.cases.measures import rule
from tests.adapters.sql.test_case_tables import filled, report
from tests.contract.records_facts import NOW, asked
from tests.runtime.alerting.stage import clean_metrics
from tests.runtime.alerting.test_server_causes import Fleet
from tests.staged import in_a_loop

HOUR_S = 3600.0


@in_a_loop
async def test_a_report_that_nobody_decides_for_a_day_is_an_alert_until_somebody_does(tmp_path: Path) -> None:
    records, staff = await filled(str(tmp_path / "passerby.db"), *report(1, Complaint.THREAT))
    with clean_metrics():
        fleet = Fleet(Probe(rules.CASES_WAIT.name, 60.0, lambda: alerting.oldest_cases(records, fleet.clock)))
        fleet.clock.offset_s += NOW + 600 - fleet.clock.now()
        await staff.measure(partial(rule, now=fleet.clock.now()), fleet.clock.now())
        fleet.clock.offset_s += 23 * HOUR_S
        await fleet.passes(10)
        assert not fleet.fires(rules.CASES_WAIT)
        fleet.clock.offset_s += 2 * HOUR_S
        await fleet.passes(10)
        assert set(fleet.watch.alerts[rules.CASES_WAIT.name].firing) == {"first"}
        async with records.engine.begin() as connection:
            await connection.execute(sa.update(cases).values(decided_at=fleet.clock.now(), state="decided"))
        await fleet.passes(80)
        assert not fleet.fires(rules.CASES_WAIT)
    await records.aclose()


@in_a_loop
async def test_a_question_about_payments_that_waits_for_a_day_is_the_same_alert(tmp_path: Path) -> None:
    records, _ = await filled(str(tmp_path / "passerby.db"), asked(1))
    with clean_metrics():
        fleet = Fleet(Probe(rules.CASES_WAIT.name, 60.0, lambda: alerting.oldest_cases(records, fleet.clock)))
        fleet.clock.offset_s += NOW + 25 * HOUR_S - fleet.clock.now()
        await fleet.passes(10)
        assert set(fleet.watch.alerts[rules.CASES_WAIT.name].firing) == {"payment"}
        async with records.engine.begin() as connection:
            await connection.execute(sa.update(payment_cases).values(answered_at=fleet.clock.now()))
        await fleet.passes(80)
        assert not fleet.fires(rules.CASES_WAIT)
    await records.aclose()
