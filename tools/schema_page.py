"""The page that lists the tables, from what the code says of them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from passerby.adapters.sql.tables import metadata

HEAD = """\
# Schema

The tables of the records, the same in PostgreSQL and in SQLite; the types are PostgreSQL's. `passerby init-schema`
makes and changes them. Times are Unix seconds, UTC: `to_timestamp(opened_at)` in PostgreSQL,
`datetime(opened_at, 'unixepoch')` in SQLite. Read as you like; write to the two `banned` columns
alone, everything else is the recorder's.
[The records](../explanation/records.md) says how it works.
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
    where = index.dialect_options["postgresql"]["where"]
    if where is None:
        return f"- `{index.name}`: {columns}"
    condition = str(where.compile(dialect=_DIALECT)).replace(f"{index.table.name}.", "")  # type: ignore[union-attr]
    return f"- `{index.name}`: {columns}, where `{condition}`"
