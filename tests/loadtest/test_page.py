"""The report: its exit code, its page and its charts."""

import re
from itertools import pairwise

import msgspec
import pytest

from passerby.loadtest.charts import Flag, Series, draw, ticks
from passerby.loadtest.page import render
from passerby.loadtest.report import (
    LatencySpread,
    LoadReport,
    Mark,
    Point,
    Promises,
    SlowCommand,
    StatementCost,
    Stores,
    Usage,
    curve,
    promises,
)
from passerby.loadtest.terminal import page, span, verdict
from simulated_people.verdict import Verdict


def a_point(at: float, gap: bool = False) -> Point:
    latency = None if gap else 0.02
    return Point(
        at=at, sent=9.0, delivered=8.0, p50=latency, p99=latency, wait_p50=1.0, wait_p99=2.0, searching=3, chatting=40,
        in_hand=5, cpu={"passerby": 0.4}, rss={"passerby": 120 << 20},
        gauges={"to deliver": 1.0, "connections to the database": 20.0, "idle of these": 18.0},
    )  # fmt: skip


def a_report(kept: Promises | None = None, *, cut_short: bool = False) -> LoadReport:
    seconds = [0.01, 0.02, 0.4]
    return LoadReport(
        command="passerby loadtest --users 40 <b>", version="0", machine="a machine", seed=1, people=40, bots=2,
        seconds=30.0, joining_s=2.0, quiet_s=1.0, cut_short=cut_short, arithmetic=("So many people.",),
        promises=kept or promises(Verdict(sent=3, delivered=3), 0, 0),
        latency=LatencySpread.of(seconds), within=LatencySpread.of(seconds), waits=LatencySpread.of([]),
        latency_curve=curve(seconds), within_curve=curve(seconds), gave_up=0, found=20, relays_per_s=8.0,
        relays_most_per_s=9.0, counts={"sent": 3}, product={"429s heeded": 1.5},
        usage=(Usage("passerby", 0.4, 0.9, 120 << 20),),
        points=tuple(a_point(float(at), gap=at in (4, 6)) for at in range(1, 9)), kills=(Mark("passerby", 4.2),),
        stores=Stores(
            (StatementCost("SELECT <1>", 5, 10.0, 2.0, 4.0),), "", (SlowCommand("EVALSHA x", 12.0),), "s", {"R": "1"}
        ),
        notes=("A <note>.",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "kept", "code"),
    [
        (Verdict(sent=1, delivered=1), True, 0),
        (Verdict(duplicated=1, most_duplicates=1), True, 0),
        (Verdict(lost=["a"]), False, 1),
        (Verdict(misrouted=["a"]), False, 1),
        (Verdict(reordered=["a"]), False, 1),
        (Verdict(unprovoked=["a"]), False, 1),
        (Verdict(most_duplicates=2), False, 1),
        (Verdict(unresolved=["a"]), None, 1),
        (Verdict(unresolved=["a"], lost=["b"]), False, 1),
    ],
)
def test_the_exit_code_says_whether_all_promises_were_kept(found: Verdict, kept: bool | None, code: int) -> None:
    report = a_report(promises(found, 0, 0))
    assert (report.promises.kept, report.exit_code) == (kept, code)
    assert ("All promises were kept" in verdict(report.promises).plain) is (kept is True)


def test_a_run_cut_short_may_be_undecided_but_not_broken() -> None:
    assert a_report(promises(Verdict(unresolved=["a"]), 0, 0), cut_short=True).exit_code == 0
    assert a_report(promises(Verdict(lost=["a"]), 0, 0), cut_short=True).exit_code == 1


@pytest.mark.parametrize(("dropped", "missed"), [(1, 0), (0, 1)])
def test_promises_are_not_called_kept_without_the_whole_journal(dropped: int, missed: int) -> None:
    assert promises(Verdict(sent=1, delivered=1), dropped, missed).kept is None


def test_the_report_page_needs_no_other_file_and_escapes_everything() -> None:
    html = render(a_report())
    # Namespaces are only names; nothing is fetched from them.
    assert re.findall(r"""(?:src|href|url\()\s*=?\s*["']?[^\s"')]+""", html) == []
    assert "<script" not in html
    assert "<b>" not in html.partition("</code>")[0].partition("<code>")[2]
    for words in (
        "&lt;note&gt;",
        "SELECT &lt;1&gt;",
        "EVALSHA x",
        "So many people.",
        "passerby killed",
        "All promises",
    ):
        assert words in html
    assert html.count("<svg") == 9


def test_broken_promises_are_named_on_the_page_and_on_the_terminal() -> None:
    from rich.console import Console

    report = a_report(promises(Verdict(sent=2, delivered=1, lost=["1.1 of 5"], misrouted=["2.1: to 7"]), 0, 0))
    console = Console(width=120, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    with console.file:
        console.print(page(report))
        plain = console.export_text()
    for text in (render(report), plain):
        assert "1 lost, 1 misrouted" in text
        assert "1.1 of 5" in text
        assert "2.1: to 7" in text


def test_a_report_survives_json() -> None:
    report = a_report()
    assert msgspec.json.decode(msgspec.json.encode(report), type=LoadReport) == report


@pytest.mark.parametrize("most", [0.0, 0.0007, 0.9, 1.0, 7.0, 99.0, 100.0, 123456.0])
def test_ticks_are_round_even_and_reach_the_top(most: float) -> None:
    found = ticks(most)
    assert found[0] == 0
    assert found[-1] >= most
    assert 2 <= len(found) <= 8
    steps = [after - before for before, after in pairwise(found)]
    assert max(steps) == pytest.approx(min(steps))


def test_a_gap_splits_a_line_and_a_single_point_is_a_dot() -> None:
    chart = draw("T", [1.0, 2.0, 3.0, 4.0, 5.0], [Series("a", [1.0, 2.0, None, 3.0, None])], str)
    (path,) = re.findall(r'class="line c0" d="([^"]+)"', chart.svg)
    assert path.count("M") == 2
    assert path.endswith("h0.1")


def test_a_flag_is_shown_at_its_moment_and_names_are_escaped() -> None:
    chart = draw("A & B", [1.0, 2.0], [Series("<x>", [1.0, 2.0])], str, flags=[Flag(1.5, "it <died>")])
    assert 'aria-label="A &amp; B"' in chart.svg
    titles = re.findall(r"<title>([^<]*)</title>", chart.svg)
    assert ["it &lt;died&gt;" in title for title in titles] == [False, True]


def test_an_empty_chart_is_a_frame() -> None:
    assert 'class="line' not in draw("T", [], [Series("a", [])], str).svg


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "–"), (0.00085, "850 µs"), (0.0123, "12 ms"), (1.25, "1.2 s"), (600.0, "10.0 min")]
)
def test_times_are_shown_in_readable_units(seconds: float | None, shown: str) -> None:
    assert span(seconds) == shown
