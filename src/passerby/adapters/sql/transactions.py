"""Reads and transactions, each done to its end even if the caller is cancelled, and tried again where that is safe."""

from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.audit import lock_audit
from passerby.adapters.sql.failures import Undone, losses, to_the_end
from passerby.ports.records import RecordsLost

T = TypeVar("T")


class Transactions:
    """The base of what reads and writes the tables of one database. Raises: RecordsLost from every method.

    A read can be tried again, because connections in the pool may be dead. A transaction is tried again only if the
    server has undone all of it, for example after a deadlock. If a commit gets no answer, its outcome is unknown.
    """

    READ_TRIES: ClassVar = 1
    WRITE_TRIES: ClassVar = 5

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def _read(self, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def once() -> T:
            async with self._engine.connect() as connection:
                return await query(connection)

        return await retried(RecordsLost, self.READ_TRIES, lambda: to_the_end(once()))

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[T]], *, in_audit: bool = False) -> T:
        """Do the work in one transaction. With `in_audit`, no other one that adds to the audit runs meanwhile."""

        async def once() -> T:
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=True)
                async with connection.begin():
                    if in_audit:
                        await lock_audit(connection)
                    return await work(connection)

        return await retried(Undone, self.WRITE_TRIES, lambda: to_the_end(once()))


async def retried(failure: type[RecordsLost], tries: int, attempt: Callable[[], Awaitable[T]]) -> T:
    """Try up to `tries` times without a pause, as long as the failure is of this type."""
    for tries_left in range(tries - 1, -1, -1):
        try:
            with losses():
                return await attempt()
        except failure:
            if not tries_left:
                raise
    raise AssertionError("unreachable")
