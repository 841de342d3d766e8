"""The database and the directory that the settings name."""

from passerby.ops.backup.databases import Database
from passerby.ops.backup.directory import Directory
from passerby.ops.backup.sqlite import SqliteDatabase
from passerby.settings import Settings, WrongSetting


def directory_of(settings: Settings) -> Directory:
    """Raises: WrongSetting."""
    if settings.backup_dir is None:
        remedy = "write BACKUP_DIR=/var/backups/passerby, or another directory that only this user may read"
        raise WrongSetting("BACKUP_DIR", "is not set", remedy)
    return Directory(settings.backup_dir)


def database_of(settings: Settings) -> Database:
    if settings.postgres_uri is None:
        return SqliteDatabase(settings.sqlite_db_path)
    from passerby.ops.backup.postgres import PostgresDatabase

    uri = settings.backup_postgres_uri or settings.postgres_uri
    return PostgresDatabase(uri.get_secret_value())
