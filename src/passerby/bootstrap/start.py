"""Opens both stores. A start ends with stores that work, or with one sentence for the operator.

A server that is away is reported at once and waited for, because it may be starting up too. If it is needed and still
away after START_TIMEOUT_S, the start ends with a sentence (WrongSetting, exit code 2), and systemd, Docker or
supervisor begins the next one. A process that has been ready waits without end for servers that go away.

The records are not always needed: if the live store knows everybody who is busy, chats go on without PostgreSQL. All
waits here end when the process is told to stop.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, Final, TypeVar

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.sql import ConnectionPool, DatabaseUnusable, SqlRecords, release, unreadable
from passerby.adapters.sql import init_schema as sql_init_schema
from passerby.adapters.sql.installation import OtherKey, begin_run, claim_key, end_run
from passerby.adapters.sql.tombstones import keyed
from passerby.bootstrap.files import DISK, boot
from passerby.bootstrap.told_to_stop import ToldToStop
from passerby.ops.restore_note import AGAIN, PROBLEM
from passerby.ops.stores import away, database, init_schema, newer_release, unusable
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records, RecordsLost
from passerby.runtime.tasks import Background
from passerby.settings import Settings, WrongSetting, former_keys, is_key_lost, key_marks, open_key, other_key
from passerby.telemetry import logs

T = TypeVar("T")

PROBE_S: Final = 2.0
LOOK_AGAIN_S: Final = 5.0
KEEP_TRYING_S: Final = 1.0


class Start:
    """One start. `stop` ends every wait, with `ToldToStop`."""

    def __init__(self, settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._ends_at = clock.monotonic() + settings.start_timeout_s
        self._faults = logs.Faults()
        self._is_migrating = False
        self._is_over = False
        self._has_tables = False
        self._records_lost: RecordsLost | None = None
        self.had_crashed = False
        """Whether the run before, with a live store of its own, did not end on purpose. From the records."""
        self.failure: WrongSetting | None = None
        """Set if the process stops itself: the reason."""

    @asynccontextmanager
    async def live_store(self, log: FileLog | None, keys: Sequence[bytes], rng: Random) -> AsyncIterator[LiveStore]:
        """The live store: in memory with `log`, or Redis if `log` is None. `keys`: ours first.

        Raises: WrongSetting, ToldToStop."""
        store = await self._redis(keys, rng) if log is None else self._memory(log, rng)
        try:
            yield store
        finally:
            try:
                await store.aclose()
            except LiveStoreLost as error:
                logs.failed("store.lost", error, reason=str(error))

    def _memory(self, log: FileLog, rng: Random) -> LiveStore:
        try:
            return MemoryStore(log, self._clock, rng, boot=boot())
        except LiveStoreLost as error:
            log.close()
            name = self._settings.live_path.name
            raise WrongSetting("SQLITE_DB_PATH", f"{name} cannot be written: {error}", DISK) from None

    async def _redis(self, keys: Sequence[bytes], rng: Random) -> LiveStore:
        # Imported here because one process with its state in memory does not need it.
        from passerby.adapters.redis import RedisHalfRestored, RedisNewer, RedisOtherKey, RedisUnfit, open_redis

        settings = self._settings
        while True:
            try:
                opened = await self._unless_stopped(
                    open_redis(
                        settings.redis_url.get_secret_value(),
                        self._clock,
                        rng,
                        name=settings.redis_name,
                        replicas=settings.redis_replicas,
                        may_lose=settings.redis_may_lose_seconds,
                        key_marks=key_marks(keys[0], keys[1:]),
                        key_is_lost=is_key_lost(settings),
                        release=release(),
                    )
                )
            except RedisOtherKey:
                raise other_key("this Redis") from None
            except RedisHalfRestored:
                raise WrongSetting("REDIS_URL", PROBLEM, AGAIN) from None
            except RedisUnfit as error:
                raise WrongSetting("REDIS_URL", str(error), "then start again") from None
            except RedisNewer:
                raise newer_release("REDIS_URL", "this Redis") from None
            except LiveStoreLost as error:
                reason = "REDIS_URL does not answer yet"
                self._faults.began("store", "store.awaited", error=logs.name_of(error), reason=reason)
                if self._left_s <= 0:
                    raise self._redis_away(error) from None
                await self._unless_stopped(self._clock.sleep(KEEP_TRYING_S))
            else:
                self._faults.over("store", "store.there")
                for warning in opened.warnings:
                    logs.record("store.warned", "warning", reason=warning)
                return opened.store

    @asynccontextmanager
    async def records(self, *, needed: bool) -> AsyncIterator[SqlRecords]:
        """The records, with tables that are up to date. Raises: WrongSetting, ToldToStop.

        `needed`: the start cannot go on without them. Otherwise, if PostgreSQL is away, its tables are brought up to
        date later, in the background.
        """
        settings = self._settings
        background = Background(_tables_failed)
        try:
            await self._schema(background, needed=needed)
            pool = ConnectionPool(settings.db_pool_max, settings.db_pool_min, evict_every_s=settings.db_pool_evict_s)
            # Every process that shares the database must have the key, so it is at hand here.
            key = open_key(settings)
            pseudonyms = keyed(key, *former_keys(settings))
            unreadable.notes.name_people_with(key)
            records = SqlRecords.at(database(settings), pool, pseudonyms)
            tending = Background(lambda error: logs.failed("records.unusable", error))
            tending.spawn(records.tend(self._clock))
            try:
                async with self._run(records):
                    yield records
            finally:
                await tending.aclose()
                await records.aclose()
        finally:
            await background.aclose()

    @asynccontextmanager
    async def _run(self, records: SqlRecords) -> AsyncIterator[None]:
        """Note in the records that a process with its own live store runs, until it ends on purpose."""
        if self._settings.is_shared or not self._has_tables:
            yield
            return
        with suppress(RecordsLost):  # the disk will be reported soon
            self.had_crashed = await begin_run(records.engine)
        try:
            yield
        except (WrongSetting, ToldToStop, asyncio.CancelledError):
            await self._end_run(records)
            raise
        await self._end_run(records)

    async def _end_run(self, records: SqlRecords) -> None:
        with suppress(RecordsLost):
            await end_run(records.engine)

    async def _claim(self) -> None:
        """Raises: WrongSetting, DatabaseUnusable, RecordsLost."""
        settings = self._settings
        marks = key_marks(open_key(settings), former_keys(settings))
        try:
            await claim_key(database(settings), marks, key_is_lost=is_key_lost(settings))
        except OtherKey:
            what = "this database" if settings.postgres_uri else settings.sqlite_db_path.name
            raise other_key(what) from None

    async def _schema(self, background: Background, *, needed: bool) -> None:
        if self._settings.postgres_uri is None:
            await self._unless_stopped(init_schema(self._settings))
            try:
                await self._claim()
            except DatabaseUnusable as error:
                raise unusable(self._settings, error) from None
            except RecordsLost as error:
                raise away(self._settings, error) from None
            self._has_tables = True
            return
        first = asyncio.Event()
        making = background.spawn(self._make_tables(first))
        waits = [background.spawn(event.wait()) for event in (self._stop, *([] if needed else [first]))]
        while not (making.done() or self._stop.is_set() or (first.is_set() and not needed)):
            left_s = None if self._is_migrating else max(0.0, self._left_s)
            done, _ = await asyncio.wait((making, *waits), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if not done and not self._is_migrating:
                making.cancel()
                raise self._records_away(self._records_lost)
        if making.done():
            making.result()
            self._has_tables = True
        self._is_over = True
        if self._stop.is_set():
            raise ToldToStop

    async def _make_tables(self, first: asyncio.Event) -> None:
        """`first` is set at the first attempt that fails. Raises: WrongSetting, during the start."""

        def our_turn() -> None:
            self._is_migrating = True

        while True:
            try:
                await sql_init_schema(database(self._settings), our_turn)
                await self._claim()
            except WrongSetting as refused:
                if not self._is_over:
                    raise
                self.end(refused)
                return
            except DatabaseUnusable as error:
                wrong = unusable(self._settings, error)
                if not self._is_over:
                    raise wrong from None
                # Another process may be changing the tables at this moment.
                self._faults.began("unusable", "records.unusable", "error", setting=wrong.setting, reason=wrong.problem)
            except RecordsLost as error:
                self._records_lost = error
                reason = "POSTGRES_URI does not answer yet"
                self._faults.began("records", "records.awaited", error=str(error), reason=reason)
            except Exception as error:  # noqa: BLE001  # the tables are needed, so any failure is retried
                if self._faults.began("unusable", "records.unusable", "error", error=logs.name_of(error)):
                    logs.failed("records.unusable", error, "debug")
            else:
                self._faults.over("records", "records.there")
                return
            self._is_migrating = False
            first.set()
            await self._clock.sleep(KEEP_TRYING_S)

    def end(self, failure: WrongSetting) -> None:
        """Stop the process for this reason."""
        self.failure = failure
        self._stop.set()

    async def watch(self, store: LiveStore, records: Records, is_ready: Callable[[], bool]) -> None:
        """End the start, by `end`, if it is not over in time because a store is away."""
        await self._clock.sleep(max(0.0, self._left_s))
        while not is_ready():
            failure = await self._missing(store, records)
            if failure is not None:
                self.end(failure)
                return
            await self._clock.sleep(LOOK_AGAIN_S)

    async def watch_release(self, store: LiveStore) -> None:
        """Stop the process once a newer release uses the live store."""
        while not store.is_superseded:
            await self._clock.sleep(KEEP_TRYING_S)
        self.end(newer_release("REDIS_URL", "this Redis"))

    async def _missing(self, store: LiveStore, records: Records) -> WrongSetting | None:
        if isinstance(store, MemoryStore) and store.refusal is not None:
            return self._redis_away(store.refusal)
        looks: tuple[Coroutine[Any, Any, object], ...] = (store.figures(), records.applied(""))
        asked = [asyncio.ensure_future(look) for look in looks]
        # Not cancelled: a cancelled statement is first brought to its end, which may take too long.
        await asyncio.wait(asked, timeout=PROBE_S)
        failures = [task.exception() if task.done() else TimeoutError() for task in asked]
        if isinstance(failures[0], LiveStoreLost | TimeoutError) and not store.newborn:
            return self._redis_away(failures[0])
        if isinstance(failures[1], RecordsLost | TimeoutError):
            return self._records_away(failures[1])
        return None

    @property
    def _left_s(self) -> float:
        return self._ends_at - self._clock.monotonic()

    def _redis_away(self, error: BaseException) -> WrongSetting:
        if not self._settings.is_shared:
            return WrongSetting("SQLITE_DB_PATH", f"the live store cannot be used: {error}", DISK)
        why = str(error) if " " in str(error) else type(error).__name__
        problem = f"the server does not answer, or not usefully ({why})"
        return WrongSetting("REDIS_URL", problem, "start it, or correct the address")

    def _records_away(self, error: BaseException | None) -> WrongSetting:
        return away(self._settings, error or TimeoutError())

    async def _unless_stopped(self, work: Awaitable[T]) -> T:
        """The result of the work. Raises: ToldToStop."""
        doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise ToldToStop
            return doing.result()
        finally:
            for task in (doing, stopping):
                task.cancel()
            await asyncio.gather(doing, stopping, return_exceptions=True)


def _tables_failed(error: BaseException) -> None:
    if not isinstance(error, WrongSetting):  # that ends the start with its sentence
        logs.failed("records.unusable", error)
