"""The script of the newest tables makes in one step what all migrations make."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from passerby.adapters.sql import init_schema, newest
from passerby.adapters.sql.schema import release
from passerby.adapters.sql.upgrading import upgrade
from tests.adapters.sql.test_schema import execute
from tests.adapters.sql.test_upgrade import first_release


def content(path: Path) -> list[tuple[object, ...]]:
    """All tables, indexes and triggers with their texts, and all rows."""
    with sqlite3.connect(path) as connection:
        things = sorted(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"), key=str)
        tables = [name for kind, name, *_ in things if kind == "table"]
        rows = [(name, *row) for name in tables for row in connection.execute(f'SELECT * FROM "{name}"')]
    connection.close()
    return [*things, *rows]


def test_the_script_is_what_the_migrations_make() -> None:
    """If not, run `tools/reference.py`."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, connection.begin():
        upgrade(connection)
        assert newest.script(connection, f"{release():04d}") == newest.SCRIPT.read_text("utf-8")
        assert newest.is_exactly(connection)
    engine.dispose()


def test_a_new_database_and_an_upgraded_one_are_equal(tmp_path: Path) -> None:
    asyncio.run(first_release(str(tmp_path / "old.db")))
    for name in ("old.db", "new.db"):
        asyncio.run(init_schema(tmp_path / name))
    assert content(tmp_path / "old.db") == content(tmp_path / "new.db")


def test_a_new_database_is_made_without_alembic(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from passerby.adapters.sql import init_schema;"
        "print(asyncio.run(init_schema(sys.argv[1])).current, 'alembic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code, tmp_path / "p.db"], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["None", "False"]


def test_a_database_with_another_index_is_not_exactly_ours(tmp_path: Path) -> None:
    asyncio.run(init_schema(tmp_path / "p.db"))
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'p.db'}")
    with engine.connect() as connection:
        assert newest.is_exactly(connection)
    execute(str(tmp_path / "p.db"), "CREATE INDEX mine ON users (karma)")
    with engine.connect() as connection:
        assert not newest.is_exactly(connection)
    engine.dispose()
