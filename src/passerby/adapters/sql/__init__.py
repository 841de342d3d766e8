"""Records in SQL: the same code on SQLite (aiosqlite) and on PostgreSQL (asyncpg), through SQLAlchemy Core.

`tables` says what is stored, `rows` how a participant becomes a row and back, `engine` how to connect and which
failures pass, `records` is the port, `schema` and `migrations` make and change the tables. Nothing here is on the way
of a relay.
"""

from passerby.adapters.sql.engine import DatabaseUnusable, Pool
from passerby.adapters.sql.records import SqlRecords
from passerby.adapters.sql.schema import SchemaState, init_schema, schema_state

__all__ = ["DatabaseUnusable", "Pool", "SchemaState", "SqlRecords", "init_schema", "schema_state"]
