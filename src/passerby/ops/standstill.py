"""Keeps the stores free for commands that must have them alone: nothing of this installation may run meanwhile.

With a file, the lock of the live store shows it, and is held until the command ends. With Redis, the list of living
workers shows it. PostgreSQL shows who is connected, which also finds a process with another live store.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

import sqlalchemy as sa
from redis.exceptions import RedisError, ResponseError
from sqlalchemy.pool import NullPool

from passerby.adapters.memory import FileLog, LogInUse, LogNewer, LogOfAnother, MemoryStore, take_for
from passerby.adapters.redis import RedisNewer, RedisUnfit, open_redis
from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.keys import Keys
from passerby.adapters.sql import DatabaseUnusable, SqlRecords, release
from passerby.adapters.sql.engine import connect, database_url
from passerby.adapters.sql.failures import losses
from passerby.kernel.ids import BotId, PersonId
from passerby.ops.backup.ended_chats import Ended, begin, in_live_store
from passerby.ops.counting import counted
from passerby.ports.clock import Clock
from passerby.ports.live_store import Figures, LiveStore, LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.runtime.background.recorder import Recorder
from passerby.settings import Settings, WrongSetting, log_of_another
from passerby.telemetry import logs

_LOOKS: Final = 20
_LOOK_EVERY_S: Final = 0.5
"""A connection that was just closed is still listed for a moment."""
_DRAIN_S: Final = 600.0
_KEYS_AT_ONCE: Final = 1_000
_NOTHING: Final = Figures(0, 0, 0, 0)
_ASIDE: Final = "before-restore"
"""The content of an emptied live store has this in its names, until it is forgotten or put back."""
_RUNS: Final = "stop it first on every machine (passerby stop, or Ctrl-C)"


_Work = Callable[[Any, list[bytes]], Awaitable[int]]


class FleetRuns(Exception):
    """Something of this installation runs. The text is for the operator."""


class Standstill:
    """Nothing runs. `log` is the live store's, if it is a file."""

    def __init__(self, settings: Settings, clock: Clock, log: FileLog | None) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log

    async def empty_live_store(self) -> int:
        """Set everything in the live store aside. Returns how many keys or files that were. Raises: WrongSetting.

        Afterwards either `forget_live_store` or `put_live_store_back`.
        """
        if self._log is None:
            await self._redis_keys(self._unlink, f"{_ASIDE}:*")  # of a command that was killed
            return await self._redis_keys(self._set_aside)
        found = self._live_files()
        had = sum(each.stat().st_size > 0 for each in found)
        self._log.close()
        self._forget_files()
        for each in found:
            each.rename(self._aside(each))
        self._log = open_log(self._settings)
        return had

    async def forget_live_store(self) -> None:
        """Delete the things that were set aside. Raises: WrongSetting."""
        if self._log is None:
            await self._redis_keys(self._unlink, f"{_ASIDE}:*")
        else:
            self._forget_files()

    async def put_live_store_back(self) -> None:
        """Make the live store what it was before it was emptied. Raises: WrongSetting."""
        if self._log is None:
            await self._redis_keys(self._unlink_new)
            await self._redis_keys(self._bring_back, f"{_ASIDE}:*")
            return
        self._log.close()
        for each in self._live_files():
            each.unlink()
        live = self._settings.live_path
        for each in self._files_aside():
            each.rename(live.with_name(f"{live.name}{each.name.removeprefix(self._aside(live).name)}"))
        self._log = open_log(self._settings)

    def _live_files(self) -> list[Path]:
        path = self._settings.live_path
        return [each for each in path.parent.glob(f"{path.name}*") if not each.name.endswith(".lock")]

    def _aside(self, file: Path) -> Path:
        live = self._settings.live_path.name
        return file.with_name(f".{live}.{_ASIDE}{file.name.removeprefix(live)}")

    def _files_aside(self) -> list[Path]:
        path = self._aside(self._settings.live_path)
        return list(path.parent.glob(f"{path.name}*"))

    def _forget_files(self) -> None:
        for each in self._files_aside():
            each.unlink()

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
            raise _redis_away(error) from None

    async def record_journal(self, records: SqlRecords) -> Figures:
        """Bring what the live store still has for the records into them. Returns what is left in it.

        Raises: FleetRuns, if it cannot be done now; WrongSetting.
        """
        rng = SystemRandom()
        async with self._live_store() as store:
            try:
                whole = await Recorder(store, records, self._clock, rng, logs.record).drain(_DRAIN_S)
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
                self._log = open_log(self._settings)  # the store has closed the one before

    async def _redis_keys(self, work: "_Work", pattern: str = "*") -> int:
        """Do something with all keys of a pattern, and count them. Raises: WrongSetting."""
        name = self._settings.redis_name
        count = 0
        try:
            connection = await connector(self._settings.redis_url.get_secret_value(), Keys(name))()
            try:
                cursor: Any = b"0"
                while True:
                    match = f"{{{name}}}:{pattern}"
                    await connection.send_command("SCAN", cursor, "MATCH", match, "COUNT", str(_KEYS_AT_ONCE))
                    cursor, found = await connection.read_response()
                    count += await work(connection, [os.fsencode(key) for key in found])
                    if cursor in (b"0", "0", 0):
                        return count
            finally:
                await connection.disconnect(nowait=True)
        except (RedisError, OSError) as error:
            raise _redis_away(error) from None

    @property
    def _prefixes(self) -> tuple[bytes, bytes]:
        """Of all keys, and of those that are set aside."""
        ours = f"{{{self._settings.redis_name}}}:".encode()
        return ours, ours + f"{_ASIDE}:".encode()

    async def _set_aside(self, connection: Any, keys: list[bytes]) -> int:
        ours, aside = self._prefixes
        return await _rename(connection, {key: aside + key[len(ours) :] for key in keys if not key.startswith(aside)})

    async def _bring_back(self, connection: Any, keys: list[bytes]) -> int:
        ours, aside = self._prefixes
        return await _rename(connection, {key: ours + key[len(aside) :] for key in keys})

    async def _unlink_new(self, connection: Any, keys: list[bytes]) -> int:
        return await self._unlink(connection, [key for key in keys if not key.startswith(self._prefixes[1])])

    @staticmethod
    async def _unlink(connection: Any, keys: list[bytes]) -> int:
        if not keys:
            return 0
        await connection.send_command("UNLINK", *keys)
        return int(await connection.read_response())

    def close(self) -> None:
        if self._log is not None:
            self._log.close()


async def _rename(connection: Any, names: Mapping[bytes, bytes]) -> int:
    done = 0
    for old, new in names.items():
        await connection.send_command("RENAMENX", old, new)  # a scan may show a key twice
        try:
            done += int(await connection.read_response())
        except ResponseError:  # it has run out, or was renamed before
            continue
    return done


@asynccontextmanager
async def standstill(settings: Settings, clock: Clock) -> AsyncIterator[Standstill]:
    """Raises: FleetRuns, if something runs; WrongSetting, if a store does not answer."""
    still = Standstill(settings, clock, None if settings.is_shared else open_log(settings))
    try:
        if settings.is_shared:
            await _no_workers(settings, clock)
        if settings.postgres_uri is not None:
            await nobody_connected(settings.postgres_uri.get_secret_value(), clock)
        yield still
    finally:
        still.close()


def open_log(settings: Settings) -> FileLog:
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


async def _redis(settings: Settings, clock: Clock, *, looks: bool = True) -> LiveStore:
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
        )
    except RedisUnfit as error:
        raise WrongSetting("REDIS_URL", str(error), "then try again") from None
    except RedisNewer:
        raise _newer("REDIS_URL", "this Redis") from None
    except LiveStoreLost as error:
        raise _redis_away(error) from None
    return opened.store


def _newer(setting: str, what: str) -> WrongSetting:
    return WrongSetting(setting, f"a newer release of Passerby has used {what}", "use that release instead")


async def _no_workers(settings: Settings, clock: Clock) -> None:
    store = await _redis(settings, clock)
    try:
        workers = (await store.members()).workers
    except LiveStoreLost as error:
        raise _redis_away(error) from None
    finally:
        await store.aclose()
    if workers:
        raise FleetRuns(
            f"{counted(len(workers), 'process of Passerby runs', 'processes of Passerby run')}, as Redis says: {_RUNS}"
        )


async def nobody_connected(uri: str, clock: Clock) -> None:
    """Raises: FleetRuns, if another process of ours is connected to this database; WrongSetting."""
    engine = connect(database_url(uri), poolclass=NullPool)
    try:
        with losses():
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
    except (RecordsLost, DatabaseUnusable) as error:
        raise WrongSetting(
            "POSTGRES_URI", f"the database cannot be used ({error})", "start it, or correct it"
        ) from None
    finally:
        await engine.dispose()


def _redis_away(error: BaseException) -> WrongSetting:
    problem = f"the server does not answer, or not usefully ({type(error).__name__})"
    return WrongSetting("REDIS_URL", problem, "start it, or correct the address")


_CONNECTED: Final = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'passerby' AND pid <> pg_backend_pid()"
)
