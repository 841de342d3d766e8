"""Keeps the answer of a small read while nobody writes to an SQLite database.

Some duties look for news every second or two: orders of staff, broadcasts, drains, overrides. Each look costs about a
millisecond, and took half of the CPU time of an idle process. Every commit of any process makes SQLite's journal
longer, or changes its time. So as long as both files look the same, the last answer counts.

The time of a file has steps of some milliseconds: a commit just after a read may leave it as it was. So an answer is
kept only if the files looked the same at the read before it. The duties look less often than that time steps.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Looks = tuple[tuple[int, int, int] | None, ...]


class Unchanged(Generic[T]):
    """The answer of one query. It must depend on nothing but the database. With PostgreSQL, nothing is kept."""

    def __init__(self, engine: AsyncEngine) -> None:
        url = engine.url
        file = url.database if url.get_backend_name() == "sqlite" else None
        self._files = (Path(file), Path(f"{file}-wal")) if file else ()
        self._seen: Looks | None = None
        self._kept: tuple[T] | None = None

    async def get(self, read: Callable[[], Awaitable[T]]) -> T:
        """The answer. Raises what `read` raises."""
        looks = self._looks()
        if self._kept is not None and looks == self._seen:
            return self._kept[0]
        self._kept = None
        answer = await read()
        if looks is not None and looks == self._seen:
            self._kept = (answer,)
        self._seen = looks
        return answer

    def _looks(self) -> Looks | None:
        """How the files look. None: the database is not a file, or the file is gone."""
        looks = tuple(map(_look, self._files))
        return looks if looks and looks[0] is not None else None


def _look(file: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116  # nobody may open it (see `engine`), and Path.stat takes twice as long
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
