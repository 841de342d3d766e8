"""Makes the files for Prometheus and the runbooks from the table of alert rules (`passerby.domain.alerts`)."""

from dashboard import dashboard_page

from passerby.domain.alerts.rules import RULES, Rule
from passerby.domain.alerts.runbooks import RUNBOOKS
from passerby.settings import Settings

HEAD = """\
# Made from the table of alert rules in the code by `make docs`. Thresholds are the settings' defaults.
# Copy it and change what you need; `promtool check rules` checks it.
groups:
  - name: passerby
    rules:
      - alert: Watchdog
        expr: vector(1)
        labels:
          severity: none
        annotations:
          summary: Alerting works
          description: This alert always fires. If it stops, Prometheus or the Alertmanager is down.
      - alert: PasserbyDown
        expr: up{job="passerby"} == 0 or absent(up{job="passerby"})
        for: 1m
        labels:
          severity: critical
        annotations:
          summary: A process of Passerby cannot be reached
          description: Prometheus cannot read the metrics of {{ $labels.instance }}.
          runbook_url: docs/runbooks/README.md
"""


def rules_page() -> str:
    return HEAD + "".join(map(_rule, RULES))


def _rule(rule: Rule) -> str:
    sign = "<" if rule.below else ">"
    threshold = rule.threshold(Settings().thresholds)
    told = rule.told.replace("{subject}", f"{{{{ $labels.{rule.label} }}}}" if rule.label else "")
    for spec in ("{value:.0f}", "{value:.1f}"):
        told = told.replace(spec, f'{{{{ printf "%{spec[7:10]}" $value }}}}')
    told = told.replace("{threshold:g}", f"{threshold:g}").replace("{threshold:.0f}", f"{threshold:.0f}")
    lines = [
        f"      - alert: {rule.name}",
        "        expr: >-",
        f"          ({rule.query}) {sign} {threshold:g}",
        *([f"        for: {rule.for_s:.0f}s"] if rule.for_s else []),
        "        keep_firing_for: 1m",
        "        labels:",
        f"          severity: {rule.severity}",
        "        annotations:",
        f"          summary: {rule.title}",
        f"          description: {_quoted(told)}",
        f"          runbook_url: docs/runbooks/{rule.name}.md",
    ]
    return "\n".join(lines) + "\n"


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def runbook_page(rule: Rule) -> str:
    runbook = RUNBOOKS[rule.name]
    threshold = (
        f"The threshold is the setting `{rule.setting.upper()}` (default {Settings().thresholds[rule.setting]:g})."
        if rule.setting
        else ""
    )
    fires = f"It fires after {rule.for_s:.0f} s." if rule.for_s else "It fires at once."
    return (
        f"# {rule.name}\n\n{rule.title}. Severity: {rule.severity}.\n\n"
        f"## Meaning\n\n{runbook.meaning} {threshold} {fires}\n\n".replace("  ", " ")
        + f"## Impact\n\n{runbook.impact}\n\n## Diagnosis\n\n{runbook.diagnosis}\n\n"
        f"## What to do\n\n{runbook.remedy}\n\n## In Prometheus\n\n```promql\n{rule.query}\n```\n"
    )


def runbooks_page() -> str:
    rows = "".join(f"| [{rule.name}]({rule.name}.md) | {rule.title} | {rule.severity} |\n" for rule in RULES)
    return (
        "# Runbooks\n\nOne page an alert: what it means, what people notice, how to find the cause, what to do. "
        "The staff bot shows the same words under *What to do*.\n\n| alert | in short | severity |\n|---|---|---|\n"
        + rows
    )


def pages() -> dict[str, str]:
    return {
        "deploy/monitoring/prometheus/passerby.rules.yaml": rules_page(),
        "docs/runbooks/README.md": runbooks_page(),
        "deploy/monitoring/grafana/passerby.json": dashboard_page(),
        **{f"docs/runbooks/{rule.name}.md": runbook_page(rule) for rule in RULES},
    }
