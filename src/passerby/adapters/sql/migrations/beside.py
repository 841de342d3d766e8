"""Add to tables that are in use.

On PostgreSQL an index is built CONCURRENTLY, which ends the migration's transaction. So what the migration did before
is stored, although the revision is not. A migration that does this must work when it runs again over its own leftovers.
"""

import sqlalchemy as sa
from alembic import op


def has_column(table: str, column: str) -> bool:
    return any(each["name"] == column for each in sa.inspect(op.get_bind()).get_columns(table))


def create_index_beside(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    """Create an index without blocking writers. Use it last in a migration. Does nothing if a valid index exists.

    It waits without a limit for transactions that began before it, such as a backup. Nobody waits behind it.
    """
    condition = sa.text(where) if where is not None else None
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(name, table, columns, sqlite_where=condition, if_not_exists=True)
        return
    with op.get_context().autocommit_block():
        if op.get_bind().scalar(_INVALID, {"name": name}):
            op.drop_index(name, table, postgresql_concurrently=True)
        op.create_index(
            name, table, columns, postgresql_where=condition, postgresql_concurrently=True, if_not_exists=True
        )


_INVALID = sa.text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
"""The remains of an aborted build: indexes that are kept up to date but never used."""
