"""The table of alert rules. There is no other: the fleet's own alerts, the rules for Prometheus and the runbooks are
made from it.

A rule compares a *reading* with a threshold. A reading has one value for each *subject*: a bot, a process, a store, or
the fleet as a whole (the empty subject). `query` computes the same values in Prometheus, from the same metrics.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    CRITICAL = "critical"
    """People notice it now. Somebody should look at once."""
    WARNING = "warning"
    """People will notice it if nobody does anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """`setting` is the name of the threshold's setting; without one, the threshold is 0. `label` is what a subject is
    called, in PromQL too.

    It fires if the value was above the threshold (or below, with `below`) for `for_s` seconds. `told` is a sentence
    about one subject, with {subject}, {value} and {threshold}.
    """

    name: str
    setting: str = ""
    severity: Severity
    title: str
    told: str
    query: str
    for_s: float = 0.0
    label: str = ""
    below: bool = False

    def threshold(self, thresholds: Mapping[str, float]) -> float:
        """`thresholds`: setting -> value."""
        return thresholds[self.setting] if self.setting else 0.0

    def is_exceeded(self, value: float, threshold: float) -> bool:
        return value < threshold if self.below else value > threshold


CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING

STORE_AWAY = Rule(
    name="PasserbyStoreAway",
    setting="alert_store_away",
    severity=CRITICAL,
    title="A store does not answer",
    told="The {subject} store has not answered for {value:.0f} s (more than {threshold:g}).",
    query="max by (kind) (passerby_store_away_seconds)",
    label="kind",
)
BOT_NOT_POLLED = Rule(
    name="PasserbyBotNotPolled",
    setting="alert_not_polled",
    severity=CRITICAL,
    title="A bot is not polled",
    told="Bot {subject} was not polled for {value:.0f} s (more than {threshold:g}).",
    query=(
        "(time() - max by (bot) (max_over_time(passerby_bot_polled_at_seconds[1h])))"
        " unless on (bot) max by (bot) (passerby_bot_lost) == 1"
    ),
    label="bot",
)
BOT_LOST = Rule(
    name="PasserbyBotLost",
    severity=CRITICAL,
    title="A bot is lost",
    told="Telegram refuses the token of bot {subject}.",
    query="max by (bot) (passerby_bot_lost)",
    label="bot",
)
POLLING_ERRORS = Rule(
    name="PasserbyPollingErrors",
    setting="alert_polling_errors",
    severity=CRITICAL,
    title="Polling fails",
    told="Polls that failed in a minute: {value:.0f} (more than {threshold:g}).",
    query="sum(increase(passerby_poll_errors_total[1m]))",
)
TELEGRAM_QUEUE = Rule(
    name="PasserbyTelegramQueue",
    setting="alert_telegram_queue",
    severity=CRITICAL,
    title="Updates pile up at Telegram",
    told="Updates that wait at Telegram for bot {subject}: {value:.0f} (more than {threshold:.0f}; it keeps 100,000).",
    query="max by (bot) (passerby_bot_pending_updates)",
    for_s=60,
    label="bot",
)
OUTBOX_OLD = Rule(
    name="PasserbyOutboxOld",
    setting="alert_outbox_age",
    severity=WARNING,
    title="Messages are not sent",
    told="The oldest message of our own has waited for {value:.0f} s (more than {threshold:g}).",
    query="max(passerby_outbox_oldest_seconds)",
    for_s=30,
)
BOT_HELD = Rule(
    name="PasserbyBotHeld",
    setting="alert_bot_held",
    severity=WARNING,
    title="Telegram holds a bot back",
    told="Bot {subject} has been held by 429 answers for {value:.0f} min (more than {threshold:g}).",
    query="max by (bot) (passerby_bot_held_seconds) / 60",
    label="bot",
)
CRASHES = Rule(
    name="PasserbyCrashes",
    setting="alert_crashes",
    severity=CRITICAL,
    title="Processes crash",
    told="Crashes in an hour: {value:.0f} (more than {threshold:g}).",
    query="sum(passerby_crashes_last_hour)",
)
LOOP_STUCK = Rule(
    name="PasserbyLoopStuck",
    setting="alert_loop_stuck",
    severity=CRITICAL,
    title="An event loop was stuck",
    told="Processes that ended in the last hour because their event loop was stuck: {value:.0f}.",
    query="sum(passerby_stuck_loops_last_hour)",
)
SET_ASIDE = Rule(
    name="PasserbyEventsSetAside",
    setting="alert_set_aside",
    severity=WARNING,
    title="Updates were set aside",
    told="Updates that were set aside in the last hour: {value:.0f} (more than {threshold:g}).",
    query='sum(increase(passerby_decisions_total{outcome="put_aside"}[1h]))',
)
SLOW_MATCHING = Rule(
    name="PasserbySlowMatching",
    setting="alert_wait_times",
    severity=WARNING,
    title="People wait long for a partner",
    told="People wait {value:.1f} times as long for a partner as in this hour a week ago (more than {threshold:g}).",
    query=(
        "sum(increase(passerby_search_wait_seconds_sum[1h])) / sum(increase(passerby_search_wait_seconds_count[1h]))"
        " / (sum(increase(passerby_search_wait_seconds_sum[1h] offset 1w))"
        " / sum(increase(passerby_search_wait_seconds_count[1h] offset 1w)))"
    ),
    for_s=600,
)
POSTGRES_CONNECTIONS = Rule(
    name="PasserbyPostgresConnections",
    setting="alert_postgres_connections",
    severity=CRITICAL,
    title="PostgreSQL connections run out",
    told="{value:.0f} % of the {subject}'s connections to PostgreSQL are in use (more than {threshold:g} %).",
    query="max by (kind) (passerby_postgres_connections_percent)",
    for_s=30,
    label="kind",
)
SLOW_QUERIES = Rule(
    name="PasserbySlowQueries",
    setting="alert_query_ms",
    severity=WARNING,
    title="The database is slow",
    told="A statement takes {value:.0f} ms on average (more than {threshold:g}).",
    query=(
        "1000 * sum(increase(passerby_records_statement_seconds_sum[5m]))"
        " / sum(increase(passerby_records_statement_seconds_count[5m]))"
    ),
    for_s=60,
)
REDIS_MEMORY = Rule(
    name="PasserbyRedisMemory",
    setting="alert_redis_memory",
    severity=CRITICAL,
    title="Redis runs out of memory",
    told="Redis uses {value:.0f} % of its maxmemory (more than {threshold:g} %). When it is full, nothing is stored.",
    query="max(passerby_redis_memory_percent)",
    for_s=30,
)
DISK_SPACE = Rule(
    name="PasserbyDiskSpace",
    setting="alert_disk_free",
    severity=CRITICAL,
    title="The disk is nearly full",
    told="{value:.1f} % of the disk of {subject} is free (less than {threshold:g} %).",
    query="min by (instance) (passerby_disk_free_percent)",
    for_s=30,
    label="instance",
    below=True,
)
CLOCK_SKEW = Rule(
    name="PasserbyClockSkew",
    setting="alert_clock_skew",
    severity=WARNING,
    title="A clock is wrong",
    told="The clock of {subject} differs by {value:.1f} s from the Bot API server's (more than {threshold:g}).",
    query="max by (instance) (abs(passerby_clock_skew_seconds))",
    for_s=60,
    label="instance",
)
CERTIFICATE = Rule(
    name="PasserbyCertificate",
    setting="alert_certificate_days",
    severity=WARNING,
    title="The certificate for webhooks expires",
    told="The certificate at WEBHOOK_URL is valid for {value:.1f} more days (less than {threshold:g}).",
    query="min(passerby_certificate_days_left)",
    below=True,
)
BACKUP_OLD = Rule(
    name="PasserbyBackupOld",
    setting="alert_backup_hours",
    severity=CRITICAL,
    title="There is no recent backup",
    told="There has been no good backup for {value:.0f} h (more than {threshold:g}).",
    query="(time() - max(passerby_backup_at_seconds)) / 3600",
)
RESTORE_TEST_OLD = Rule(
    name="PasserbyRestoreTestOld",
    setting="alert_restore_test_days",
    severity=WARNING,
    title="No backup was tested lately",
    told="No backup was restored as a test for {value:.1f} days (more than {threshold:g}).",
    query="(time() - max(passerby_restore_test_at_seconds)) / 86400",
)

RESTORE_TEST_FAILED = Rule(
    name="PasserbyRestoreTestFailed",
    severity=CRITICAL,
    title="A backup cannot be restored",
    told="The last restore test has failed. “passerby backup list” says why.",
    query="max(passerby_restore_test_faults)",
)

SALE_FOUND = Rule(
    name="PasserbySaleFound",
    setting="alert_sales_found",
    severity=WARNING,
    title="A payment was missed",
    told="Payments of the last hour that came by no update: {value:.0f} (more than {threshold:g}).",
    query="sum(increase(passerby_sales_found_total[1h]))",
)
CHARGE_UNCONFIRMED = Rule(
    name="PasserbyChargeUnconfirmed",
    severity=CRITICAL,
    title="Telegram does not know a charge",
    told="Charges of ours that are not in the bots' transactions, an hour after they were made: {value:.0f}.",
    query="max(passerby_charges_unconfirmed)",
)
SWEEP_OLD = Rule(
    name="PasserbySweepOld",
    setting="alert_sweep_minutes",
    severity=WARNING,
    title="Payments are not compared",
    told="The transactions of bot {subject} were not read for {value:.0f} min (more than {threshold:g}).",
    query=(
        "(time() - max by (bot) (max_over_time(passerby_bot_swept_at_seconds[6h]))) / 60"
        " unless on (bot) max by (bot) (passerby_bot_lost) == 1"
    ),
    label="bot",
)
OWED_LONG = Rule(
    name="PasserbyRefundOwed",
    setting="alert_owed_hours",
    severity=WARNING,
    title="A refund is not confirmed",
    told="A refund or a cancellation has been owed for {value:.0f} h (more than {threshold:g}).",
    query="max(passerby_star_call_oldest_seconds) / 3600",
)
REFUND_REFUSED = Rule(
    name="PasserbyRefundRefused",
    severity=WARNING,
    title="Telegram refuses a refund",
    told="Refunds of the last hour that Telegram will never make: {value:.0f}.",
    query="sum(increase(passerby_refunds_refused_total[1h]))",
)
CHECKOUTS_LATE = Rule(
    name="PasserbyCheckoutsLate",
    setting="alert_late_checkouts",
    severity=CRITICAL,
    title="Checkouts are answered late",
    told="Checkouts of the last ten minutes that took more than 5 s: {value:.0f} (more than {threshold:g}).",
    query=(
        "sum(increase(passerby_checkout_seconds_count[10m]))"
        ' - sum(increase(passerby_checkout_seconds_bucket{le="5.0"}[10m]))'
    ),
)

CASES_WAIT = Rule(
    name="PasserbyCasesWaiting",
    setting="alert_case_hours",
    severity=WARNING,
    title="Cases wait for staff",
    told="The oldest open case of the kind {subject} has waited for {value:.0f} h (more than {threshold:g}).",
    query="max by (kind) (passerby_case_oldest_seconds) / 3600",
    label="kind",
)

FARM_FOUND = Rule(
    name="PasserbyFarmFound",
    severity=WARNING,
    title="A farm was found",
    told="Accounts that behave like those of farms, and meet only each other now: {value:.0f}.",
    query="max(passerby_farm_accounts)",
)

RULES: Final = (
    STORE_AWAY,
    BOT_NOT_POLLED,
    BOT_LOST,
    POLLING_ERRORS,
    TELEGRAM_QUEUE,
    OUTBOX_OLD,
    BOT_HELD,
    CRASHES,
    LOOP_STUCK,
    SET_ASIDE,
    SLOW_MATCHING,
    POSTGRES_CONNECTIONS,
    SLOW_QUERIES,
    REDIS_MEMORY,
    DISK_SPACE,
    CLOCK_SKEW,
    CERTIFICATE,
    BACKUP_OLD,
    RESTORE_TEST_OLD,
    RESTORE_TEST_FAILED,
    SALE_FOUND,
    CHARGE_UNCONFIRMED,
    SWEEP_OLD,
    OWED_LONG,
    REFUND_REFUSED,
    CHECKOUTS_LATE,
    CASES_WAIT,
    FARM_FOUND,
)

BY_NAME: Final = {rule.name: rule for rule in RULES}
