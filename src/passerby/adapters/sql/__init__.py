"""Records in SQL: the same code on SQLite (aiosqlite) and on PostgreSQL (asyncpg), through SQLAlchemy Core.

`tables` describes what is stored. `rows` converts a participant to a row and back. `writer` turns a batch of facts
into statements. `engine` and `pool` connect. `failures` knows which failures are temporary. `records` implements the
port. `schema` and `migrations` create and change the tables. No relay waits for anything here.
"""

from passerby.adapters.sql import core_only  # noqa: F401  # before anything imports the ORM
from passerby.adapters.sql.broadcasts import SqlBroadcasts
from passerby.adapters.sql.failures import DatabaseUnusable
from passerby.adapters.sql.pool import ConnectionPool
from passerby.adapters.sql.records import SqlRecords
from passerby.adapters.sql.schema import SchemaState, init_schema, release, schema_state
from passerby.adapters.sql.staff import SqlStaff

__all__ = [
    "ConnectionPool",
    "DatabaseUnusable",
    "SchemaState",
    "SqlBroadcasts",
    "SqlRecords",
    "SqlStaff",
    "init_schema",
    "release",
    "schema_state",
]
