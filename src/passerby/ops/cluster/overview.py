"""Collects the state of an installation, as far as this machine can see it.

There are three sources, and each may be missing: supervisor knows which processes it runs; each process reports its
status over its socket; and the list of members in the store shows the processes on other machines. If a process does
not answer, the kernel and the other processes still show something.

`faults` lists what needs a look.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from passerby.ops.cluster import processes, sockets
from passerby.ops.cluster.control import Cluster, Kept, NoCluster
from passerby.ops.cluster.operations import orphans
from passerby.runtime.membership.report import Report
from passerby.telemetry.figures import Snapshot, together

SILENT_S: Final = 75.0
"""If a bot was not polled for this long, it has no owner, or its owner is stuck. A poll waits up to 50 s."""

TAKEOVER_S: Final = 10.0
"""A worker takes each bot within this time. Until then, a fleet that has just started has bots without an owner."""

STARTING_S: Final = 60.0
"""A process that does not listen after this time does not count as starting any more."""

ELSEWHERE: Final = "elsewhere"


class WorkerStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process's own report at `/status`."""

    name: str = ""
    role: str = ""
    pid: int = 0
    version: str = ""
    worker: str = ""
    since: float = 0.0
    assured: bool = True
    figures: Snapshot | None = None
    idle_bots: tuple[int, ...] = ()
    doubted_bots: tuple[int, ...] = ()
    stores: dict[str, str] = {}
    """live, records -> "ok", or the fault."""
    workers: dict[str, Report] = {}
    holders: dict[str, str] = {}


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """`cpu` is in cores, between the two looks. `rss` is in bytes. `pid` 0: on another machine, or not running."""

    name: str
    state: str
    pid: int = 0
    up_s: float = 0.0
    restarts: int | None = None
    crashes: int | None = None
    cpu: float | None = None
    rss: int | None = None
    bots: int = 0
    figures: Snapshot | None = None


class Bot(msgspec.Struct, frozen=True, kw_only=True):
    """`owner`: the process that polls it. `pending`: updates that wait at Telegram. None if unknown."""

    bot: int
    owner: str | None
    polled_ago_s: float | None
    pending: int | None = None
    refused: bool = False
    suspected: bool = False
    """Its token has been refused, but the loss is not confirmed yet."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """`duties`: a duty that one process does for all -> that process. `stores`: live, records -> "ok", or the fault."""

    at: float
    processes: tuple[ProcessRow, ...]
    bots: tuple[Bot, ...]
    duties: dict[str, str]
    stores: dict[str, str]
    figures: Snapshot | None
    faults: tuple[str, ...]


class Glance(msgspec.Struct, frozen=True):
    """Everything that was read at one moment. An overview needs two, for the CPU shares."""

    kept: dict[str, Kept]
    pids: dict[str, int]
    readings: dict[int, processes.ProcessUse]
    statuses: dict[str, WorkerStatus]
    unready: dict[str, str]
    listening: frozenset[str]
    supervisor: str = ""
    """Return its problems, each with its remedy. Empty if all is well, or if no supervisor is needed."""


def glance(directory: Path) -> Glance:
    """Ask all processes here at the same time."""
    try:
        kept = {one.name: one for one in Cluster(directory).processes()}
    except NoCluster:
        kept = {}
    supervisor = "" if kept else _missed(directory)
    names = sorted({*kept, *sockets.names(directory)}, key=sockets.sort_key)
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
        told = dict(zip(names, pool.map(lambda name: _ask(directory, name), names), strict=True))
    pids = {name: pid for name in names if (pid := (kept[name].pid if name in kept else 0) or told[name].pid)}
    return Glance(
        kept=kept,
        pids=pids,
        readings={pid: reading for pid in pids.values() if (reading := processes.read(pid)) is not None},
        statuses={name: answer.status for name, answer in told.items() if answer.status is not None},
        unready={name: answer.unready for name, answer in told.items() if answer.unready is not None},
        listening=frozenset(name for name, answer in told.items() if answer.pid is not None),
        supervisor=supervisor,
    )


def _missed(directory: Path) -> str:
    if (pid := Cluster(directory).silent_pid()) is not None:
        return f"supervisor (process {pid}) does not answer: passerby stop ends it and what it keeps"
    if left := orphans(directory):
        names = ", ".join(left)
        return f"supervisor is gone, and nobody keeps {names}: passerby cluster restarts them, passerby stop ends them"
    return ""


def overview(
    before: Glance | None,
    now: Glance,
    *,
    at: float,
    bots: tuple[int, ...],
    pending: Mapping[int, int | None],
    polls: bool,
    beside: str = "",
) -> Overview:
    """`at` in Unix seconds. `bots` are those of the settings. `polls`: updates come by polling. `beside`: a sentence
    about other installations that serve the same bots on this machine."""
    members = max(
        now.statuses.values(), key=lambda status: (status.assured, len(status.workers)), default=WorkerStatus()
    )
    here = {status.worker: name for name, status in now.statuses.items() if status.worker}
    called = {worker: here.get(worker) or _far(member) or ELSEWHERE for worker, member in members.workers.items()}
    owners = {lease: called[worker] for lease, worker in members.holders.items() if worker in called}
    homes = {members.workers[worker].home for worker in here if worker in members.workers}
    holding = [owner for lease, owner in owners.items() if lease.startswith("bot:")]
    rows = [_process(name, before, now, holding.count(name)) for name in _names(now)]
    rows += [
        ProcessRow(
            name=f"{member.name or worker} ({member.home or ELSEWHERE})",
            state="leaving" if member.leaving else "ready",
            up_s=max(0.0, at - member.since) if member.since else 0.0,
            rss=member.figures.memory_bytes if member.figures else None,
            bots=sum(holder == worker for lease, holder in members.holders.items() if lease.startswith("bot:")),
            figures=member.figures,
        )
        for worker, member in members.workers.items()
        if worker not in here and not _is_shown(member, homes, {*now.kept, *now.pids})
    ]
    figures = [row.figures for row in rows if row.figures is not None]
    polled: dict[int, float] = {}
    for row in rows:
        for bot, when in row.figures.polled_at.items() if row.figures is not None else ():
            # 0: no poll was answered since the process is there.
            polled[bot] = max(when or at - (row.up_s or 0.0), polled.get(bot, 0.0))
    refused = {bot for member in members.workers.values() for bot in member.idle_bots}
    refused |= {bot for status in now.statuses.values() for bot in status.idle_bots}
    doubted = {bot for member in members.workers.values() for bot in member.doubted_bots}
    doubted |= {bot for status in now.statuses.values() for bot in status.doubted_bots}
    lines = tuple(
        Bot(
            bot=bot,
            owner=owners.get(f"bot:{bot}"),
            polled_ago_s=max(0.0, at - polled[bot]) if bot in polled else None,
            pending=pending.get(bot),
            refused=bot in refused,
            suspected=bot in doubted - refused,
        )
        for bot in bots
    )
    stores = _stores(now)
    return Overview(
        at=at,
        processes=tuple(rows),
        bots=lines,
        duties={lease: owner for lease, owner in sorted(owners.items()) if not lease.startswith("bot:")},
        stores=stores,
        figures=together(figures) if figures else None,
        faults=(
            *filter(None, (now.supervisor, beside)),
            *_faults(rows, lines, stores, now, at, polls=polls),
        ),
    )


def _is_shown(member: Report, homes: set[str], names: set[str]) -> bool:
    """Whether the table already has a row for it, because it is an earlier run of a process here."""
    return member.name in names and (not member.home or not homes or member.home in homes)


def _far(member: Report) -> str:
    return f"{member.name} ({member.home})" if member.name and member.home else member.name


def _names(now: Glance) -> list[str]:
    # A socket without a process, unknown to supervisor, was left by a dead process.
    return sorted({*now.kept, *now.pids}, key=sockets.sort_key)


def _process(name: str, before: Glance | None, now: Glance, bots: int) -> ProcessRow:
    kept, status, pid = now.kept.get(name), now.statuses.get(name), now.pids.get(name, 0)
    reading = now.readings.get(pid)
    earlier = before.readings.get(pid) if before is not None else None
    return ProcessRow(
        name=name,
        state=_state(kept, reading, status, now.unready.get(name), listens=name in now.listening),
        pid=pid,
        up_s=reading.age_s if reading is not None else 0.0,
        restarts=kept.restarts if kept is not None else None,
        crashes=kept.crashes if kept is not None else None,
        cpu=processes.cpu_share(earlier, reading),
        rss=reading.rss if reading is not None else None,
        bots=bots,
        figures=status.figures if status is not None else None,
    )


def _state(
    kept: Kept | None,
    reading: processes.ProcessUse | None,
    status: WorkerStatus | None,
    unready: str | None,
    *,
    listens: bool,
) -> str:
    """The state in words. "ready" is the good one."""
    if kept is not None:
        match kept.state:
            case "FATAL":
                return f"given up after it kept ending, tried again in {kept.rests_s} s"
            case "BACKOFF" | "EXITED":
                return "ended, starts again"
            case "STOPPED" | "STOPPING":
                return kept.state.lower()
    if reading is not None and reading.state in "Tt":
        return "paused by a signal"
    if unready is not None:
        return f"not ready: {unready}"
    if status is None:
        young = reading is not None and reading.age_s < STARTING_S
        return "starting" if young and not listens else "does not answer"
    return "ready"


def _stores(now: Glance) -> dict[str, str]:
    """The worst report about each store."""
    found: dict[str, str] = {}
    for status in now.statuses.values():
        for store, state in status.stores.items():
            if found.get(store, "ok") == "ok":
                found[store] = state
    return found


def _faults(
    rows: list[ProcessRow], bots: tuple[Bot, ...], stores: dict[str, str], now: Glance, at: float, *, polls: bool
) -> list[str]:
    found = [f"{row.name}: {row.state}" for row in rows if row.state not in ("ready", "leaving")]
    if not rows:
        return ["nothing runs here"]
    found += [f"{store} store: {state}" for store, state in stores.items() if state != "ok"]
    found += [f"bot {bot.bot}: Telegram refuses its token" for bot in bots if bot.refused]
    found += [f"bot {bot.bot}: Telegram refuses its token; that is being confirmed" for bot in bots if bot.suspected]
    if polls and now.statuses:
        served = [bot for bot in bots if not (bot.refused or bot.suspected)]
        if max(at - status.since for status in now.statuses.values()) >= TAKEOVER_S:
            found += [f"bot {bot.bot}: nobody polls it" for bot in served if bot.owner is None]
        found += [
            f"bot {bot.bot}: not polled for {bot.polled_ago_s:.0f} s"
            for bot in served
            if bot.owner is not None and bot.polled_ago_s is not None and bot.polled_ago_s > SILENT_S
        ]
    return found


class _Answer(NamedTuple):
    pid: int | None
    unready: str | None
    """Why it is not ready. None if it is ready, or does not say."""
    status: WorkerStatus | None


def _ask(directory: Path, name: str) -> _Answer:
    pid = sockets.pid_behind(sockets.path_of(directory, name))
    if pid is None:
        return _Answer(None, None, None)
    unready = None
    try:
        code, body = sockets.ask(directory, name, "/readyz")
        if code != HTTPStatus.OK:
            unready = ", ".join(body.decode("utf-8", "replace").splitlines()) or str(code)
        told: Any = sockets.status(directory, name)
    except sockets.Silent:
        return _Answer(pid, unready, None)
    try:
        # Figures have bots as keys, and in JSON keys are strings.
        return _Answer(pid, unready, msgspec.convert(told, WorkerStatus, strict=False))
    except msgspec.ValidationError:
        return _Answer(pid, unready or "it is of another release", None)
