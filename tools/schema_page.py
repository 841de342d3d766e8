"""The page that lists the tables, made from the table definitions."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from passerby.adapters.sql.tables import metadata

HEAD = """\
# Schema

These are the tables of the records. PostgreSQL and SQLite have the same ones; the types below are PostgreSQL's.
`passerby init-schema` creates and changes them. Times are Unix seconds, UTC: `to_timestamp(opened_at)` in PostgreSQL,
`datetime(opened_at, 'unixepoch')` in SQLite. You may read everything. Write nothing: Passerby would not notice,
or would overwrite it. Staff act by commands and in the staff bot.
[The records](../explanation/records.md) explains how it works.
"""

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def schema_page() -> str:
    return "\n".join([HEAD, *(_table(table) for table in metadata.tables.values())])


def _table(table: sa.Table) -> str:
    lines = [f"## {table.name}\n", "| column | type | |", "|---|---|---|", *map(_column, table.columns)]
    if indexes := sorted(map(_index, table.indexes)):
        lines += ["", "Indexes:", "", *indexes]
    return "\n".join(lines) + "\n"


def _column(column: sa.Column[object]) -> str:
    facts = []
    if column.primary_key:
        facts.append("primary key")
    elif column.nullable:
        facts.append("may be null")
    if column.comment:
        facts.append(column.comment)
    kind = column.type.compile(_DIALECT).lower()
    return f"| `{column.name}` | {kind} | {'; '.join(facts)} |"


def _index(index: sa.Index) -> str:
    columns = ", ".join(f"`{column.name}`" for column in index.columns)
    where = index.dialect_options["sqlite"]["where"]
    if where is None:
        return f"- `{index.name}`: {columns}"
    condition = str(where.compile(dialect=_DIALECT)).replace(f"{index.table.name}.", "")  # type: ignore[union-attr]
    return f"- `{index.name}`: {columns}, where `{condition}`"
