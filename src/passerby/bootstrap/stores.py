"""Opens what a process stands on: its files and its servers. Every start ends in stores that work, or in one sentence.

A server that is away is said at once and waited for, because it may be starting up, too. If it is needed and still away
after START_S, the start ends with a sentence (WrongSetting, exit code 2), and systemd, Docker or supervisor begin the
next one. Once a process has been ready, it waits for servers that go away without end.

The records are not always needed: if the live store knows everybody who is busy, chats go on without PostgreSQL.
Whatever waits here ends when the process is told to stop.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

from passerby.adapters.memory import FileLog, LogInUse, MemoryStore
from passerby.adapters.redis import RedisUnfit, open_redis
from passerby.adapters.sql import DatabaseUnusable, SchemaState
from passerby.adapters.sql import init_schema as sql_init_schema
from passerby.adapters.sql import schema_state as sql_schema_state
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records, RecordsLost
from passerby.runtime.tasks import Background
from passerby.settings import Settings, WrongSetting
from passerby.telemetry import logs

T = TypeVar("T")

START_S: Final = 20.0
"""How long a start waits for a server. What follows, the last look and the goodbye, takes a few seconds more."""
PROBE_S: Final = 2.0
LOOK_AGAIN_S: Final = 5.0
KEEP_TRYING_S: Final = 1.0

DISK: Final = "make room, or let this user write to it and its directory, and start again"


class Start:
    """One start. `stop` ends every wait."""

    def __init__(self, settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._ends_at = clock.monotonic() + START_S
        self._faults = logs.Faults()
        self._is_migrating = False
        self._is_over = False
        self._records_lost: RecordsLost | None = None
        self.failure: WrongSetting | None = None
        """Why the process was stopped, if by itself."""

    async def live_store(self, log: FileLog | None, rng: Random) -> LiveStore | None:
        """The live store over `log`, or else Redis. None: told to stop. Raises: WrongSetting."""
        if log is None:
            return await self._redis(rng)
        try:
            return MemoryStore(log, self._clock, rng)
        except LiveStoreLost as error:
            log.close()
            name = live_path(self._settings).name
            raise WrongSetting("SQLITE_DB_PATH", f"{name} cannot be written: {error}", DISK) from None

    async def _redis(self, rng: Random) -> LiveStore | None:
        settings = self._settings
        url = settings.redis_url.get_secret_value()
        while not self._stop.is_set():
            try:
                opened = await self._unless_stopped(
                    open_redis(
                        url,
                        self._clock,
                        rng,
                        name=settings.redis_name,
                        replicas=settings.redis_replicas,
                        may_lose=settings.redis_may_lose_seconds,
                    )
                )
            except RedisUnfit as error:
                raise WrongSetting("REDIS_URL", str(error), "then start again") from None
            except LiveStoreLost as error:
                reason = "REDIS_URL does not answer yet"
                self._faults.began("store", "store.awaited", error=logs.name_of(error), reason=reason)
                if self._left_s <= 0:
                    raise self._redis_away(error) from None
                await self._unless_stopped(self._clock.sleep(KEEP_TRYING_S))
            else:
                if opened is None:
                    break
                self._faults.over("store", "store.there")
                for warning in opened.warnings:
                    logs.record("store.warned", "warning", reason=warning)
                return opened.store
        return None

    async def schema(self, closing: AsyncExitStack, *, needed: bool) -> bool:
        """Bring the tables up to date. Returns False if told to stop. Raises: WrongSetting.

        `needed`: the start cannot go on without the records. Otherwise, if PostgreSQL is away, it is done later, in the
        background.
        """
        if self._settings.postgres_uri is None:
            return await self._unless_stopped(init_schema(self._settings)) is not None
        first = asyncio.Event()
        background = Background(lambda error: logs.failed("records.unusable", error))
        closing.push_async_callback(background.aclose)
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
        self._is_over = True
        return not self._stop.is_set()

    async def _make_tables(self, first: asyncio.Event) -> None:
        """`first` is set when the server did not answer for the first time. Raises: WrongSetting, during the start."""

        def our_turn() -> None:
            self._is_migrating = True

        while True:
            try:
                await sql_init_schema(database(self._settings), our_turn)
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
        """Stop, with this as the reason."""
        self.failure = failure
        self._stop.set()

    async def watch(self, store: LiveStore, records: Records, is_ready: Callable[[], bool]) -> None:
        """End the start if it is not over in time because a store is away: then `failure` is set, and `stop`."""
        await self._clock.sleep(max(0.0, self._left_s))
        while not is_ready():
            failure = await self._missing(store, records)
            if failure is not None:
                self.end(failure)
                return
            await self._clock.sleep(LOOK_AGAIN_S)

    async def _missing(self, store: LiveStore, records: Records) -> WrongSetting | None:
        looks: tuple[Coroutine[Any, Any, object], ...] = (store.figures(), records.applied(""))
        asked = [asyncio.ensure_future(look) for look in looks]
        # Not cancelled: a statement is brought to its end, which may take longer than there is time.
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
        problem = f"the server does not answer, or not usefully ({type(error).__name__})"
        return WrongSetting("REDIS_URL", problem, "start it, or correct the address")

    def _records_away(self, error: BaseException | None) -> WrongSetting:
        return away(self._settings, error or TimeoutError())

    async def _unless_stopped(self, work: Awaitable[T]) -> T | None:
        """The result; None if told to stop before."""
        doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            for task in (doing, stopping):
                task.cancel()
            await asyncio.gather(doing, stopping, return_exceptions=True)


def open_log(settings: Settings) -> FileLog:
    """Raises: WrongSetting."""
    path = live_path(settings)
    try:
        return FileLog(path)
    except LogInUse:
        raise WrongSetting(
            "SQLITE_DB_PATH", f"another Passerby uses {path.name} now", "stop it, or give this one another path"
        ) from None
    except OSError as error:
        remedy = "remove that directory, or name another file" if path.is_dir() else DISK
        raise WrongSetting("SQLITE_DB_PATH", f"{path.name} cannot be opened ({error.strerror})", remedy) from None


def heed_key(log: FileLog, key: bytes, former: Iterable[bytes]) -> None:
    """Say so if the live store was used with a key that is not known any more. Said once: then the new one counts."""
    marks = [hmac.digest(each, b"passerby key mark", hashlib.sha256)[:16] for each in (key, *former)]
    with suppress(OSError):  # the disk is asked again soon, by others
        if log.mark and log.mark not in marks:
            reason = (
                f"{log.name} was used with another key: what is parked with it stays unreadable unless "
                "SECRET_KEY_PREVIOUS names it"
            )
            logs.record("key.other", "warning", setting="SECRET_KEY", reason=reason)
        if log.mark != marks[0]:
            log.put_mark(marks[0])


def live_path(settings: Settings) -> Path:
    """Where the live store of one process keeps its log: beside the database."""
    return settings.sqlite_db_path.with_suffix(".live")


def database(settings: Settings) -> str | Path:
    return settings.postgres_uri.get_secret_value() if settings.postgres_uri else settings.sqlite_db_path


async def init_schema(settings: Settings) -> SchemaState:
    """Bring the database's tables up to date; return what they were at. Raises: WrongSetting."""
    try:
        return await sql_init_schema(database(settings))
    except DatabaseUnusable as error:
        raise unusable(settings, error) from None
    except RecordsLost as error:
        raise away(settings, error) from None


async def schema_state(settings: Settings) -> SchemaState:
    """What the database's tables are at, changing nothing. Raises: WrongSetting."""
    try:
        return await sql_schema_state(database(settings))
    except DatabaseUnusable as error:
        raise unusable(settings, error) from None
    except RecordsLost as error:
        raise away(settings, error) from None


def away(settings: Settings, error: BaseException) -> WrongSetting:
    if settings.postgres_uri:
        why = str(error) or type(error).__name__
        return WrongSetting("POSTGRES_URI", f"the database does not answer ({why})", "start it, or correct the address")
    name = settings.sqlite_db_path.name
    problem = f"{name} cannot be used now: {str(error) or 'the disk does not answer'}"
    return WrongSetting("SQLITE_DB_PATH", problem, "end the other program, or make room, and start again")


def unusable(settings: Settings, error: DatabaseUnusable) -> WrongSetting:
    if settings.postgres_uri:
        return WrongSetting("POSTGRES_URI", error.problem, error.remedy or "correct it, or create what it names")
    return WrongSetting("SQLITE_DB_PATH", error.problem, error.remedy or "name a file that can be written")
