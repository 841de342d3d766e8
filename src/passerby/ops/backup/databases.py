"""Dumps a database, and loads a dump: into the database itself, or into one that is thrown away."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from passerby.adapters.sql.checksums import Contents


class Dump(NamedTuple):
    """`contents`, and a stream of the dump: both of the same moment. `version` is the database program's."""

    version: str
    contents: Contents
    stream: AsyncIterator[bytes]


class Loaded(NamedTuple):
    """The contents of a dump. `problems`: what the database itself finds wrong with it."""

    contents: Contents
    problems: list[str]


class Database(Protocol):
    """Raises: BackupFailed from every method, and whatever a stream raises."""

    kind: str

    def dump(self) -> AbstractAsyncContextManager[Dump]:
        """Others may go on reading and writing."""
        ...

    async def test(self, stream: AsyncIterable[bytes]) -> Loaded:
        """Load into a database of its own, look, and throw it away. The real one is not touched."""
        ...

    async def is_damaged(self) -> bool:
        """Whether it is a file that is damaged. Nobody can tell what is in it then."""
        ...

    async def contents(self) -> Contents:
        """Return its contents now: nothing, if it does not exist yet."""
        ...

    async def must_have_room(self, size: int, *, is_damaged: bool) -> None:
        """Before anything is changed. `size`: of the dump that will replace the tables. Raises: NoRoom, if known."""
        ...

    async def replace(self, stream: AsyncIterable[bytes], dumped: Contents, *, is_damaged: bool) -> Path | None:
        """Replace our tables by those of a dump: all of them or, if it fails, none. `dumped` is what is in it.

        Returns the new name of the old file if that `is_damaged`: it is kept.
        """
        ...

    async def sweep(self) -> None:
        """Remove what killed processes have left. Only one process at a time."""
        ...
