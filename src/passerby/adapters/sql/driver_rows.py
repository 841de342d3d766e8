"""Sends many rows with one statement straight to SQLite's driver.

SQLAlchemy prepares every value of every row by itself: 18 µs for a person, whose row has 42 columns. Nearly no value
needs that. So its compiler makes the text of the statement once, and says which values must be changed. PostgreSQL gets
most rows as arrays anyway (see `writer`).
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

Row = dict[str, Any]


class DriverRows:
    """Statements by themselves and the columns of their rows. There are as many as the writer has."""

    def __init__(self) -> None:
        self._prepared: dict[tuple[sa.Executable, tuple[str, ...]], _Prepared] = {}

    async def send(self, connection: AsyncConnection, statement: sa.Executable, rows: Sequence[Row]) -> None:
        """Execute the statement for every row. All rows have the same columns."""
        key = statement, tuple(rows[0])
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = self._prepared[key] = _Prepared(statement, connection.dialect, key[1])
        await connection.exec_driver_sql(prepared.text, prepared.values(rows))


class _Prepared:
    """A statement in SQLite's words, and how its values are made of a row."""

    def __init__(self, statement: sa.Executable, dialect: sa.Dialect, columns: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(columns))  # type: ignore[attr-defined]
        assert not compiled.post_compile_params, "no list in a statement for many rows"
        names: list[str] = compiled.positiontup
        fixed = compiled.construct_params(_check=False)
        self.text = compiled.string
        self._fixed = {name: fixed[name] for name in names if name not in columns}
        changes = compiled._bind_processors  # noqa: SLF001  # what `execute` uses, too
        self._changes: list[tuple[int, Callable[[Any], Any]]] = [
            (place, changes[name])
            for place, name in enumerate(names)
            # A column of numbers keeps whole numbers as fractions, and the driver takes False and True for 0 and 1.
            if name in changes and not isinstance(compiled.binds[name].type, sa.Float | sa.Boolean)
        ]
        self._take = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)

    def values(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        if self._fixed:
            rows = [self._fixed | row for row in rows]
        values = list(map(self._take, rows))
        return [self._changed(each) for each in values] if self._changes else values

    def _changed(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        changed = list(values)
        for place, change in self._changes:
            changed[place] = change(changed[place])
        return tuple(changed)
