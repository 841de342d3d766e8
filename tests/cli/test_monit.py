"""The live view: rates from two looks, and keys at a real terminal."""

import os
import pty
import select
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from passerby.cli.monit import between, milliseconds, page
from passerby.cli.tables import age, size
from passerby.ops.cluster.overview import Bot, Overview, ProcessRow
from passerby.telemetry.figures import LATENCY_S, Snapshot
from tests.cli.command import PASSERBY, TOKEN, WAIT_S, environment

LATENCY = (10, *(0 for _ in LATENCY_S))


def figures(at: float, **given: int) -> Snapshot:
    return Snapshot(at=at, latency=LATENCY if given.get("relays") else (), **given)  # type: ignore[arg-type]


def printed(seen: Overview, earlier: dict[str, Snapshot]) -> str:
    with StringIO() as text:
        Console(width=110, file=text).print(page(seen, earlier))
        return text.getvalue()


def test_monit_shows_the_counts_between_two_looks() -> None:
    assert between(figures(12, relays=30), figures(10, relays=10)) is not None
    part, span_s = between(figures(12, relays=30), figures(10, relays=10)) or (figures(0), 0.0)
    assert (part.relays, span_s) == (20, 2)


@pytest.mark.parametrize(
    "earlier",
    [None, figures(12, updates=5), figures(10, updates=6)],
    ids=["first", "same", "another process"],
)
def test_there_is_no_rate_without_two_looks_at_the_same_run_of_a_process(earlier: Snapshot | None) -> None:
    assert between(figures(12, updates=5), earlier) is None


def test_the_monitor_shows_every_process_bot_and_fault() -> None:
    now = figures(12, updates=40, relays=30, chats=7, waiting=3)
    seen = Overview(
        at=12,
        processes=(
            ProcessRow(name="worker-1", state="ready", pid=11, figures=now),
            ProcessRow(name="worker-2", state="starting"),
        ),
        bots=(Bot(bot=1, owner="worker-1", polled_ago_s=0.5, pending=4),),
        duties={},
        stores={"live": "ok"},
        figures=now,
        faults=("worker-2: starting",),
    )
    shown = printed(seen, {"worker-1": figures(10, updates=20, relays=10)})
    for words in ("worker-1", "worker-2", "10.0", "0.5s ago", "live ok", "! worker-2: starting"):
        assert words in shown, shown


def test_numbers_are_short() -> None:
    assert [age(seconds) for seconds in (0.44, 59, 61, 3661, 90_061)] == ["0.4s", "59s", "1m 1s", "1h 1m", "1d 1h"]
    assert [size(mib * 1024**2) for mib in (7, 1536)] == ["7 MiB", "1.5 GiB"]
    assert [milliseconds(seconds) for seconds in (None, 0.0123, 12.0)] == ["–", "12 ms", "12 s"]


def test_q_quits(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        given = {"BOT_TOKENS": TOKEN, "BOT_API_URL": "http://127.0.0.1:1", "TERM": "xterm"}
        os.execvpe(PASSERBY[0], [*PASSERBY, "monit"], environment(**given))
    shown = b""
    while b"nothing runs here" not in shown:
        assert select.select([terminal], [], [], WAIT_S)[0], shown
        shown += os.read(terminal, 65536)
    os.write(terminal, b"xq")
    with suppress(OSError):  # the other end is closed
        while select.select([terminal], [], [], WAIT_S)[0] and os.read(terminal, 65536):
            pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
