"""`passerby drill failover`: what it prints."""

import os
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Annotated

import msgspec
import typer

from passerby.ops.counting import counted

drill = typer.Typer(help="Try faults on a running fleet, on purpose.", no_args_is_help=True)


@drill.callback()
def drills() -> None:
    """Each drill refuses if the fleet is not healthy."""


@drill.command()
def failover(json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> None:
    """Kill one worker of the cluster here. Prints how long the others took to take over its bots and duties.

    If BOT_API_URL is a sandbox, two people chat there meanwhile, and their messages are counted: sent, lost, doubled.
    The worker is started again. Exit code 1: the fleet is not healthy, or did not recover within two minutes.
    """
    from passerby import settings
    from passerby.bootstrap.clock import SystemClock
    from passerby.loadtest.probe import NoProbe, ProbeChat
    from passerby.ops.cluster.drill import CannotDrill, LastDrill, note_drill, only_drill
    from passerby.ops.cluster.drill import failover as fail_over
    from passerby.ops.cluster.overview import Overview, glance, overview

    settled = settings.read()
    clock = SystemClock()

    def look() -> Overview:
        return overview(
            None,
            glance(settled.run_path),
            at=clock.now(),
            bots=tuple(settled.tokens),
            pending={},
            polls=settled.update_mode == "polling",
        )

    probe = ProbeChat(settled.bot_api_url, clock.monotonic, time.sleep)
    without = ""

    def begin(bots: Sequence[int]) -> None:
        nonlocal without
        try:
            probe.begin(bots)
        except NoProbe as error:
            without = str(error)

    try:
        try:
            directory = settled.run_path
            with only_drill(directory) if directory.is_dir() else nullcontext():
                done = fail_over(look, os.kill, clock.monotonic, time.sleep, begin)
        finally:
            probed = probe.end() if not without else None
    except (CannotDrill, NoProbe) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    with suppress(OSError):  # the doctor will ask for another one
        note_drill(settled.run_path, LastDrill(clock.now(), done))
    if json:
        typer.echo(msgspec.json.encode(msgspec.to_builtins(done) | {"probe": probed}))
    else:
        typer.echo(f"killed {done.killed}, which polled {counted(done.bots, 'bot')}")
        typer.echo(f"the others had its bots and duties after {done.taken_over_s} s")
        typer.echo(f"it was ready again, and all was well, after {done.whole_s} s")
        if probed is not None:
            typer.echo(
                f"a chat meanwhile: {counted(probed.sent, 'message')} sent, {probed.lost} lost, "
                f"{probed.doubled} doubled, the slowest took {probed.slowest_s} s"
            )
        else:
            typer.echo(f"no chat was counted meanwhile: {without}")
