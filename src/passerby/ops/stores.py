"""The database that the settings name: its tables, and its faults as sentences for the operator."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from passerby.adapters.sql import DatabaseUnusable, SchemaState
from passerby.adapters.sql import init_schema as sql_init_schema
from passerby.adapters.sql import schema_state as sql_schema_state
from passerby.adapters.sql.failures import DAMAGED, NEWER, UnknownRevision, losses
from passerby.adapters.sql.schema import check_tables, is_damaged, must_be_ours
from passerby.ports.records import RecordsDamaged, RecordsLost
from passerby.settings import Settings, WrongSetting


def database(settings: Settings) -> str | Path:
    """The address of the PostgreSQL database, or the path of the file."""
    return settings.postgres_uri.get_secret_value() if settings.postgres_uri else settings.sqlite_db_path


@contextmanager
def sentences(settings: Settings, setting: str = "") -> Iterator[None]:
    """For work with the database: each of its faults becomes a sentence, which names the setting that is wrong.

    `setting`: what names the database, if it is not POSTGRES_URI or SQLITE_DB_PATH. Raises: WrongSetting.
    """
    try:
        with losses():
            yield
    except DatabaseUnusable as error:
        wrong = unusable(settings, error)
    except RecordsDamaged as error:
        wrong = unusable(settings, DatabaseUnusable(str(error)))
    except RecordsLost as error:
        wrong = away(settings, error)
    else:
        return
    raise WrongSetting(setting, wrong.problem, wrong.remedy) if setting else wrong


async def init_schema(settings: Settings, *, beside: bool = False) -> SchemaState:
    """Bring the database's tables up to date. Returns their state before. Raises: WrongSetting.

    `beside`: also in a PostgreSQL database where another program has its tables.
    """
    with sentences(settings):
        return await sql_init_schema(database(settings), beside=beside)


async def schema_state(settings: Settings) -> SchemaState:
    """The state of the database's tables. Changes nothing. Raises: WrongSetting."""
    with sentences(settings):
        state = await sql_schema_state(database(settings))
        if state.is_current:
            await check_tables(database(settings))
        return state


async def must_be_undamaged(settings: Settings) -> None:
    """Reads the whole file of SQLite. Raises: WrongSetting."""
    with sentences(settings):
        if settings.postgres_uri is None and await is_damaged(settings.sqlite_db_path):
            raise DatabaseUnusable(DAMAGED)


async def must_exist(settings: Settings, *, may_be_older: bool = False, may_be_changed: bool = False) -> None:
    """For commands that make no database. Changes nothing. `may_be_older`: the tables may be of an older release.
    `may_be_changed`: somebody may have changed them.

    Raises: WrongSetting, if the database is not there, or is none of ours, or not of this release.
    """
    with sentences(settings):
        await must_be_ours(database(settings), may_be_older=may_be_older, may_be_changed=may_be_changed)


async def must_fit(settings: Settings, setting: str = "") -> bool:
    """For commands that make or replace tables: nothing but ours, and of no newer release. Changes nothing.

    `setting`: as in `sentences`. Returns whether there are any. Raises: WrongSetting.
    """
    with sentences(settings, setting):
        state = await sql_schema_state(database(settings))
        if state.is_newer:
            raise DatabaseUnusable(NEWER)
        return state.current is not None


async def must_not_be_foreign(settings: Settings) -> None:
    """For a restore, which replaces all tables of ours, whatever they are. Changes nothing. Raises: WrongSetting."""
    with sentences(settings), suppress(UnknownRevision):
        await sql_schema_state(database(settings))


def away(settings: Settings, error: BaseException) -> WrongSetting:
    """The database does not answer."""
    if settings.postgres_uri:
        why = str(error) or type(error).__name__
        return WrongSetting("POSTGRES_URI", f"the database does not answer ({why})", "start it, or correct the address")
    name = settings.sqlite_db_path.name
    problem = f"{name} cannot be used now: {str(error) or 'the disk does not answer'}"
    return WrongSetting("SQLITE_DB_PATH", problem, "end the other program, or make room, and start again")


def newer_release(setting: str, what: str) -> WrongSetting:
    """A live store that a newer release has used. An older one could not read all of it, or would drop a part."""
    return WrongSetting(setting, f"a newer release of Passerby has used {what}", "start that release instead")


def unusable(settings: Settings, error: DatabaseUnusable) -> WrongSetting:
    """The database answers, but cannot be used as it is."""
    if settings.postgres_uri:
        return WrongSetting("POSTGRES_URI", error.problem, error.remedy or "correct it, or create what it names")
    return WrongSetting("SQLITE_DB_PATH", error.problem, error.remedy or "name a file that can be written")
