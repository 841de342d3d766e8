"""The database's tables, and the faults of both stores as sentences for the operator."""

from pathlib import Path

from passerby.adapters.sql import DatabaseUnusable, SchemaState
from passerby.adapters.sql import init_schema as sql_init_schema
from passerby.adapters.sql import schema_state as sql_schema_state
from passerby.ports.records import RecordsLost
from passerby.settings import Settings, WrongSetting


def database(settings: Settings) -> str | Path:
    """The address of the PostgreSQL database, or the path of the file."""
    return settings.postgres_uri.get_secret_value() if settings.postgres_uri else settings.sqlite_db_path


async def init_schema(settings: Settings) -> SchemaState:
    """Bring the database's tables up to date. Returns their state before. Raises: WrongSetting."""
    try:
        return await sql_init_schema(database(settings))
    except DatabaseUnusable as error:
        raise unusable(settings, error) from None
    except RecordsLost as error:
        raise away(settings, error) from None


async def schema_state(settings: Settings) -> SchemaState:
    """The state of the database's tables. Changes nothing. Raises: WrongSetting."""
    try:
        return await sql_schema_state(database(settings))
    except DatabaseUnusable as error:
        raise unusable(settings, error) from None
    except RecordsLost as error:
        raise away(settings, error) from None


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
