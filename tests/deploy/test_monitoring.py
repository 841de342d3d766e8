"""The files in deploy/monitoring: they fit the table of alert rules, the metrics, and Prometheus' own checks."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from passerby.domain.alerts.rules import RULES, Rule
from passerby.domain.alerts.runbooks import RUNBOOKS, what_to_do
from passerby.settings import Settings
from passerby.telemetry import metrics
from passerby.telemetry.instruments import INSTRUMENTS, Counter, Histogram

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy/monitoring"
RULES_FILE = MONITORING / "prometheus/passerby.rules.yaml"
DASHBOARD = MONITORING / "grafana/passerby.json"
MINUTES = 15

WEEK = 7 * 24 * 60
"""Minutes."""

STEP = 15
"""Minutes between two samples of a test over a week."""


def names() -> set[str]:
    """The names of all series that a process has."""
    assert metrics.INSTRUMENTS is INSTRUMENTS
    found = {"process_resident_memory_bytes", "process_cpu_seconds_total", "up"}
    for each in INSTRUMENTS:
        if isinstance(each, Counter):
            found.add(f"{each.name}_total")
        elif isinstance(each, Histogram):
            found |= {f"{each.name}_{part}" for part in ("sum", "count", "bucket")}
        else:
            found.add(each.name)
    return found


def asked(query: str) -> set[str]:
    return set(re.findall(r"\b(?:passerby|process)_\w+", query))


def queries() -> list[str]:
    rules = yaml.safe_load(RULES_FILE.read_text("utf-8"))["groups"][0]["rules"]
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [rule["expr"] for rule in rules] + [
        target["expr"] for panel in panels for target in panel.get("targets", ())
    ]


@pytest.mark.parametrize("query", queries())
def test_every_query_asks_for_metrics_that_exist(query: str) -> None:
    assert asked(query) <= names()


def test_every_alert_has_a_rule_for_prometheus_and_a_runbook() -> None:
    rules = yaml.safe_load(RULES_FILE.read_text("utf-8"))["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == {"Watchdog", "PasserbyDown", *(rule.name for rule in RULES)}
    assert set(RUNBOOKS) == {rule.name for rule in RULES}
    for rule in RULES:
        page = (ROOT / f"docs/runbooks/{rule.name}.md").read_text("utf-8")
        assert [line[3:] for line in page.splitlines() if line.startswith("## ")][:4] == [
            "Meaning",
            "Impact",
            "Diagnosis",
            "What to do",
        ]
        assert len(what_to_do(rule)) < 4000, "it fits into one message"


SERIES: dict[str, tuple[dict[str, str], float]] = {
    "PasserbyStoreAway": ({'passerby_store_away_seconds{kind="live"}': "0+60x{n}"}, 1),
    "PasserbyBotNotPolled": ({'passerby_bot_polled_at_seconds{bot="1"}': "0x{n}"}, 1),
    "PasserbyBotLost": ({'passerby_bot_lost{bot="1"}': "1x{n}"}, 1),
    "PasserbyPollingErrors": ({'passerby_poll_errors_total{bot="1"}': "0+20x{n}"}, 1),
    "PasserbyTelegramQueue": ({'passerby_bot_pending_updates{bot="1"}': "60000x{n}"}, 1),
    "PasserbyOutboxOld": ({"passerby_outbox_oldest_seconds": "40x{n}"}, 1),
    "PasserbyBotHeld": ({'passerby_bot_held_seconds{bot="1"}': "400x{n}"}, 1),
    "PasserbyCrashes": (
        {'passerby_crashes_last_hour{instance="a"}': "2x{n}", 'passerby_crashes_last_hour{instance="b"}': "1x{n}"},
        1,
    ),
    "PasserbyLoopStuck": ({"passerby_stuck_loops_last_hour": "1x{n}"}, 1),
    "PasserbyEventsSetAside": ({'passerby_decisions_total{outcome="put_aside"}': "0+1x{n}"}, 1),
    "PasserbySlowMatching": (
        {
            "passerby_search_wait_seconds_sum": f"0+150x{WEEK // STEP} 100800+1500x{{n}}",
            "passerby_search_wait_seconds_count": f"0+15x{WEEK // STEP} 10080+15x{{n}}",
        },
        WEEK + 75,
    ),
    "PasserbyPostgresConnections": ({'passerby_postgres_connections_percent{kind="pool"}': "95x{n}"}, 1),
    "PasserbySlowQueries": (
        {
            "passerby_records_statement_seconds_sum": "0+30x{n}",
            "passerby_records_statement_seconds_count": "0+100x{n}",
        },
        1,
    ),
    "PasserbyRedisMemory": ({"passerby_redis_memory_percent": "85x{n}"}, 1),
    "PasserbyDiskSpace": ({'passerby_disk_free_percent{instance="a"}': "5x{n}"}, 1),
    "PasserbyClockSkew": ({'passerby_clock_skew_seconds{instance="a"}': "-3x{n}"}, 1),
    "PasserbyCertificate": ({"passerby_certificate_days_left": "3x{n}"}, 1),
    "PasserbyBackupOld": ({"passerby_backup_at_seconds": "-100000x{n}"}, 1),
    "PasserbyRestoreTestOld": ({"passerby_restore_test_at_seconds": "-700000x{n}"}, 1),
    "PasserbyRestoreTestFailed": ({"passerby_restore_test_faults": "1x{n}"}, 1),
    "PasserbySaleFound": ({"passerby_sales_found_total": "0+1x{n}"}, 1),
    "PasserbyChargeUnconfirmed": ({"passerby_charges_unconfirmed": "1x{n}"}, 1),
    "PasserbySweepOld": ({'passerby_bot_swept_at_seconds{bot="1"}': "-3000x{n}"}, 1),
    "PasserbyRefundOwed": ({'passerby_star_call_oldest_seconds{kind="refund"}': "90000x{n}"}, 1),
    "PasserbyRefundRefused": ({"passerby_refunds_refused_total": "0+1x{n}"}, 1),
    "PasserbyCheckoutsLate": (
        {"passerby_checkout_seconds_count": "0+2x{n}", 'passerby_checkout_seconds_bucket{le="5.0"}': "0+1x{n}"},
        1,
    ),
    "PasserbyCasesWaiting": ({'passerby_case_oldest_seconds{kind="first"}': "90000x{n}"}, 1),
    "PasserbyFarmFound": ({"passerby_farm_accounts": "6x{n}"}, 1),
}
"""Rule -> the series that make it fire, and the minute at which they begin to differ from a healthy fleet's."""


@pytest.fixture(scope="module")
def promtool() -> str:
    """From Debian's package prometheus."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("there is no promtool (Debian: apt install prometheus)")
    return found


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_the_rules_and_its_own_configuration(promtool: str, tmp_path: Path) -> None:
    run(promtool, "check", "rules", RULES_FILE)
    shutil.copy(RULES_FILE, tmp_path)
    shutil.copy(MONITORING / "prometheus/prometheus.yaml", tmp_path)
    run(promtool, "check", "config", tmp_path / "prometheus.yaml")


NOW = "{now}+60x{m}"
HEALED = {
    "PasserbyBotNotPolled": NOW,
    "PasserbySweepOld": NOW,
    "PasserbyBackupOld": NOW,
    "PasserbyRestoreTestOld": NOW,
    "PasserbyDiskSpace": "50x{m}",
    "PasserbyCertificate": "80x{m}",
}
"""Rule -> the same series when the cause is gone. The others fall to 0, counters because of a restart."""

HEALED_AFTER = 105
"""Minutes: the longest window of a rule, and more."""


def alerts(rule: str, at: int, *, fires: bool) -> list[dict[str, Any]]:
    """Whether this alert is firing at a minute. The Watchdog always is, and no other one."""
    ours = [{"labels": "{}", "value": 1}] if fires else []
    firing = 'count(ALERTS{{{}alertstate="firing"}})'
    one, every = firing.format(f'alertname="{rule}",'), firing.format("")
    return [
        {"expr": one, "eval_time": f"{at}m", "exp_samples": ours},
        {"expr": every, "eval_time": f"{at}m", "exp_samples": [{"labels": "{}", "value": 2 if fires else 1}]},
    ]


def prometheus_says(
    promtool: str, directory: Path, step: str, series: dict[str, str], told: list[dict[str, Any]]
) -> None:
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    group = {"interval": step, "input_series": inputs, "promql_expr_test": told}
    test = {"rule_files": [str(RULES_FILE)], "evaluation_interval": step, "tests": [group]}
    file = directory / "test.yaml"
    file.write_text(yaml.safe_dump(test), "utf-8")
    run(promtool, "test", "rules", file)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_prometheus_fires_each_alert_by_its_series_alone_until_they_are_well_again(
    promtool: str, tmp_path: Path, rule: Rule
) -> None:
    series, begins = SERIES[rule.name]
    at = int(begins) + MINUTES
    step, since = (STEP, WEEK) if begins > WEEK else (1, 0)
    healed = HEALED.get(rule.name, "0x{m}").format(now=60 * (at + step), m=HEALED_AFTER // step + 1)
    up = {'up{job="passerby",instance="a"}': f"1x{at + HEALED_AFTER}"}
    sick = {name: f"{values.format(n=(at - since) // step)} {healed}" for name, values in series.items()}
    told = [*alerts(rule.name, at, fires=True), *alerts(rule.name, at + HEALED_AFTER, fires=False)]
    prometheus_says(promtool, tmp_path, f"{step}m", up | sick, told)


@pytest.mark.parametrize(
    "others", [{}, {'up{job="passerby",instance="b"}': "1x60"}], ids=["the only one", "one of two"]
)
def test_prometheus_says_when_a_process_cannot_be_read_until_it_can(
    promtool: str, tmp_path: Path, others: dict[str, str]
) -> None:
    series = {'up{job="passerby",instance="a"}': "1x9 0x9 1x30"} | others
    told = [*alerts("PasserbyDown", 15, fires=True), *alerts("PasserbyDown", 30, fires=False)]
    prometheus_says(promtool, tmp_path, "1m", series, told)


def test_the_alertmanager_accepts_its_configuration() -> None:
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("there is no amtool (Debian: apt install prometheus-alertmanager)")
    run(amtool, "check-config", MONITORING / "alertmanager/alertmanager.yaml")


def test_thresholds_for_prometheus_are_the_defaults_of_the_settings() -> None:
    rules: list[dict[str, Any]] = yaml.safe_load(RULES_FILE.read_text("utf-8"))["groups"][0]["rules"]
    for rule in RULES:
        written = next(each for each in rules if each["alert"] == rule.name)["expr"]
        assert written.endswith(f"{'<' if rule.below else '>'} {rule.threshold(Settings().thresholds):g}")
