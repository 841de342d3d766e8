"""Names for the statements of the records, so that slow ones can be named.

A *named query* is a statement that a module or an object of this package keeps under a name. All of them are. It is
recognised by identity when it is sent.
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql.money_writer import MoneyWriter
from passerby.adapters.sql.writer import Writer
from passerby.telemetry import metrics

WITHOUT_A_TABLE: Final = (
    "BEGIN",
    "PRAGMA",
    "SHOW",
    "select pg_catalog",
    "select current_schema",
    "EXPLAIN",
)
"""Statements that SQLAlchemy and the driver send by themselves."""

UNNAMED: Final = "unnamed"
LOCKING: Final = "BEGIN IMMEDIATE"
LOCK: Final = "engine.lock"
"""The wait for SQLite's one writer."""


def named(records: object) -> dict[str, sa.Executable]:
    """Every statement that these records can send, by `module.name`. One that several modules know has one name."""
    found: dict[str, sa.Executable] = {}
    taken: set[int] = set()

    def take(where: str, members: Mapping[str, object]) -> None:
        for name, value in members.items():
            if isinstance(value, sa.Executable) and isinstance(value, sa.ClauseElement):
                if id(value) in taken:
                    continue
                taken.add(id(value))
                found.setdefault(f"{where}.{name.lstrip('_').lower()}", value)
            elif isinstance(value, Writer):
                take("writer", vars(value))
            elif isinstance(value, MoneyWriter):
                take("money_writer", vars(value))

    # Only modules that are in use. The others would take long to import.
    for name, module in sorted(sys.modules.copy().items()):  # a thread may import meanwhile
        package, _, last = name.rpartition(".")
        if package == __package__ and module is not None:
            take(last, vars(module))
    take("records", vars(records))
    return found


def measure(engine: AsyncEngine, statements: Callable[[], Mapping[str, sa.Executable]]) -> None:
    """Count how long each statement takes, by its name, in `metrics.STATEMENTS`.

    `statements` is asked once, when the first statement has been sent.
    """
    names: dict[int, str] = {}

    def name_of(statement: object) -> str:
        if not names:
            found = statements()
            names.update({id(each): name for name, each in found.items()})
            metrics.know_statements((*found, UNNAMED, LOCK))
        return names.get(id(statement), UNNAMED)

    def before(_: object, __: object, statement: str, ___: object, context: Any, ____: bool) -> None:
        is_ours = statement == LOCKING or not statement.startswith(WITHOUT_A_TABLE)
        context.began_at = time.perf_counter() if is_ours else None

    def after(_: object, __: object, statement: str, ___: object, context: Any, ____: bool) -> None:
        if context.began_at is not None:
            took_s = time.perf_counter() - context.began_at
            metrics.STATEMENTS.observe(took_s, LOCK if statement == LOCKING else name_of(context.invoked_statement))

    sa.event.listen(engine.sync_engine, "before_cursor_execute", before)
    sa.event.listen(engine.sync_engine, "after_cursor_execute", after)
