"""Whether a database has the tables that its revision says it has.

A backup restored in part, or a table changed by hand, would otherwise be found by the first statement that needs it, in
the middle of the work.
"""

from typing import Final

import sqlalchemy as sa

from passerby.adapters.sql.failures import DatabaseUnusable
from passerby.adapters.sql.tables import metadata

_COLUMNS: Final = {
    "sqlite": "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'",
    "postgresql": (
        "SELECT t.relname, c.attname FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid "
        "WHERE t.relkind IN ('r', 'p') AND pg_table_is_visible(t.oid) AND c.attnum > 0 AND NOT c.attisdropped"
    ),
}


def must_be_whole(connection: sa.Connection) -> None:
    """Raises: DatabaseUnusable, if a table or a column is missing."""
    found = {(table, column) for table, column in connection.execute(sa.text(_COLUMNS[connection.dialect.name]))}
    tables = {table for table, _ in found}
    for table in metadata.tables.values():
        if table.name not in tables:
            raise _lacking(f"the table {table.name}")
        for column in table.columns:
            if (table.name, column.name) not in found:
                raise _lacking(f"the column {table.name}.{column.name}")


def _lacking(what: str) -> DatabaseUnusable:
    return DatabaseUnusable(f"{what} is missing, so somebody has changed the database; restore a backup")
