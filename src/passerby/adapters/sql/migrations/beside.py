"""Building on tables that are in use meanwhile.

On PostgreSQL an index is built CONCURRENTLY, which ends the migration's transaction: what came before it is there
although the revision is not yet noted. So a migration that does this must be able to run again over what it left.
"""

import sqlalchemy as sa
from alembic import op


def has_column(table: str, column: str) -> bool:
    return any(each["name"] == column for each in sa.inspect(op.get_bind()).get_columns(table))


def create_index_beside(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    """Create an index without holding up those who write. Last in a migration; nothing if it is there and valid.

    It waits for transactions that began before, a backup say, as long as it takes: nobody queues behind it.
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
"""What building that broke off leaves behind: kept up to date, and of no use."""
