"""The table of goals: what is read from each benchmark, and what counts as reached."""

from typing import Any

from benchmarks.bars import RUNS, Row, table

FOUND: dict[str, Any] = {
    "first_start_s": 0.6,
    "rows": [
        {"loop": "closed", "in_flight": 32, "cpu_us": 80.0, "total_us": 130.0, "relays_per_core_s": 12_500.0},
        {"loop": "open", "rate_per_s": 1000, "cpu_us": 300.0, "total_us": 400.0, "p50_ms": 1.0, "p99_ms": 5.0},
    ],
    "together": [
        {"searching_at_once": 1_000, "cpu_us_per_person": 200.0, "all_told_after_s": 0.2, "sends_per_person": 2.0}
    ],
    "many": {"peak": {"pss_mb": 150.0}},
    "times_ours": {"aiogram": {"closed": {"cpu_us": 8.0}}},
}


def test_a_figure_is_a_dream_reached_missed_or_not_measured() -> None:
    row = Row("cost", "µs", lambda found: found["cpu"], 75, 60)
    assert [row.verdict(each) for each in (60, 61, 75, 76, None)] == [
        "dream",
        "reached",
        "reached",
        "missed",
        "not measured",
    ]
    fast = Row("relays", "", lambda found: found["relays"], 8_000, least=True)
    assert [fast.verdict(each) for each in (8_000, 7_999)] == ["reached", "missed"]


def test_every_goal_is_in_the_table_even_if_a_benchmark_failed() -> None:
    lines = table([(run, FOUND if run.name != "memory" else None) for run in RUNS]).splitlines()
    assert len(lines) == 1 + sum(len(run.rows) for run in RUNS)
    verdict = {line[:58].strip(): line.rsplit("  ", 1)[1].strip() for line in lines[1:]}
    assert verdict["command to first poll, s"] == "reached"
    assert verdict["CPU per relayed text, embedded, closed loop, µs"] == "missed"
    assert verdict["added latency at 1,000/s, embedded, p50, ms"] == "dream"
    assert verdict["CPU per relayed text, embedded, 60 a second, µs"] == "not measured"
    assert verdict["relays/s on one core, embedded"] == "reached"
    assert verdict["memory: 20,000 chats, 100 relays/s, embedded, MB"] == "not measured"
