"""The newest tables of SQLite, as one script. `migrations/newest.sqlite.sql` is made from the migrations, by
`tools/reference.py`, and a test compares it with them.

An empty file gets its tables from the script, because Alembic and all migrations would take a quarter of a first start.
A file whose tables have exactly these texts needs no closer look (see `whole`).
"""

from functools import cache
from pathlib import Path
from typing import Final

import sqlalchemy as sa

SCRIPT: Final = Path(__file__).with_name("migrations") / "newest.sqlite.sql"
_BETWEEN: Final = ";\n\n"
_TEXTS: Final = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
_IS_EMPTY: Final = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)"
_HEAD: Final = "-- Made by tools/reference.py from the migrations. Do not edit.\n"


def script(connection: sa.Connection, revision: str) -> str:
    """The script for what a database has now."""
    texts = connection.exec_driver_sql(f"{_TEXTS} ORDER BY rowid").scalars().all()
    assert not any(_BETWEEN in text for text in texts)
    noted = f"INSERT INTO alembic_version (version_num) VALUES ('{revision}')"  # noqa: S608  # the name of a file of ours
    return _HEAD + "".join(f"{text}{_BETWEEN}" for text in (*texts, noted)).removesuffix("\n")


@cache
def _statements() -> tuple[str, ...]:
    return tuple(SCRIPT.read_text("utf-8").removeprefix(_HEAD).removesuffix(";\n").split(_BETWEEN))


def fill(connection: sa.Connection) -> bool:
    """Make the tables, if the database is of SQLite and has nothing at all. Returns whether it did."""
    if connection.dialect.name != "sqlite" or not connection.exec_driver_sql(_IS_EMPTY).scalar():
        return False
    for statement in _statements():
        connection.exec_driver_sql(statement)
    return True


def is_exactly(connection: sa.Connection) -> bool:
    """Whether the database is of SQLite and has these tables, indexes and triggers, and no others."""
    if connection.dialect.name != "sqlite":
        return False
    return sorted(connection.exec_driver_sql(_TEXTS).scalars()) == sorted(_statements()[:-1])
