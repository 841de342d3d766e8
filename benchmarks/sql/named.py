"""Finds the statements of the SQL adapter by name, so that a new one cannot be forgotten.

A *named query* is a statement that a module or an object of `passerby.adapters.sql` keeps under a name. All of them
are. `catching` recognises it by identity when it is sent, and notes its values and how long it took.
"""

import importlib
import pkgutil
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

import passerby.adapters.sql
from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.writing import Writer

UNNAMED = "(unnamed)"
WITHOUT_A_TABLE = ("BEGIN", "SHOW", "select pg_catalog", "select current_schema", "EXPLAIN")
"""Statements that SQLAlchemy and the driver send by themselves."""


def named(records: SqlRecords) -> dict[str, sa.Executable]:
    """Every statement that these records can send, by `module.name`."""
    found: dict[str, sa.Executable] = {}

    def take(where: str, members: Mapping[str, object]) -> None:
        for name, value in members.items():
            if isinstance(value, sa.Executable) and isinstance(value, sa.ClauseElement):
                found.setdefault(f"{where}.{name.lstrip('_').lower()}", value)
            elif isinstance(value, Writer):
                take("writing", vars(value))

    for module in pkgutil.iter_modules(passerby.adapters.sql.__path__):
        if not module.ispkg:
            take(module.name, vars(importlib.import_module(f"passerby.adapters.sql.{module.name}")))
    take("records", vars(records))
    return found


@dataclass(slots=True)
class Asked:
    """A statement as sent, the values of one row, and the time of each call. `rows`: the most rows in one call."""

    statement: str
    values: Any
    rows: int
    took_ms: list[float] = field(default_factory=list)


@contextmanager
def catching(records: SqlRecords) -> Iterator[dict[str, Asked]]:
    """The statements that are sent in this block, by name. Statements without a name share one entry."""
    names = {id(statement): name for name, statement in named(records).items()}
    asked: dict[str, Asked] = {}
    began: defaultdict[int, float] = defaultdict(float)

    def before(_: object, __: object, statement: str, values: Any, context: Any, many: bool) -> None:
        if not statement.startswith(WITHOUT_A_TABLE):
            name = names.get(id(context.invoked_statement), UNNAMED)
            row = values[0] if many else values
            # People are sent as one array for each column.
            rows = (
                len(values) if many else max((len(value) for value in row or () if isinstance(value, list)), default=1)
            )
            found = asked.setdefault(name, Asked(statement, row, rows))
            found.rows = max(found.rows, rows)
            began[id(context)] = time.perf_counter()

    def after(_: object, __: object, statement: str, ___: Any, context: Any, ____: bool) -> None:
        if not statement.startswith(WITHOUT_A_TABLE):
            took_ms = (time.perf_counter() - began.pop(id(context))) * 1e3
            asked[names.get(id(context.invoked_statement), UNNAMED)].took_ms.append(took_ms)

    engine = records.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", before)
    sa.event.listen(engine, "after_cursor_execute", after)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)
        sa.event.remove(engine, "after_cursor_execute", after)
