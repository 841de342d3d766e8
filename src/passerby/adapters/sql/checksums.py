"""Checksums of a database that are equal in SQLite and in PostgreSQL: rows, and two figures a column.

For each column: how many rows have a value, and a sum over the values. Numbers count in thousandths, modulo a prime, so
that no sum overflows; texts and bytes count by their length. A row that is lost, doubled or changed nearly always
changes a figure. References that nothing in the database enforces are counted too.
"""

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from passerby.adapters.sql.tables import metadata

_PRIME: Final = 1_000_003
_MOST: Final = "1e14"
"""Larger than every time; a thousand times as much is still an integer of 64 bits."""
VERSIONS: Final = "alembic_version"
"""Alembic's table with the revision of the database."""

_REFERENCES: Final = (
    ("chats", "user1", "users", "id"),
    ("chats", "user2", "users", "id"),
    ("blocks", "user_id", "users", "id"),
    ("blocks", "blocked_id", "users", "id"),
    ("complaints", "user_id", "users", "id"),
    ("users", "chat", "chats", "id"),
)


class TableSums(msgspec.Struct, frozen=True):
    """`columns`: for each column, how many rows have a value, and the sum over them."""

    rows: int
    columns: dict[str, tuple[int, int]]


class Contents(msgspec.Struct, frozen=True):
    """`dangling`: rows whose reference leads nowhere, by "table.column". Erased people leave some behind."""

    revision: str | None
    tables: dict[str, TableSums]
    dangling: dict[str, int]

    def differences(self, other: "Contents") -> list[str]:
        """One sentence for each table or reference in which `other` differs."""
        found = []
        for name in sorted(self.tables.keys() | other.tables.keys()):
            mine, theirs = self.tables.get(name), other.tables.get(name)
            if mine is None or theirs is None:
                found.append(f"{name} is only in one of the two")
            elif mine.rows != theirs.rows:
                found.append(f"rows of {name}: {mine.rows} in one and {theirs.rows} in the other")
            elif mine != theirs:
                names = [each for each in mine.columns if mine.columns[each] != theirs.columns.get(each)]
                found.append(f"{name} differs in {', '.join(names) or 'its columns'}")
        ours, others = self.dangling, other.dangling
        return found + [
            f"links of {name} that lead nowhere: {ours[name]} in one and {others[name]} in the other"
            for name in sorted(ours.keys() & others.keys())
            if ours[name] != others[name]
        ]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def contents(connection: sa.Connection) -> Contents:
    """Read every table of ours once. For a consistent result, the caller's transaction must be a snapshot."""
    found = sa.inspect(connection)
    there = set(found.get_table_names())
    tables = {}
    for table in metadata.sorted_tables:
        if table.name in there:
            names = {column["name"] for column in found.get_columns(table.name)}
            tables[table.name] = _sums(connection, table, [each for each in table.columns if each.name in names])
    dangling = {
        f"{table}.{column}": _dangling(connection, table, column, whole, key)
        for table, column, whole, key in _REFERENCES
        if {table, whole} <= tables.keys()
    }
    return Contents(_revision(connection) if VERSIONS in there else None, tables, dangling)


def _revision(connection: sa.Connection) -> str | None:
    found = connection.scalar(sa.select(sa.column("version_num")).select_from(sa.table(VERSIONS)))
    return None if found is None else str(found)


def _sums(connection: sa.Connection, table: sa.Table, columns: list[sa.Column[Any]]) -> TableSums:
    is_postgres = connection.dialect.name == "postgresql"
    sums: list[sa.ColumnElement[Any]] = [sa.func.count()]
    for column in columns:
        sums += [sa.func.count(column), sa.func.coalesce(sa.func.sum(_number(column, is_postgres=is_postgres)), 0)]
    rows, *figures = connection.execute(sa.select(*sums).select_from(table)).one()
    pairs = zip(figures[::2], figures[1::2], strict=True)
    return TableSums(
        rows, {column.name: (count, int(total)) for column, (count, total) in zip(columns, pairs, strict=True)}
    )


def _number(column: sa.Column[Any], *, is_postgres: bool) -> sa.ColumnElement[Any]:
    if isinstance(column.type, sa.Boolean):
        return sa.case((column, 1), else_=0)
    if isinstance(column.type, sa.Integer):
        return column % sa.literal_column(str(_PRIME))
    if isinstance(column.type, sa.Numeric | sa.Float):
        # PostgreSQL's cast rounds, and SQLite's truncates. PostgreSQL refuses infinity, as in a ban for good.
        most = sa.literal_column(_MOST, sa.Double)
        bounded = sa.case((column > most, most), (column < -most, -most), else_=column)
        thousandths = bounded * sa.literal_column("1000.0")
        whole = sa.func.trunc(thousandths) if is_postgres else thousandths
        return sa.cast(whole, sa.BigInteger) % sa.literal_column(str(_PRIME))
    return sa.func.length(column)


def _dangling(connection: sa.Connection, table: str, column: str, whole: str, key: str) -> int:
    from_, to = metadata.tables[table], metadata.tables[whole]
    exists = sa.exists().where(to.c[key] == from_.c[column])
    count = connection.scalar(
        sa.select(sa.func.count()).select_from(from_).where(from_.c[column].is_not(None), ~exists)
    )
    return int(count or 0)
