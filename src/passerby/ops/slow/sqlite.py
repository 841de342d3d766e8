"""A look into the SQLite file: pages, free pages, the write-ahead log."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from passerby.ops.doctor.finding import Finding, warn, well
from passerby.ops.slow.insight import MIB, Insight, size

LARGE_WAL: Final = 64 * MIB
"""SQLite keeps it at 4 MB unless a reader never ends."""

FREE_SHARE: Final = 0.3
LARGE: Final = 100 * MIB


def insight(path: Path) -> Insight:
    """Raises: sqlite3.Error."""
    if not path.exists():
        return Insight(figures={"database": "it is made at the first start"})
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        pages, page, free = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size", "freelist_count")
        )
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    wal = path.with_name(f"{path.name}-wal")
    wal_size = wal.stat().st_size if wal.exists() else 0
    whole = pages * page
    return Insight(
        figures={
            "pages": f"{pages} of {page} bytes: {size(whole)}",
            "free pages": f"{free} ({100 * free / max(1, pages):.0f} %)",
            "journal": mode,
            "write-ahead log": size(wal_size),
        },
        findings=[_wal(wal_size), _free(free / max(1, pages), whole)],
    )


def _wal(wal_size: int) -> Finding:
    told = f"the write-ahead log has {size(wal_size)}"
    if wal_size < LARGE_WAL:
        return well("sqlite log", told)
    return warn("sqlite log", told, "another program reads the database without end: stop it")


def _free(share: float, whole: int) -> Finding:
    told = f"{100 * share:.0f} % of the file's pages are free"
    if share < FREE_SHARE or whole < LARGE:
        return well("sqlite pages", told)
    return warn("sqlite pages", told, "stop Passerby and run: sqlite3 <file> VACUUM")
