"""Alembic runs this for each command. `schema` passes the connection."""

from alembic import context

from passerby.adapters.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
