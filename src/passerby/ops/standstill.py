"""Keeps the stores free for commands that must have them alone: nothing of this installation may run meanwhile.

With a file, the lock of the live store shows it, and is held until the command ends. With Redis, the list of living
workers shows it. PostgreSQL shows who is connected, which also finds a process with another live store.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from random import SystemRandom
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from passerby.adapters.memory import FileLog, LogInUse, LogNewer, LogOfAnother, MemoryStore, take_for
from passerby.adapters.redis import RedisHalfRestored, RedisNewer, RedisUnfit, open_redis
from passerby.adapters.sql import DatabaseUnusable, SqlRecords, release
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import losses
from passerby.kernel.ids import BotId, PersonId
from passerby.ops.backup.ended_chats import Ended, begin, in_live_store
from passerby.ops.counting import counted
from passerby.ops.live_store_aside import Aside, FilesAside, KeysAside, redis_away
from passerby.ops.restore_note import AGAIN, PROBLEM, Step, must_be_done
from passerby.ports.clock import Clock
from passerby.ports.live_store import Figures, LiveStore, LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.runtime.background.recorder import Recorder
from passerby.settings import Settings, WrongSetting, log_of_another
from passerby.telemetry import logs

_LOOKS: Final = 20
_LOOK_EVERY_S: Final = 0.5
"""A connection that was just closed is still listed for a moment."""
_EMPTY_S: Final = 600.0
_COMMANDS: Final = 0x506173734F6E65
"""A number that nothing else in the database locks: "PassOne" in ASCII."""
_NOTHING: Final = Figures(0, 0, 0, 0)
_RUNS: Final = "stop it first on every machine (passerby stop, or Ctrl-C)"


class FleetRuns(Exception):
    """Something of this installation still runs. The text tells the operator what it is."""


class Standstill:
    """The stores, while nothing of this installation runs. `log` is the live store's, if it is a file."""

    def __init__(self, settings: Settings, clock: Clock, log: FileLog | None) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self._is_closed = False
        self._aside: Aside = KeysAside(settings) if log is None else FilesAside(settings)

    async def empty_live_store(self) -> int:
        """Set everything in the live store aside. Returns how many keys or files there were. Raises: WrongSetting.

        Afterwards either `forget_live_store` or `put_live_store_back`.
        """
        if await self._aside.noted() is None:
            await self._aside.forget()  # left by a command that was killed; it must never come back
            await self.note(Step.EMPTIED)
        with self._without_log():
            return await self._aside.take()

    async def forget_live_store(self) -> None:
        """Delete the things that were set aside: the restore is done. Raises: WrongSetting."""
        await self._aside.forget()
        await self.note(None)

    async def put_live_store_back(self) -> None:
        """Make the live store what it was before it was emptied. The records must be the old ones.

        Raises: WrongSetting.
        """
        with self._without_log():
            if await self._aside.noted() is not Step.RETURNING:
                await self.note(Step.EMPTIED)
                await self._aside.make_place()
                await self.note(Step.RETURNING)
            await self._aside.bring_back()
        await self.note(None)

    async def unfinished(self) -> bool:
        """Whether a restore was ended when it may have replaced the records. Call it before anything else.

        If it was ended earlier, the live store gets back what it held, and nothing has happened. Raises: WrongSetting.
        """
        step = await self._aside.noted()
        if step in (Step.EMPTIED, Step.RETURNING):
            await self.put_live_store_back()
        return step is Step.REPLACING

    async def note(self, step: Step | None) -> None:
        """Note how far a restore is; None: nothing is going on any more. Raises: WrongSetting, OSError."""
        await self._aside.note(step)

    @contextmanager
    def _without_log(self) -> Iterator[None]:
        """The log's files change under it."""
        if self._log is None:
            yield
            return
        self._log.close()
        self._is_closed = True
        yield
        self._log = open_free_log(self._settings)
        self._is_closed = False

    async def contents(self) -> Ended:
        """Return the contents of the live store: nothing, if it is new or was wiped. Raises: WrongSetting."""
        if self._log is not None and not self._settings.live_path.stat().st_size:
            return Ended()
        try:
            async with self._live_store() as store:
                return await in_live_store(store, self._clock.now())
        except LiveStoreLost:
            return Ended()

    async def begin_live_store(self, told: Mapping[PersonId, BotId]) -> None:
        """Begin the emptied store: nobody searches or chats, and these people get a notice. Raises: WrongSetting."""
        try:
            async with self._live_store(looks=False) as store:
                await begin(store, told, self._clock.now())
        except LiveStoreLost as error:
            raise redis_away(error) from None

    async def record_journal(self, records: SqlRecords) -> Figures:
        """Bring what the live store still has for the records into them. Returns what is left in it.

        Raises: FleetRuns, if it cannot be done now; WrongSetting.
        """
        rng = SystemRandom()
        async with self._live_store() as store:
            try:
                whole = await Recorder(store, records, self._clock, rng, logs.record).drain(_EMPTY_S)
                if not whole:
                    raise FleetRuns("the database does not accept what the live store has for it; see that it works")
                return await store.figures()
            except LiveStoreLost:
                return _NOTHING  # it was wiped

    @asynccontextmanager
    async def _live_store(self, *, looks: bool = True) -> AsyncIterator[LiveStore]:
        rng = SystemRandom()
        store: LiveStore
        if self._log is not None:
            store = MemoryStore(self._log, self._clock, rng)
        else:
            store = await _redis(self._settings, self._clock, looks=looks)
        try:
            yield store
        finally:
            await store.aclose()
            if self._log is not None:
                self._log = open_free_log(self._settings)  # the store has closed the one before

    def close(self) -> None:
        if self._log is not None and not self._is_closed:
            self._log.close()


@asynccontextmanager
async def standstill(settings: Settings, clock: Clock, *, restores: bool = False) -> AsyncIterator[Standstill]:
    """`restores`: this is a restore, so another one that was ended before it was done is no hindrance.

    Raises: FleetRuns, if something runs; WrongSetting, if a store does not answer, or a restore is not done.
    """
    if not restores:
        must_be_done(settings)
    still = Standstill(settings, clock, None if settings.is_shared else open_free_log(settings))
    try:
        async with AsyncExitStack() as closing:
            if settings.postgres_uri is not None:
                await closing.enter_async_context(alone(settings.postgres_uri.get_secret_value(), clock))
            if settings.is_shared:
                await _no_workers(settings, clock, restores=restores)
            yield still
    finally:
        still.close()


def open_free_log(settings: Settings) -> FileLog:
    """Lock the live store's file. Raises: FleetRuns, WrongSetting."""
    try:
        log = FileLog(settings.live_path, release())
        if settings.postgres_uri is None:
            try:
                take_for(log, settings.sqlite_db_path)
            except BaseException:
                log.close()
                raise
        return log
    except LogNewer:
        raise _newer("SQLITE_DB_PATH", settings.live_path.name) from None
    except LogOfAnother as other:
        raise log_of_another(settings.live_path.name, str(other)) from None
    except LogInUse:
        raise FleetRuns(f"Passerby runs with {settings.live_path.name} now: {_RUNS}") from None


async def _redis(settings: Settings, clock: Clock, *, looks: bool = True, restores: bool = True) -> LiveStore:
    try:
        opened = await open_redis(
            settings.redis_url.get_secret_value(),
            clock,
            SystemRandom(),
            name=settings.redis_name,
            replicas=settings.redis_replicas,
            may_lose=settings.redis_may_lose_seconds,
            release=release(),
            looks=looks,
            restores=restores,
        )
    except RedisHalfRestored:
        raise WrongSetting("REDIS_URL", PROBLEM, AGAIN) from None
    except RedisUnfit as error:
        raise WrongSetting("REDIS_URL", str(error), "then try again") from None
    except RedisNewer:
        raise _newer("REDIS_URL", "this Redis") from None
    except LiveStoreLost as error:
        raise redis_away(error) from None
    return opened.store


def _newer(setting: str, what: str) -> WrongSetting:
    return WrongSetting(setting, f"a newer release of Passerby has used {what}", "use that release instead")


async def _no_workers(settings: Settings, clock: Clock, *, restores: bool) -> None:
    store = await _redis(settings, clock, restores=restores)
    try:
        workers = (await store.members()).workers
    except LiveStoreLost as error:
        raise redis_away(error) from None
    finally:
        await store.aclose()
    if workers:
        raise FleetRuns(
            f"{counted(len(workers), 'process of Passerby runs', 'processes of Passerby run')}, as Redis says: {_RUNS}"
        )


@asynccontextmanager
async def alone(uri: str, clock: Clock) -> AsyncIterator[None]:
    """Keep a database of PostgreSQL for one command: no process of ours is connected, and no other such command begins.

    The lock belongs to a transaction, so it works through a pooler, and ends with this process. Raises: FleetRuns, if
    somebody is connected, or another command works there; WrongSetting.
    """
    engine = connect(database_url(uri), poolclass=NullPool)
    try:
        async with AsyncExitStack() as closing:
            with _sentences():
                connection = await closing.enter_async_context(engine.connect())
                await connection.execute(sa.text("SET LOCAL application_name = 'passerby command'"))
                is_ours = await connection.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _COMMANDS})
                # The last statement has no snapshot, so nothing waits for this transaction.
                await connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                if not is_ours:
                    raise FleetRuns(
                        "another command (restore, move or import) works on this database now: wait until it has ended"
                    )
            await _nobody_connected(engine, clock)
            yield
    finally:
        await engine.dispose()


async def _nobody_connected(engine: AsyncEngine, clock: Clock) -> None:
    """Raises: FleetRuns, if another process of ours is connected to this database; WrongSetting."""
    with _sentences():
        async with engine.connect() as connection:
            found = 0
            for _ in range(_LOOKS):
                found = await connection.scalar(_CONNECTED)
                if not found:
                    return
                await clock.sleep(_LOOK_EVERY_S)
    raise FleetRuns(
        f"{counted(found, 'connection of ours is', 'connections of ours are')} open in PostgreSQL: {_RUNS}. "
        "If only a pooler keeps them, close them there"
    )


@contextmanager
def _sentences() -> Iterator[None]:
    """Raises: WrongSetting."""
    try:
        with losses():
            yield
    except (RecordsLost, DatabaseUnusable) as error:
        raise WrongSetting(
            "POSTGRES_URI", f"the database cannot be used ({error})", "start it, or correct it"
        ) from None


_CONNECTED: Final = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'passerby' AND pid <> pg_backend_pid()"
)
