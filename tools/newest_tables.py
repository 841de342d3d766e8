"""The script with the newest tables of SQLite, made by running all migrations in memory."""

import sqlalchemy as sa

from passerby.adapters.sql.newest import script
from passerby.adapters.sql.schema import release
from passerby.adapters.sql.upgrading import upgrade


def newest_tables() -> str:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, connection.begin():
        upgrade(connection)
        return script(connection, f"{release():04d}")
