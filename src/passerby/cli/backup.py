"""`passerby backup run|list|verify|restore`: what they print."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from passerby.cli.telling import tell
from passerby.ops.counting import counted

app = typer.Typer(
    help="Run, list, verify and restore backups of the records. They are encrypted, in BACKUP_DIR.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Backup = Annotated[str | None, typer.Argument(help="Its name in `passerby backup list`, or its path.")]


@app.command()
def run(json: Json = False) -> None:
    """Make a backup now. The fleet may run. Then delete old backups, and start BACKUP_UPLOAD_COMMAND."""
    from passerby import settings
    from passerby.bootstrap.clock import SystemClock
    from passerby.ops.backup.failure import BackupFailed
    from passerby.ops.backup.taking import take

    settled = settings.read()
    is_new_key = settled.backup_key is None and not settled.backup_key_path.exists()
    try:
        taken = asyncio.run(take(settled, SystemClock().now))
    except BackupFailed as failed:
        _fail(failed)
    manifest = taken.manifest
    if json:
        _print({"file": taken.path.name, "not_uploaded": taken.not_uploaded} | msgspec.to_builtins(manifest))
    else:
        size = _size(taken.path.stat().st_size)
        typer.echo(f"{taken.path.name}: {size}, {counted(manifest.contents.rows, 'row')}, {manifest.version}")
        for retired in taken.retired:
            typer.echo(f"deleted {retired.name}, which is not kept any more")
    if is_new_key:
        path = settled.backup_key_path
        typer.echo(f"{path.name} is new. Keep a copy elsewhere: without it, no backup can be opened.", err=True)
    if taken.not_uploaded:
        typer.echo(f"not copied elsewhere: {taken.not_uploaded}", err=True)
        raise typer.Exit(1)


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List the backups, the oldest first, and the last restore test. Exit code 1: one of them is damaged."""
    from passerby import settings
    from passerby.bootstrap.clock import SystemClock
    from passerby.ops.backup.places import directory_of
    from passerby.ops.backup.verifying import listed

    settled = settings.read()
    now = SystemClock().now()
    found, state = listed(settled, now), directory_of(settled).state(now)
    if json:
        rows = [each._asdict() | {"path": str(each.path)} for each in found]
        _print({"backups": rows, "state": state})
    else:
        for path, size, manifest, problem in found:
            if problem or manifest is None:
                told = problem
            else:
                told = f"{counted(manifest.contents.rows, 'row')}, {manifest.version}"
            copied = ", copied elsewhere" if path.name in state.uploaded else ""
            typer.echo(f"{path.stem}  {_size(size)}  {told}{copied}")
        if not found:
            typer.echo("there are no backups")
        if state.verified is not None:
            result = "; ".join(state.verified.problems) or "all well"
            typer.echo(f"last restore test: {state.verified.name}, {_when(state.verified.at)}: {result}")
    raise typer.Exit(1 if any(each.problem for each in found) else 0)


@app.command()
def verify(backup: Backup = None, json: Json = False) -> None:
    """Verify a backup, the newest one by default. It is restored into a database of its own, compared, and dropped.

    The fleet may run. Compared are the rows of each table, sums over each column, and references between tables. Exit
    code 1: something differs.
    """
    from passerby import settings
    from passerby.bootstrap.clock import SystemClock
    from passerby.ops.backup.failure import BackupFailed
    from passerby.ops.backup.verifying import verify

    try:
        verified = asyncio.run(verify(settings.read(), backup, SystemClock().now))
    except BackupFailed as failed:
        _fail(failed)
    if json:
        _print(verified)
    elif verified.problems:
        for problem in verified.problems:
            typer.echo(f"{verified.name}: {problem}")
    else:
        typer.echo(f"{verified.name}: restored, and everything is there")
    raise typer.Exit(1 if verified.problems else 0)


@app.command()
def restore(
    backup: Backup = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the people that the database holds now.")] = False,
) -> None:
    """Restore a backup, the newest one by default, while nothing runs. Also empties the live store.

    Then makes the checks of `passerby doctor`. Exit code 1: one of them fails.
    """
    from passerby import settings
    from passerby.bootstrap.clock import SystemClock
    from passerby.cli.doctor import examine
    from passerby.ops.backup.failure import BackupFailed
    from passerby.ops.backup.restoring import restore
    from passerby.ops.standstill import FleetRuns

    settled = settings.read()
    try:
        restored = asyncio.run(restore(settled, backup, SystemClock(), replace=replace))
    except (BackupFailed, FleetRuns) as failed:
        _fail(failed)
    manifest = restored.manifest
    typer.echo(
        f"restored {restored.path.name}: {counted(manifest.contents.rows, 'row')}, as of {_when(manifest.made_at)}"
    )
    if restored.was_unfinished:
        typer.echo("an earlier restore was ended before it was done; this one is whole, and everything can start again")
    if restored.aside is not None:
        typer.echo(f"kept: the damaged database is {restored.aside.name} now; nobody can count what is lost of it")
    if restored.erased:
        whose = counted(restored.erased, "person of the backup", "people of the backup")
        typer.echo(f"erased: {whose}, who had their data erased after it was made; the rest goes at the next start")
    for table, count in restored.lost.items():
        typer.echo(f"lost: {counted(count, 'row')} of {table} that the database had and the backup has not")
    for count, one, whose in zip(restored.waiting, ("message", "notice"), ("people", "ours"), strict=True):
        if count:
            typer.echo(f"lost: {counted(count, one)} of {whose} that waited in the live store to be delivered")
    typer.echo(
        f"ended: {counted(restored.ended[0], 'chat')} and {counted(restored.ended[1], 'search', 'searches')} of the "
        "backup, because people have met others since then"
    )
    typer.echo(
        f"told: {counted(restored.told, 'person gets', 'people get')} a notice that the connection was lost, when the "
        "fleet starts"
    )
    code = examine(settled, None, json=False)
    typer.echo(
        "the restore is done: Passerby can start"
        if code == 0
        else "the restore is done; the exit code is 1 because a check above fails: look at it before you start Passerby"
    )
    raise typer.Exit(code)


def _fail(failed: Exception) -> NoReturn:
    from passerby.ops.backup.failure import DatabaseDamaged, NoRoom, NoSuchBackup, PeopleThere, WrongBackup

    tell(failed)
    wrong_use = NoSuchBackup | WrongBackup | PeopleThere | DatabaseDamaged | NoRoom
    raise typer.Exit(2 if isinstance(failed, wrong_use) else 1)


def _print(value: Any) -> None:
    typer.echo(msgspec.json.encode(value))


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
