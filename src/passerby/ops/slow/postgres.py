"""A look into PostgreSQL's own statistics."""

import re
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql import ConnectionPool, SqlRecords
from passerby.adapters.sql.named import named
from passerby.adapters.sql.tables import metadata
from passerby.ops.counting import counted
from passerby.ops.doctor.finding import Finding, warn, well
from passerby.ops.slow.insight import Insight, Statement, size
from passerby.settings import Settings

FEW: Final = ConnectionPool(most=1, least=0, timeout_s=10.0)
SHOWN: Final = 10
LONG_S: Final = 60.0
HIT_RATE: Final = 0.99
MANY_READS: Final = 100_000
MANY_ROWS: Final = 10_000
DEAD_SHARE: Final = 0.2
OURS: Final = {str(index.name) for table in metadata.sorted_tables for index in table.indexes}
"""They are needed, even if nobody has needed them yet: after a restore, all counts begin with 0."""
MISSING: Final = "an index is missing: report this, with the slowest statements"

_STATEMENTS: Final = sa.text(
    "SELECT query, calls, mean_exec_time, total_exec_time / 1000 FROM pg_stat_statements"
    " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " ORDER BY total_exec_time DESC LIMIT 200"
)
_UNUSED: Final = sa.text(
    "SELECT s.indexrelname, s.relname, pg_relation_size(s.indexrelid) FROM pg_stat_user_indexes s"
    " JOIN pg_index i USING (indexrelid) WHERE s.idx_scan = 0 AND NOT i.indisunique"
    " AND pg_relation_size(s.indexrelid) > 1048576 ORDER BY 3 DESC"
)
_TABLES: Final = sa.text(
    "SELECT relname, n_live_tup, n_dead_tup, seq_scan, seq_tup_read, coalesce(idx_scan, 0),"
    " pg_total_relation_size(relid) FROM pg_stat_user_tables ORDER BY 7 DESC"
)
_HITS: Final = sa.text("SELECT blks_hit, blks_read FROM pg_stat_database WHERE datname = current_database()")
_LONGEST: Final = sa.text(
    "SELECT application_name, state, extract(epoch FROM clock_timestamp() - xact_start)::float FROM pg_stat_activity"
    " WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    " ORDER BY xact_start LIMIT 1"
)
_CONNECTIONS: Final = sa.text(
    "SELECT coalesce(nullif(application_name, ''), '(no name)'), coalesce(state, ''), count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' GROUP BY 1, 2 ORDER BY 3 DESC"
)


async def insight(settings: Settings) -> Insight:
    """Raises: SQLAlchemyError, OSError."""
    assert settings.postgres_uri is not None
    records = SqlRecords.at(settings.postgres_uri.get_secret_value(), FEW)
    try:
        statements = await _statements(records)
        async with records.engine.connect() as connection:
            return await _insight(connection, statements)
    finally:
        await records.aclose()


async def _statements(records: SqlRecords) -> list[Statement]:
    """Of pg_stat_statements; empty if the server does not have it."""
    try:
        async with records.engine.connect() as connection:
            rows = (await connection.execute(_STATEMENTS)).all()
    except exc.DBAPIError:
        return []
    dialect = records.engine.dialect
    known = {_bare(str(statement.compile(dialect=dialect))): name for name, statement in named(records).items()}  # type: ignore[attr-defined]
    return [
        Statement(known.get(_bare(query), " ".join(query.split())[:60]), calls, mean_ms, total_s, "pg_stat_statements")
        for query, calls, mean_ms, total_s in rows
    ]


def _bare(query: str) -> str:
    """A statement without its parameters, so that ours can be compared with the server's."""
    return re.sub(r"\$\d+(::(double precision|\w+)(\[\])?)?|\s+", "", query.lower())


async def _insight(connection: AsyncConnection, statements: list[Statement]) -> Insight:
    tables = (await connection.execute(_TABLES)).all()
    unused = (await connection.execute(_UNUSED)).all()
    hit, read = (await connection.execute(_HITS)).one()
    longest = (await connection.execute(_LONGEST)).first()
    connections = (await connection.execute(_CONNECTIONS)).all()
    rate = f"{100 * hit / (hit + read):.2f} %" if hit + read else "nothing was read yet"
    oldest = f"{longest[2]:.1f} s ({longest[0]}, {longest[1]})" if longest is not None else "none"
    return Insight(
        figures={"cache hit rate": rate, "longest transaction": oldest},
        tables={
            "connections": [["program", "state", "count"], *([str(each) for each in row] for row in connections)],
            "tables": [
                ["table", "rows", "dead rows", "size"],
                *([name, str(live), str(dead), size(total)] for name, live, dead, _, _, _, total in tables[:SHOWN]),
            ],
        },
        statements=statements[:SHOWN],
        findings=[*_judged(tables, unused), _hits(hit, read), _longest(longest), _measured(statements)],
    )


def _judged(tables: Sequence[Any], unused: Sequence[Any]) -> list[Finding]:
    dead = [row for row in tables if row[2] > MANY_ROWS and row[2] > DEAD_SHARE * max(1, row[1])]
    scanned = [row for row in tables if row[1] > MANY_ROWS and row[3] > row[5] and row[4] > MANY_ROWS * max(1, row[3])]
    found = [
        warn(
            f"dead rows {name}",
            f"{counted(gone, 'dead row')} beside {live}",
            f"run VACUUM (ANALYZE) {name}; or let autovacuum do it",
        )
        for name, live, gone, *_ in dead
    ] or [well("dead rows", "no table has many")]
    found += [
        warn(
            f"scans of {name}",
            f"it was read whole {counted(scans, 'time')}, more often than by an index",
            "an index is missing: report this, with the slowest statements",
        )
        for name, _, _, scans, *_ in scanned
    ] or [well("missing indexes", "no large table is read whole")]
    found += [
        warn(
            f"index {name}",
            f"it is on {table}, was never used, and takes {size(total)}",
            f"it is none of Passerby's; if nobody needs it: DROP INDEX {name}",
        )
        for name, table, total in unused
        if name not in OURS
    ] or [well("unused indexes", "no large index is unused")]
    return found


def _hits(hit: int, read: int) -> Finding:
    if hit + read < MANY_READS or hit / (hit + read) >= HIT_RATE:
        return well("cache", "PostgreSQL finds what it reads in its memory")
    told = f"only {100 * hit / (hit + read):.1f} % of what PostgreSQL reads is in its memory"
    return warn("cache", told, "raise shared_buffers to a quarter of the machine's memory")


def _longest(longest: Any) -> Finding:
    if longest is None or longest[2] < LONG_S:
        return well("transactions", "none is long")
    name, state, seconds = longest
    told = f"one of {name or 'a program without a name'} has been open for {seconds:.0f} s ({state})"
    return warn("transactions", told, "end it: it keeps dead rows and locks. If it is ours, report it")


def _measured(statements: list[Statement]) -> Finding:
    if statements:
        return well("statements", "pg_stat_statements measures them")
    remedy = "set shared_preload_libraries = 'pg_stat_statements', restart, and CREATE EXTENSION pg_stat_statements"
    return Finding("statements", well("", "").verdict, f"pg_stat_statements is not there; to have it: {remedy}")
