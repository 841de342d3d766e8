"""The overview, which is built from three sources."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from passerby.ops.cluster.control import Kept
from passerby.ops.cluster.overview import SILENT_S, TAKEOVER_S, Glance, Overview, WorkerStatus, overview
from passerby.ops.cluster.processes import ProcessUse, cpu_share
from passerby.runtime.membership.report import Report
from passerby.telemetry.figures import Snapshot

NOW = 1_700_000_000.0
BOTS = (1, 2)
KEPT = Kept("worker-1", "RUNNING", 11, 100.0, 0, 0, 0, 0, Path("worker-1.log"))
READING = ProcessUse(cpu_s=10.0, rss=50 * 1024**2, age_s=100.0, state="S")


def figures(**given: Any) -> Snapshot:
    return Snapshot(at=NOW, polled_at=given.pop("polled_at", {1: NOW - 3, 2: NOW - 3}), **given)


def status(worker: str = "a", **given: Any) -> WorkerStatus:
    whole = {
        "figures": figures(relays=5),
        "stores": {"live": "ok", "records": "ok"},
        "workers": {"a": Report(name="worker-1"), "b": Report(name="worker-2")},
        "holders": {"bot:1": "a", "bot:2": "b", "pool:adult": "a", "duty:recorder": "b"},
    } | given
    return WorkerStatus(worker=worker, **whole)


def glance(**given: Any) -> Glance:
    """Two healthy workers."""
    second = replace(KEPT, name="worker-2", pid=12)
    whole: dict[str, Any] = {
        "kept": {"worker-1": KEPT, "worker-2": second},
        "pids": {"worker-1": 11, "worker-2": 12},
        "readings": {11: READING, 12: READING},
        "statuses": {"worker-1": status("a"), "worker-2": status("b")},
        "unready": {},
        "listening": frozenset({"worker-1", "worker-2"}),
    }
    return Glance(**(whole | given))


def seen(now: Glance, before: Glance | None = None, *, polls: bool = True, **given: Any) -> Overview:
    return overview(before, now, at=NOW, bots=BOTS, pending=given.get("pending", {1: 0, 2: 7}), polls=polls)


def test_a_healthy_cluster_has_no_faults() -> None:
    picture = seen(glance())
    assert picture.faults == ()
    assert [(row.name, row.state, row.pid, row.bots) for row in picture.processes] == [
        ("worker-1", "ready", 11, 1),
        ("worker-2", "ready", 12, 1),
    ]
    assert [(bot.bot, bot.owner, bot.polled_ago_s, bot.pending) for bot in picture.bots] == [
        (1, "worker-1", 3.0, 0),
        (2, "worker-2", 3.0, 7),
    ]
    assert picture.duties == {"pool:adult": "worker-1", "duty:recorder": "worker-2"}
    assert picture.figures is not None
    assert picture.figures.relays == 10


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (
            {"kept": {"worker-1": replace(KEPT, state="FATAL", pid=0, rests_s=90)}, "pids": {}},
            "given up after it kept ending, tried again in 90 s",
        ),
        ({"kept": {"worker-1": replace(KEPT, state="BACKOFF", pid=0)}, "pids": {}}, "ended, starts again"),
        ({"kept": {"worker-1": replace(KEPT, state="STOPPED", pid=0)}, "pids": {}}, "stopped"),
        ({"statuses": {}}, "does not answer"),
        ({"statuses": {}, "readings": {11: replace(READING, age_s=5.0)}}, "does not answer"),
        ({"statuses": {}, "listening": frozenset()}, "does not answer"),
        ({"statuses": {}, "listening": frozenset(), "readings": {11: replace(READING, age_s=5.0)}}, "starting"),
        (
            {
                "kept": {"worker-1": KEPT},
                "pids": {"worker-1": 11},
                "statuses": {},
                "readings": {11: replace(READING, state="T")},
            },
            "paused by a signal",
        ),
        ({"unready": {"worker-1": "Redis is away"}}, "not ready: Redis is away"),
    ],
)
def test_each_fault_of_a_cluster_is_named(change: dict[str, Any], state: str) -> None:
    picture = seen(glance(**change))
    assert picture.processes[0].state == state
    assert f"worker-1: {state}" in picture.faults


def test_nothing_running_is_a_fault() -> None:
    picture = seen(Glance({}, {}, {}, {}, {}, frozenset()))
    assert (picture.processes, picture.faults) == ((), ("nothing runs here",))


def test_a_bot_without_an_owner_and_one_that_is_not_polled_are_faults() -> None:
    silent = figures(polled_at={1: NOW - SILENT_S - 1})
    alone = status("a", holders={"bot:1": "a"}, figures=silent)
    found = seen(glance(statuses={"worker-1": alone})).faults
    assert "bot 1: not polled for 76 s" in found
    assert "bot 2: nobody polls it" in found


def test_a_bot_that_its_process_never_polled_is_a_fault() -> None:
    long = status("a", since=NOW - SILENT_S - 5, holders={"bot:1": "a"}, figures=figures(polled_at={1: 0.0}))
    assert "bot 1: not polled for 100 s" in seen(glance(statuses={"worker-1": long})).faults


def test_a_fleet_that_has_just_begun_may_have_bots_without_an_owner() -> None:
    young = status("a", holders={}, since=NOW - TAKEOVER_S + 1)
    assert seen(glance(statuses={"worker-1": young, "worker-2": young})).faults == ()
    old = status("a", holders={}, since=NOW - TAKEOVER_S)
    found = seen(glance(statuses={"worker-1": old, "worker-2": young})).faults
    assert found == ("bot 1: nobody polls it", "bot 2: nobody polls it")


def test_bots_with_webhooks_need_no_polling() -> None:
    alone = status("a", holders={}, figures=figures(polled_at={}))
    assert seen(glance(statuses={"worker-1": alone, "worker-2": status("b", holders={})}), polls=False).faults == ()


def test_a_refused_token_is_reported_as_that_and_not_as_a_missing_owner() -> None:
    refused = status("a", holders={"bot:1": "a"}, idle_bots=(2,))
    found = seen(glance(statuses={"worker-1": refused, "worker-2": refused})).faults
    assert found == ("bot 2: Telegram refuses its token",)


def test_a_suspected_token_is_shown_as_suspected() -> None:
    doubting = status("a", holders={"bot:1": "a", "bot:2": "a"}, doubted_bots=(2,))
    picture = seen(glance(statuses={"worker-1": doubting, "worker-2": doubting}))
    assert picture.faults == ("bot 2: Telegram refuses its token; that is being confirmed",)
    assert [bot.bot for bot in picture.bots if bot.suspected] == [2]


def test_a_store_has_the_state_of_its_worst_report() -> None:
    away = status("b", stores={"live": "ok", "records": "away"})
    picture = seen(glance(statuses={"worker-1": status("a"), "worker-2": away}))
    assert picture.stores == {"live": "ok", "records": "away"}
    assert picture.faults == ("records store: away",)


def test_workers_on_other_machines_are_shown_as_they_reported_themselves() -> None:
    there = Report(name="worker-9", since=NOW - 60, figures=figures(relays=1, memory_bytes=7))
    members = {"workers": {"a": Report(name="worker-1"), "c": there}, "holders": {"bot:1": "a", "bot:2": "c"}}
    now = glance(
        kept={"worker-1": KEPT},
        pids={"worker-1": 11},
        readings={11: READING},
        statuses={"worker-1": status("a", **members)},
    )
    picture = seen(now)
    assert [(row.name, row.state, row.rss, row.bots) for row in picture.processes] == [
        ("worker-1", "ready", READING.rss, 1),
        ("worker-9 (elsewhere)", "ready", 7, 1),
    ]
    assert picture.bots[1].owner == "worker-9"


def test_a_worker_of_another_installation_is_shown_with_machine_and_directory() -> None:
    """Names do not matter, because workers on two machines may have the same name."""
    ours, theirs = Report(name="worker-1", home="box:/run/passerby"), Report(name="worker-1", home="den:/srv/run")
    members = {"workers": {"a": ours, "c": theirs}, "holders": {"bot:1": "a", "bot:2": "c"}}
    now = glance(
        kept={"worker-1": KEPT},
        pids={"worker-1": 11},
        readings={11: READING},
        statuses={"worker-1": status("a", **members)},
    )
    picture = seen(now)
    assert [row.name for row in picture.processes] == ["worker-1", "worker-1 (den:/srv/run)"]
    assert [bot.owner for bot in picture.bots] == ["worker-1", "worker-1 (den:/srv/run)"]


def test_a_missing_supervisor_and_another_installation_are_faults() -> None:
    assert seen(glance(supervisor="supervisor is gone")).faults == ("supervisor is gone",)
    picture = overview(None, glance(), at=NOW, bots=BOTS, pending={}, polls=True, beside="served elsewhere")
    assert picture.faults == ("served elsewhere",)


def test_the_share_of_a_core_is_measured_between_two_looks() -> None:
    later = replace(READING, cpu_s=10.5, age_s=101.0)
    now = glance(readings={11: later, 12: READING})
    assert seen(now, glance()).processes[0].cpu == pytest.approx(0.5)
    assert seen(now).processes[0].cpu is None
    assert cpu_share(READING, READING) is None


def test_a_process_without_a_supervisor_is_shown_too() -> None:
    now = Glance(
        {},
        {"passerby": 20},
        {20: READING},
        {"passerby": status("a", workers={}, holders={})},
        {},
        frozenset({"passerby"}),
    )
    assert [(row.name, row.state, row.restarts) for row in seen(now).processes] == [("passerby", "ready", None)]
