"""Restores a backup over the records, while nothing runs, and empties the live store.

An older backup does not fit a newer live store: people would be in chats that the records do not know. The live store
is emptied first. If the records cannot be replaced, for example because the disk is full, the live store is put back as
it was. A note says how far the restore is (`restore_note`): after a kill, nothing starts until a restore has ended.

An older backup does not fit what people see either: since then, they have met others. A message meant for somebody else
must not reach the partner of that time. So every chat and search ends, and their people get one notice (`ended_chats`).
The notices wait in the new live store. Nobody searches or chats in it. So even if the restore is killed, no chat of
the backup goes on.

The backup does not know which copies of a broadcast were sent after it was made. So every copy that is not sent in it
becomes unknown, and is never sent.

It does not know either who had their data erased after it was made. These people are erased once more (`erasures`).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, init_schema, release
from passerby.adapters.sql.checksums import Contents
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import DAMAGED, losses
from passerby.adapters.sql.tables import broadcast_targets, chats, star_sweeps, users
from passerby.adapters.sql.tombstones import keyed
from passerby.domain.reconcile import REASON
from passerby.kernel.broadcast import TargetState
from passerby.ops.backup import ended_chats, erasures
from passerby.ops.backup.databases import Database
from passerby.ops.backup.failure import BackupFailed, PeopleThere, WrongBackup
from passerby.ops.backup.manifest import Manifest
from passerby.ops.backup.places import database_of, directory_of
from passerby.ops.backup.sealed import BackupOpener, NotABackup
from passerby.ops.backup.soundness import key_of, manifest_in, newest_sound
from passerby.ops.backup.verifying import checked, fits
from passerby.ops.counting import counted
from passerby.ops.restore_note import PROBLEM, Step
from passerby.ops.standstill import standstill
from passerby.ops.stores import database as records_of
from passerby.ops.stores import must_not_be_foreign
from passerby.ports.clock import Clock
from passerby.ports.records import RecordsLost
from passerby.settings import Settings, WrongSetting, former_keys, open_backup_key, open_key

_PATIENT: Final = ConnectionPool(timeout_s=600.0)
_OF_NOBODY: Final = frozenset(
    {"journal_positions", "star_sweeps", "faults", "daily_figures", "funnel", "panel_figures", "panel_limits"}
)
"""Tables that are not empty even if nobody was ever served."""


class Restored(NamedTuple):
    """`before`: what the database held. `live_entries`: how many keys or files the live store had. `ended`: how many
    chats and how many people's searches of the backup ended. `told`: how many people get a notice of it. `waiting`: how
    many of people's messages, and how many of our notices, waited in the live store to be delivered. `aside`: where the
    old database file is, if it was damaged. `was_unfinished`: an earlier restore was ended before it was done.
    `erased`: how many people of the backup had their data erased after it was made."""

    path: Path
    manifest: Manifest
    before: Contents
    live_entries: int
    ended: tuple[int, int]
    told: int
    waiting: tuple[int, int]
    aside: Path | None
    was_unfinished: bool
    erased: int

    @property
    def lost(self) -> dict[str, int]:
        """Rows that the database had and the backup has not, by table."""
        tables = self.manifest.contents.tables
        fewer = {name: sums.rows - tables[name].rows for name, sums in self.before.tables.items() if name in tables}
        return {name: count for name, count in fewer.items() if count > 0}


async def restore(
    settings: Settings,
    name: str | None,
    clock: Clock,
    *,
    replace: bool,
    reached: Callable[[str], None] = lambda _: None,
) -> Restored:
    """`replace`: the database may have people in it. `reached` hears the name of each step before it begins.

    Raises: BackupFailed, FleetRuns, WrongSetting, OSError.
    """
    database = database_of(settings)
    directory = directory_of(settings)
    is_damaged = await database.is_damaged()
    if not is_damaged:
        await must_not_be_foreign(settings)
    elif not replace:
        raise WrongSetting(
            "SQLITE_DB_PATH", DAMAGED.partition("; ")[0], "add --replace, and it is kept beside the new one"
        )
    path = directory.find(name, clock.now())
    with path.open("rb") as file:
        try:
            sealed = BackupOpener(file, open_backup_key(settings, make=False))
            manifest = manifest_in(sealed)
            fits(manifest, database.kind)
            for _ in sealed.dump():  # damage must show before anything is deleted
                pass
            async with standstill(settings, clock, restores=True) as still:
                _check_release(manifest)
                is_unfinished = await still.unfinished()
                before = await database.contents() if not is_damaged else Contents(None, {}, {})
                if is_unfinished and not replace:
                    raise PeopleThere(f"{PROBLEM}: add --replace, and it is done again")
                if _is_used(before) and not replace:
                    people = before.tables["users"].rows if "users" in before.tables else 0
                    raise PeopleThere(
                        f"the database holds {counted(people, 'person', 'people')}: add --replace to replace them"
                    )
                await database.must_have_room(manifest.size, is_damaged=is_damaged)
                found = await still.contents()
                busy = found.busy or {}
                if found.busy is None and not is_damaged:
                    busy = await ended_chats.in_records(records_of(settings))
                old_notes = {} if is_damaged else await erasures.in_records(records_of(settings))
                notes = erasures.keep(directory, old_notes, clock.now())
                reached("live store")
                live_entries = await still.empty_live_store()
                try:
                    reached("begin")
                    await still.begin_live_store(busy)
                    await still.note(Step.REPLACING)
                    reached("records")
                    stream = checked(sealed, manifest)
                    aside = await database.replace(stream, manifest.contents, is_damaged=is_damaged)
                except (Exception, asyncio.CancelledError):  # the latter: Ctrl-C
                    # If an earlier restore was not finished, nobody knows which live store fits.
                    if not is_unfinished and await _is_as_before(database, before, is_damaged=is_damaged):
                        await still.put_live_store_back()
                    raise
                reached("schema")
                await init_schema(records_of(settings))
                reached("chats")
                if found.busy is None and not busy:
                    busy = await ended_chats.in_records(records_of(settings))
                    await still.begin_live_store(busy)
                with losses():
                    ended = await _end_chats(records_of(settings), clock.now())
                    await _end_broadcasts(records_of(settings))
                    reached("erasures")
                    erased = 0
                    if notes:
                        pseudonyms = keyed(open_key(settings), *former_keys(settings))
                        made_at = manifest.made_at
                        erased = await erasures.erase_after_restore(records_of(settings), notes, made_at, pseudonyms)
                reached("forget")
                await still.forget_live_store()
        except NotABackup as error:
            sound = newest_sound(directory, key_of(settings), clock.now()).newest if name is None else None
            remedy = "" if sound is None else f"; to restore the newest sound one, name it: {sound.stem}"
            raise WrongBackup(f"{path.name}: {error}{remedy}") from None
        except (DatabaseUnusable, RecordsLost) as error:
            raise BackupFailed(str(error)) from None
    waiting = found.messages, found.notices
    return Restored(path, manifest, before, live_entries, ended, len(busy), waiting, aside, is_unfinished, erased)


async def _is_as_before(database: Database, before: Contents, *, is_damaged: bool) -> bool:
    """Whether the records are surely the old ones. Otherwise, the old live store does not fit them."""
    try:
        if is_damaged:
            return await database.is_damaged()
        return (await database.contents()).tables == before.tables
    except (BackupFailed, DatabaseUnusable, RecordsLost):
        return False


def _is_used(contents: Contents) -> bool:
    return any(sums.rows for name, sums in contents.tables.items() if name not in _OF_NOBODY)


async def _end_chats(database: str | Path, now: float) -> tuple[int, int]:
    """End every chat and search. Returns how many chats ended, and how many people's searches."""
    engine = connect(database_url(database), _PATIENT, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                closing = sa.update(chats).where(chats.c.active)
                closed = await connection.execute(closing.values(active=sa.false(), closed_at=now, reason=REASON))
                searching = sa.select(sa.func.count()).where(users.c.state == "searching")
                searches = await connection.scalar(searching)
                idle = dict.fromkeys(("pool", "searching_since", "ticket", "chat", "partner", "chatting_since"))
                busy = sa.update(users).where(users.c.state != sa.literal_column("'idle'"))
                await connection.execute(busy.values(state="idle", **idle))
                # Payments and refunds since the backup are only in Telegram's transactions. So all are read again.
                await connection.execute(sa.delete(star_sweeps))
                return closed.rowcount, int(searches or 0)
    finally:
        await engine.dispose()


async def _end_broadcasts(database: str | Path) -> None:
    engine = connect(database_url(database), _PATIENT, poolclass=NullPool)
    state = broadcast_targets.c.state
    unsent = state.in_([TargetState.WAITING.value, TargetState.SENDING.value])
    try:
        async with engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                await connection.execute(
                    sa.update(broadcast_targets).where(unsent).values(state=TargetState.UNKNOWN.value)
                )
    finally:
        await engine.dispose()


def _check_release(manifest: Manifest) -> None:
    if int(manifest.contents.revision or "0") > release():
        raise BackupFailed(f"this backup is of a newer release ({manifest.contents.revision}): install that one")
