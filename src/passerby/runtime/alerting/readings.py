"""The readings that the rules compare, from what the workers report about themselves."""

from collections.abc import Container, Mapping
from typing import Final

from passerby.domain.alerts import rules
from passerby.ports.leases import WorkerId
from passerby.runtime.alerting.rates import Rates
from passerby.runtime.membership.report import Report

Reading = Mapping[str, float]
"""Subject -> value."""

MINUTE_S: Final = 60.0
TEN_MINUTES_S: Final = 600.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
STATEMENTS_S: Final = 300.0
FEW_STATEMENTS: Final = 5
"""The average of fewer says nothing."""

THE_FLEET: Final = ""
"""The subject of a rule without subjects."""


def lost_bots(reports: Mapping[WorkerId, Report], told: Container[str]) -> set[int]:
    """The bots whose token Telegram refuses. `told`: those that counted as lost at the last look.

    A new process suspects a lost bot first. So a bot that was lost stays so until nobody doubts it.
    """
    lost = {bot for report in reports.values() for bot in report.idle_bots}
    doubted = {bot for report in reports.values() for bot in report.doubted_bots}
    return lost | {bot for bot in doubted if str(bot) in told}


def reported(reports: Mapping[WorkerId, Report], rates: Rates, now: float) -> dict[str, Reading]:
    """The readings that need nothing but the reports. Rule -> reading."""
    every = [
        (report.name or worker, report.figures) for worker, report in reports.items() if report.figures is not None
    ]
    figures = [each for _, each in every]
    held: dict[str, float] = {}
    for each in figures:
        for bot, held_s in each.held_s.items():
            held[str(bot)] = max(held_s / MINUTE_S, held.get(str(bot), 0.0))
    found: dict[str, Reading] = {
        rules.POLLING_ERRORS.name: {THE_FLEET: rates.increase("poll_errors", MINUTE_S)},
        rules.SET_ASIDE.name: {THE_FLEET: rates.increase("set_aside", HOUR_S)},
        rules.BOT_HELD.name: held,
        rules.CRASHES.name: {THE_FLEET: sum(each.crashes_last_hour for each in figures)},
        rules.LOOP_STUCK.name: {THE_FLEET: sum(each.stuck_last_hour for each in figures)},
        rules.OUTBOX_OLD.name: {THE_FLEET: max((each.outbox_oldest_s for each in figures), default=0.0)},
        rules.DISK_SPACE.name: {
            name: each.disk_free_percent for name, each in every if each.disk_free_percent is not None
        },
        rules.SALE_FOUND.name: {THE_FLEET: rates.increase("sales_found", HOUR_S)},
        rules.REFUND_REFUSED.name: {THE_FLEET: rates.increase("refunds_refused", HOUR_S)},
        rules.CHECKOUTS_LATE.name: {THE_FLEET: rates.increase("late_checkouts", TEN_MINUTES_S)},
        rules.CHARGE_UNCONFIRMED.name: {THE_FLEET: max((each.charges_unconfirmed for each in figures), default=0)},
        rules.RESTORE_TEST_FAILED.name: {THE_FLEET: max((each.restore_test_faults for each in figures), default=0)},
        rules.OWED_LONG.name: {THE_FLEET: max((each.owed_s for each in figures), default=0.0) / HOUR_S},
        rules.FARM_FOUND.name: {THE_FLEET: max((each.farm_accounts for each in figures), default=0)},
        rules.CLOCK_SKEW.name: {name: abs(each.clock_skew_s) for name, each in every},
    }
    for rule, at, unit_s in (
        (rules.BACKUP_OLD, max((each.backup_at for each in figures), default=0.0), HOUR_S),
        (rules.RESTORE_TEST_OLD, max((each.restore_test_at for each in figures), default=0.0), DAY_S),
    ):
        # Right after a start nobody has looked yet, and without BACKUP_DIR there is nothing to look at.
        found[rule.name] = {THE_FLEET: (now - at) / unit_s} if at else {}
    if (statements := rates.increase("statements", STATEMENTS_S)) >= FEW_STATEMENTS:
        mean_ms = 1000 * rates.increase("statements_s", STATEMENTS_S) / statements
        found[rules.SLOW_QUERIES.name] = {THE_FLEET: mean_ms}
    else:
        found[rules.SLOW_QUERIES.name] = {}
    return found
