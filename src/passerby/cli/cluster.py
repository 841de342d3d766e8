"""The commands that start, replace and end a cluster: what they refuse, and what they print."""

import os
import signal
import subprocess
import sys
from typing import Final, NoReturn

import typer

from passerby.cli.elsewhere import api_of, where_else
from passerby.cli.logfiles import show
from passerby.ops.cluster import operations, sockets
from passerby.ops.cluster.configuration import LOGS, OWN_LOG, Program, programs
from passerby.ops.cluster.control import Cluster, ClusterFault, NoCluster
from passerby.settings import Settings, WrongSetting

WORKERS_BESIDE_WEBHOOKS: Final = 2
"""With webhooks, workers only match, record and clean up. One is enough; the second takes over if it ends."""


def plan(settings: Settings, workers: int | None, cores: int) -> tuple[Program, ...]:
    """The processes of a cluster. `workers` None: one for each bot, but not more than cores.

    With webhooks, that many processes receive them, and WORKERS_BESIDE_WEBHOOKS workers do the rest. Without Redis
    there is only one process: `passerby run`. Raises: WrongSetting.
    """
    if not settings.is_shared:
        if workers is not None and workers > 1:
            raise WrongSetting(
                "REDIS_URL",
                f"{workers} workers cannot share what is in one process's memory",
                "set REDIS_URL and POSTGRES_URI, or start one worker",
            )
        return (Program("passerby", "run"),)
    count = workers or max(1, min(len(settings.tokens), cores))
    if settings.update_mode == "webhook":
        return programs(min(count, WORKERS_BESIDE_WEBHOOKS), count)
    # The panel needs a process that answers browsers.
    return programs(count, 1 if settings.panel_url is not None else 0)


def start(settings: Settings, workers: int | None, *, foreground: bool) -> None:
    """Start, and wait until every process is ready. In the foreground: wait until the cluster ends, and exit with its
    code."""
    directory = settings.run_path
    names = plan(settings, workers, cores())
    try:
        # Checked before a directory is made, and again after the lock is taken.
        operations.refuse_second(directory, frozenset(settings.tokens), api_of(settings))
        if not settings.is_shared:
            typer.echo("REDIS_URL is not set, so one process does everything. It is kept running; nothing is shared.")
        with operations.alone(directory):
            operations.refuse_second(directory, frozenset(settings.tokens), api_of(settings))
            operations.clear_orphans(directory, settings.shutdown_timeout_s, typer.echo)
            child = operations.launch(
                directory, names, settings.shutdown_timeout_s, foreground=foreground, style=settings.log_format
            )
        if foreground:
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda *_: child.terminate())
        cluster = Cluster(directory)
        try:
            operations.await_ready(cluster, [one.name for one in names], typer.echo)
        except NoCluster:
            # Somebody ran `passerby stop` at the same time.
            typer.echo("The cluster was ended while it started.", err=True)
            if not foreground:
                raise typer.Exit(1) from None
        except ClusterFault as fault:
            typer.echo(f"{fault}. It is tried again; `passerby status` shows how it goes.", err=True)
            if not foreground:
                raise typer.Exit(1) from None
        else:
            typer.echo(
                f"The cluster runs: {len(names)} {'process' if len(names) == 1 else 'processes'}. "
                f"Look at it with `passerby status`, `passerby monit` and "
                f"`passerby logs -f`; its files are in {directory}."
            )
        if foreground:
            raise typer.Exit(_wait(child))
    except ClusterFault as fault:
        _give_up(fault)


def reload(settings: Settings) -> None:
    cluster = Cluster(settings.run_path)
    try:
        operations.reload(cluster, typer.echo)
    except NoCluster:
        _none(settings)
    except ClusterFault as fault:
        _give_up(fault, "The rest go on as they were.")
    typer.echo("Every process is a new one.")


def stop(settings: Settings) -> None:
    cluster = Cluster(settings.run_path)
    try:
        operations.end(cluster, settings.shutdown_timeout_s, typer.echo)
    except NoCluster:
        _none(settings)
    except ClusterFault as fault:
        _give_up(fault)
    typer.echo("Stopped.")


def logs(settings: Settings, name: str | None, lines: int, *, follow: bool) -> None:
    """Print the log of one process, or of all of them."""
    directory = settings.run_path / LOGS
    found = sorted((path.stem for path in directory.glob("*.log")), key=sockets.sort_key)
    chosen = [name] if name else [one for one in found if one not in (OWN_LOG, "start")]
    if not found:
        _none(settings)
    if name and name not in found:
        raise WrongSetting("NAME", f"there is no log of {name!r}", f"write one of {', '.join(found)}")
    show({one: directory / f"{one}.log" for one in chosen}, lines, follow=follow, say=typer.echo)


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _wait(child: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return abs(child.wait())
        except KeyboardInterrupt:
            # Ctrl-C has reached supervisor too, which ends cleanly.
            typer.echo("Stopping.", file=sys.stderr)


def _give_up(fault: ClusterFault, more: str = "") -> NoReturn:
    typer.echo(f"{fault}. {more}".strip(), err=True)
    raise typer.Exit(1) from None


def _none(settings: Settings) -> NoReturn:
    directory = settings.run_path
    if alive := operations.living(directory):
        told = ", ".join(f"{name} (process {pid})" for name, pid in alive.items())
        how = "press Ctrl-C where it was started, or run `systemctl stop` for its service, or `kill {}`"
        more = (
            f"{told} runs there, and no cluster keeps it. To stop it, {how.format(' '.join(map(str, alive.values())))}."
        )
    elif beside := where_else(settings):
        more = f"{beside[0].upper()}{beside[1:]}."
    else:
        more = "`passerby cluster` starts one."
    typer.echo(f"No cluster runs in {directory.absolute()}. {more}", err=True)
    raise typer.Exit(2)
