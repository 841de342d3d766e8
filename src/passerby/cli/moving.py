"""`passerby move`: what it prints."""

import asyncio
from pathlib import Path

import typer

from passerby.cli.telling import tell
from passerby.ops.counting import counted
from passerby.settings import Settings
from passerby.settings.forms import expanded


def run_move(settings: Settings, to: str) -> int:
    """Returns the exit code."""
    from passerby.bootstrap.clock import SystemClock
    from passerby.ops.move.moving import MoveFailed, WrongDatabase, move
    from passerby.ops.standstill import FleetRuns

    def copied(table: str, rows: int) -> None:
        typer.echo(f"{table}: {counted(rows, 'row')}")

    try:
        moved = asyncio.run(move(settings, to, SystemClock(), copied))
    except (MoveFailed, FleetRuns) as failed:
        tell(failed)
        return 2 if isinstance(failed, WrongDatabase) else 1
    busy = moved.left.chats, moved.left.waiting
    if moved.was_done:
        typer.echo("everything was there already")
    typer.echo(
        f"both databases hold the same {counted(moved.contents.rows, 'row')}; {counted(busy[0], 'chat')} and "
        f"{counted(busy[1], 'search', 'searches')} go along"
    )
    if moved.left.outbox:
        waited = counted(moved.left.outbox, "message or notice was", "messages and notices were")
        typer.echo(
            f"{waited} on the way: a new live store does not know them. To lose none, empty the new database, start "
            "again with the old settings, stop when `passerby status` shows 0 in the outbox, and move again"
        )
    typer.echo(_next_step(settings, to))
    return 0


def _next_step(settings: Settings, to: str) -> str:
    is_file = "://" not in to
    if is_file:
        path = expanded(Path(to)).absolute()
        told = f"now write SQLITE_DB_PATH={path} in .env, remove POSTGRES_URI and REDIS_URL, and start"
    else:
        told = "now write POSTGRES_URI in .env, remove SQLITE_DB_PATH, and start"
    path = expanded(Path(to)) if is_file else Settings.model_fields["sqlite_db_path"].default
    new = settings.model_copy(update={"sqlite_db_path": path})
    for name, key, before, after in (
        ("SECRET_KEY", settings.secret_key, settings.key_path, new.key_path),
        ("BACKUP_KEY", settings.backup_key, settings.backup_key_path, new.backup_key_path),
    ):
        if key is None and before.exists() and before.absolute() != after.absolute():
            told += f". Set {name} to the content of {before.name}, which would not be found any more"
    return told
