"""Sets the content of the live store aside for a restore, brings it back, or forgets it: files, or keys in Redis.

With it is the note that says how far the restore is (`restore_note`).
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from redis.exceptions import RedisError, ResponseError

from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.keys import Keys
from passerby.ops.backup.directory import replace_file, to_disk
from passerby.ops.restore_note import Step, noted_in_file, path_of_note, read_note
from passerby.settings import Settings, WrongSetting

_KEYS_AT_ONCE: Final = 1_000
_NAME: Final = "before-restore"
"""The things that are set aside have this in their names."""

_Work = Callable[[Any, list[bytes]], Awaitable[int]]


class Aside(Protocol):
    """Each step may be repeated after a kill. Raises: WrongSetting, OSError."""

    async def take(self) -> int:
        """Set everything aside, and forget what was set aside before. Returns how many keys or files that were."""
        ...

    async def forget(self) -> None:
        """Delete what was set aside."""
        ...

    async def make_place(self) -> None:
        """If anything was set aside, delete what has taken its place."""
        ...

    async def bring_back(self) -> None:
        """Give what was set aside its place again."""
        ...

    async def note(self, step: Step | None) -> None:
        """None: no restore is going on."""
        ...

    async def noted(self) -> Step | None: ...


class FilesAside:
    """The log must be closed, except for notes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._live = settings.live_path

    async def take(self) -> int:
        found = self._files()
        had = sum(each.stat().st_size > 0 for each in found)
        await self.forget()
        for each in found:
            each.rename(each.with_name(f"{self._prefix}{each.name.removeprefix(self._live.name)}"))
        return had

    async def forget(self) -> None:
        for each in self._files_aside():
            each.unlink()

    async def make_place(self) -> None:
        if self._files_aside():
            for each in self._files():
                each.unlink()

    async def bring_back(self) -> None:
        for each in self._files_aside():
            each.rename(each.with_name(f"{self._live.name}{each.name.removeprefix(self._prefix)}"))

    async def note(self, step: Step | None) -> None:
        path = path_of_note(self._settings)
        if step is not None:
            replace_file(path, step.value.encode())
        elif path.exists():
            path.unlink()
            to_disk(path.parent)

    async def noted(self) -> Step | None:
        return noted_in_file(self._settings)

    @property
    def _prefix(self) -> str:
        return f".{self._live.name}.{_NAME}"

    def _files(self) -> list[Path]:
        return [each for each in self._live.parent.glob(f"{self._live.name}*") if not each.name.endswith(".lock")]

    def _files_aside(self) -> list[Path]:
        return list(self._live.parent.glob(f"{self._prefix}*"))


class KeysAside:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._note = Keys(settings.redis_name).restore
        self._ours = f"{{{settings.redis_name}}}:".encode()
        self._prefix = self._ours + f"{_NAME}:".encode()

    async def take(self) -> int:
        await self.forget()
        return await self._each(self._rename_aside)

    async def forget(self) -> None:
        await self._each(self._unlink, f"{_NAME}:*")

    async def make_place(self) -> None:
        if await self._each(self._count, f"{_NAME}:*"):
            await self._each(self._unlink_new)

    async def bring_back(self) -> None:
        await self._each(self._rename_back, f"{_NAME}:*")

    async def note(self, step: Step | None) -> None:
        words = ("SET", self._note, step.value) if step is not None else ("UNLINK", self._note)
        await self._ask(*words)

    async def noted(self) -> Step | None:
        return read_note(await self._ask("GET", self._note))

    async def _ask(self, *words: Any) -> Any:
        async def ask(connection: Any) -> Any:
            await connection.send_command(*words)
            return await connection.read_response()

        return await self._connected(ask)

    async def _each(self, work: _Work, pattern: str = "*") -> int:
        """Do something with all keys of a pattern, and count them."""

        async def scan(connection: Any) -> int:
            count = 0
            cursor: Any = b"0"
            match = self._ours + pattern.encode()
            while True:
                await connection.send_command("SCAN", cursor, "MATCH", match, "COUNT", str(_KEYS_AT_ONCE))
                cursor, found = await connection.read_response()
                count += await work(connection, [os.fsencode(key) for key in found])
                if cursor in (b"0", "0", 0):
                    return count

        return int(await self._connected(scan))

    async def _connected(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        """Raises: WrongSetting."""
        try:
            connection = await connector(self._settings.redis_url.get_secret_value(), Keys(self._settings.redis_name))()
            try:
                return await work(connection)
            finally:
                await connection.disconnect(nowait=True)
        except (RedisError, OSError) as error:
            raise redis_away(error) from None

    async def _rename_aside(self, connection: Any, keys: list[bytes]) -> int:
        names = {key: self._prefix + key[len(self._ours) :] for key in self._live(keys)}
        return await _rename(connection, names)

    async def _rename_back(self, connection: Any, keys: list[bytes]) -> int:
        return await _rename(connection, {key: self._ours + key[len(self._prefix) :] for key in keys})

    async def _unlink_new(self, connection: Any, keys: list[bytes]) -> int:
        return await self._unlink(connection, self._live(keys))

    def _live(self, keys: list[bytes]) -> list[bytes]:
        """Without those that are set aside, and without the note."""
        return [key for key in keys if key != self._note and not key.startswith(self._prefix)]

    @staticmethod
    async def _count(_: Any, keys: list[bytes]) -> int:
        return len(keys)

    @staticmethod
    async def _unlink(connection: Any, keys: list[bytes]) -> int:
        if not keys:
            return 0
        await connection.send_command("UNLINK", *keys)
        return int(await connection.read_response())


async def _rename(connection: Any, names: Mapping[bytes, bytes]) -> int:
    done = 0
    for old, new in names.items():
        await connection.send_command("RENAMENX", old, new)  # a scan may show a key twice
        try:
            done += int(await connection.read_response())
        except ResponseError:  # it has run out, or was renamed before
            continue
    return done


def redis_away(error: BaseException) -> WrongSetting:
    problem = f"the server does not answer, or not usefully ({type(error).__name__})"
    return WrongSetting("REDIS_URL", problem, "start it, or correct the address")
