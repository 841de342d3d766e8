"""Run by Alembic for each command; the connection is handed in by `schema`."""

from alembic import context

from passerby.adapters.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
