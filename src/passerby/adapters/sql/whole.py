"""Checks whether a database has the tables that its revision says it has.

A backup restored in part, or a table changed by hand, would otherwise be found by the first statement that needs it, in
the middle of the work: again and again, because no later try can succeed. A trigger, a rule or a unique index of
somebody else can refuse or change whatever we write.

Only our own tables are looked at. It takes two queries of the system's catalogue, or one on SQLite if all texts are as
we left them.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import sqlalchemy as sa

from passerby.adapters.sql.failures import DatabaseUnusable
from passerby.adapters.sql.newest import is_exactly
from passerby.adapters.sql.tables import metadata

OUR_TRIGGERS: Final = {
    "sqlite": {"audit_append_only_update", "audit_append_only_delete"},
    "postgresql": {"audit_append_only"},
}
"""Nobody may change the audit (see the migration r0004)."""

_COLUMNS: Final = {
    "sqlite": """
        SELECT t.name AS "table", c.name AS "column", c.type AS kind, c."notnull" AS required, c.pk > 0 AS is_key,
               c.dflt_value IS NOT NULL AS has_default
        FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'
    """,
    "postgresql": """
        SELECT t.relname AS "table", c.attname AS "column", format_type(c.atttypid, NULL) AS kind,
               c.attnotnull AS required, coalesce(c.attnum = ANY(k.indkey), false) AS is_key,
               c.atthasdef OR c.attidentity <> '' AS has_default
        FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
             LEFT JOIN pg_index k ON k.indrelid = t.oid AND k.indisprimary
        WHERE t.relkind IN ('r', 'p') AND pg_table_is_visible(t.oid) AND c.attnum > 0 AND NOT c.attisdropped
    """,
}
_OBJECTS: Final = {
    "sqlite": """
        SELECT type AS sort, tbl_name AS "table", name,
               CASE type WHEN 'index' THEN sql IS NULL OR sql LIKE 'CREATE UNIQUE%' ELSE 0 END AS is_unique, sql
        FROM sqlite_master WHERE type IN ('index', 'trigger', 'table')
    """,
    "postgresql": """
        SELECT 'index' AS sort, t.relname AS "table", i.relname AS name, x.indisunique AS is_unique, '' AS sql
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        WHERE pg_table_is_visible(t.oid) AND NOT x.indisprimary
        UNION ALL
        SELECT 'trigger', t.relname, g.tgname, false, '' FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
        WHERE pg_table_is_visible(t.oid) AND NOT g.tgisinternal
        UNION ALL
        SELECT 'rule', t.relname, r.rulename, false, '' FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class
        WHERE pg_table_is_visible(t.oid) AND r.rulename <> '_RETURN'
        UNION ALL
        SELECT 'condition', t.relname, n.conname, false, '' FROM pg_constraint n JOIN pg_class t ON t.oid = n.conrelid
        WHERE pg_table_is_visible(t.oid) AND n.contype IN ('c', 'f', 'x')
    """,
}
_CONDITIONS: Final = re.compile(r"\b(?:CHECK|REFERENCES|UNIQUE|COLLATE|GENERATED)\b", re.IGNORECASE)
"""In the text of an SQLite table. Ours have none."""


class _Column(NamedTuple):
    kind: str
    required: bool
    is_key: bool
    has_default: bool


class _Object(NamedTuple):
    """`sort`: index, trigger, rule or condition."""

    sort: str
    table: str
    name: str
    is_unique: bool


def must_be_whole(connection: sa.Connection) -> None:
    """Raises: DatabaseUnusable, if a table of ours is not as our migrations leave it."""
    if is_exactly(connection):
        return
    dialect = connection.dialect.name
    columns: dict[str, dict[str, _Column]] = {}
    for table, column, *rest in connection.execute(sa.text(_COLUMNS[dialect])):
        columns.setdefault(table, {})[column] = _Column(rest[0], *map(bool, rest[1:]))
    objects = []
    for sort, table, name, is_unique, text in connection.execute(sa.text(_OBJECTS[dialect])):
        if sort != "table":
            objects.append(_Object(sort, table, name, bool(is_unique)))
        elif _CONDITIONS.search(text or ""):
            objects.append(_Object("condition", table, "a condition", is_unique=False))
    for fault in (*_in_columns(connection.dialect, columns), *_in_objects(dialect, objects)):
        raise DatabaseUnusable(f"{fault}, so somebody has changed the database; undo that, or restore a backup")


def _in_columns(dialect: sa.Dialect, found: dict[str, dict[str, _Column]]) -> Iterator[str]:
    for table in metadata.tables.values():
        real = found.get(table.name)
        if real is None:
            yield f"the table {table.name} is missing"
            continue
        for column in table.columns:
            there = real.get(column.name)
            if there is None:
                yield f"the column {table.name}.{column.name} is missing"
            elif _type(dialect.name, there.kind) != _type(dialect.name, column.type.compile(dialect=dialect)):
                yield f"the column {table.name}.{column.name} has another type"
            elif there.required and column.nullable:
                yield f"the column {table.name}.{column.name} may not be empty any more"
        if {name for name, there in real.items() if there.is_key} != {each.name for each in table.primary_key}:
            yield f"the primary key of {table.name} is missing or another one"
        for name, there in real.items():
            if name not in table.columns and there.required and not there.has_default:
                yield f"the column {table.name}.{name} is not ours, and no row may leave it empty"


def _type(dialect: str, kind: str) -> str:
    """Return the part of a column's type that decides how a value is stored. SQLite knows only affinities
    (https://sqlite.org/datatype3.html, 3.1)."""
    kind = kind.upper()
    if dialect != "sqlite":
        return kind
    for affinity, words in (("INT", ["INT"]), ("TEXT", ["CHAR", "CLOB", "TEXT"]), ("BLOB", ["BLOB"])):
        if any(word in kind for word in words):
            return affinity
    return "REAL" if any(word in kind for word in ("REAL", "FLOA", "DOUB")) else "NUMERIC" if kind else "BLOB"


def _in_objects(dialect: str, found: list[_Object]) -> Iterator[str]:
    wanted = {str(index.name): bool(index.unique) for table in metadata.tables.values() for index in table.indexes}
    there = {each.name: each.is_unique for each in found if each.sort == "index"}
    for name, is_unique in wanted.items():
        if there.get(name, not is_unique) != is_unique:
            yield f"the index {name} is missing or another one"
    triggers = {each.name for each in found if each.sort == "trigger"}
    for name in sorted(OUR_TRIGGERS[dialect] - triggers):
        yield f"the trigger {name} is missing"
    for each in found:
        if each.table not in metadata.tables or each.name in wanted or each.name in OUR_TRIGGERS[dialect]:
            continue
        if each.sort != "index":
            yield f"the table {each.table} has a {each.sort} that is not ours"
        elif each.is_unique and not each.name.startswith("sqlite_autoindex_"):
            yield f"the table {each.table} has a unique index that is not ours"
