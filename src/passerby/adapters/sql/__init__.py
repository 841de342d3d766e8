"""Records in SQL: the same code on SQLite (aiosqlite) and on PostgreSQL (asyncpg), through SQLAlchemy Core.

`tables` says what is stored, `rows` how a participant becomes a row and back, `writing` what statements a batch of
facts becomes, `engine` and `pool` how to connect, `failures` which failures pass, `records` is the port, `schema` and
`migrations` make and change the tables. Nothing here is on the way of a relay.
"""

from passerby.adapters.sql.failures import DatabaseUnusable
from passerby.adapters.sql.pool import Pool
from passerby.adapters.sql.records import SqlRecords
from passerby.adapters.sql.schema import SchemaState, init_schema, schema_state

__all__ = ["DatabaseUnusable", "Pool", "SchemaState", "SqlRecords", "init_schema", "schema_state"]
