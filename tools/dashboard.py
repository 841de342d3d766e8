"""Makes the Grafana dashboard: one table of panels, laid out in rows."""

import json
from typing import Any, Final, NamedTuple


class Panel(NamedTuple):
    """`queries`: legend -> PromQL. `unit` as Grafana calls it."""

    title: str
    unit: str
    queries: dict[str, str]


def _p(name: str, share: float, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate(passerby_{name}_bucket[5m])))"


ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "People": (
        Panel(
            "Open chats, people waiting",
            "short",
            {"chats": "max(passerby_chats_open)", "waiting": "max(passerby_people_waiting)"},
        ),
        Panel(
            "Pairs and searches",
            "ops",
            {"pairs": "sum(rate(passerby_pairs_total[5m]))", "searches": "sum(rate(passerby_searches_total[5m]))"},
        ),
        Panel(
            "Wait for a partner",
            "s",
            {"median": _p("search_wait_seconds", 0.5), "p95": _p("search_wait_seconds", 0.95)},
        ),
    ),
    "Messages": (
        Panel("Updates by bot", "ops", {"{{bot}}": "sum by (bot) (rate(passerby_updates_total[5m]))"}),
        Panel("Relays by outcome", "ops", {"{{outcome}}": "sum by (outcome) (rate(passerby_relays_total[5m]))"}),
        Panel(
            "Relay latency", "s", {"median": _p("relay_latency_seconds", 0.5), "p99": _p("relay_latency_seconds", 0.99)}
        ),
        Panel("Notices", "ops", {"{{outcome}}": "sum by (outcome) (rate(passerby_notices_total[5m]))"}),
        Panel("Wait in the queue", "s", {"{{priority}}": _p("queue_wait_seconds", 0.99, "priority")}),
        Panel(
            "Outbox",
            "short",
            {"entries": "max(passerby_outbox_entries)", "oldest, s": "max(passerby_outbox_oldest_seconds)"},
        ),
    ),
    "Telegram": (
        Panel("Time since the last poll", "s", {"{{bot}}": "time() - max by (bot) (passerby_bot_polled_at_seconds)"}),
        Panel("Updates that wait at Telegram", "short", {"{{bot}}": "max by (bot) (passerby_bot_pending_updates)"}),
        Panel("New connections", "ops", {"{{kind}}": "sum by (kind) (rate(passerby_connections_opened_total[5m]))"}),
    ),
    "Stores": (
        Panel(
            "Statements by name",
            "ops",
            {"{{statement}}": "sum by (statement) (rate(passerby_records_statement_seconds_count[5m]))"},
        ),
        Panel(
            "Time of a statement, p95",
            "s",
            {"{{statement}}": _p("records_statement_seconds", 0.95, "statement")},
        ),
        Panel(
            "PostgreSQL connections in use",
            "percent",
            {"{{kind}}": "max by (kind) (passerby_postgres_connections_percent)"},
        ),
        Panel(
            "Facts behind",
            "short",
            {"facts": "max(passerby_journal_facts)", "age, s": "max(passerby_recorder_lag_seconds)"},
        ),
        Panel("Round trips to Redis, p99", "s", {"p99": _p("store_trip_seconds", 0.99)}),
        Panel(
            "People found in the live store (user cache)",
            "percentunit",
            {
                "hit rate": 'sum(rate(passerby_people_lookups_total{outcome="live"}[5m]))'
                " / sum(rate(passerby_people_lookups_total[5m]))"
            },
        ),
    ),
    "Processes": (
        Panel("Memory", "bytes", {"{{instance}}": 'process_resident_memory_bytes{job="passerby"}'}),
        Panel("CPU", "percentunit", {"{{instance}}": 'rate(process_cpu_seconds_total{job="passerby"}[5m])'}),
        Panel("Event loop's delay", "s", {"{{instance}}": "passerby_loop_lag_seconds"}),
        Panel("Leases", "short", {"{{instance}} {{kind}}": "passerby_leases_held"}),
        Panel("Crashes in the last hour", "short", {"{{instance}}": "passerby_crashes_last_hour"}),
        Panel("Free disk", "percent", {"{{instance}}": "passerby_disk_free_percent"}),
    ),
}

WIDTH: Final = 8
HEIGHT: Final = 7


def dashboard() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    y = 0
    for row, several in ROWS.items():
        panels.append({"type": "row", "title": row, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "panels": []})
        y += 1
        for index, panel in enumerate(several):
            x = WIDTH * (index % 3)
            panels.append(_panel(panel, x, y + HEIGHT * (index // 3)))
        y += HEIGHT * -(-len(several) // 3)
    for number, each in enumerate(panels, start=1):
        each["id"] = number
    return {
        "title": "Passerby",
        "uid": "passerby",
        "tags": ["passerby"],
        "timezone": "browser",
        "refresh": "30s",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": panels,
    }


def _panel(panel: Panel, x: int, y: int) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": source, "expr": query, "legendFormat": legend}
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def dashboard_page() -> str:
    return json.dumps(dashboard(), indent=2) + "\n"
