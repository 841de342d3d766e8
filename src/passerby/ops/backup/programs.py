"""PostgreSQL's own programs for backups: where they are, whether they fit the server, and how they are run.

`pg_dump` refuses a server that is newer than itself, so the version is compared first. Several versions may be
installed; Debian has each in a directory of its own. The oldest one that fits is used: what it writes can be read by
the server's own programs.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from passerby.ops.backup.failure import BackupFailed

_READ: Final = 1 << 20
_KEPT_COMPLAINTS: Final = 4_000
_ELSEWHERE: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/opt/postgresql@*/bin")


class Address(NamedTuple):
    """An address without its password, and the password, which no list of processes may show."""

    uri: str
    password: str | None

    @classmethod
    def of(cls, uri: str, database: str | None = None) -> "Address":
        """From what POSTGRES_URI accepts. `database`: another database on the same server."""
        parts = urlsplit(uri)
        login, at, host = parts.netloc.rpartition("@")
        user, colon, password = login.partition(":")
        query = parts.query.replace("ssl=", "sslmode=") if "sslmode=" not in parts.query else parts.query
        path = parts.path if database is None else f"/{database}"
        return cls(
            urlunsplit(("postgresql", f"{user}{at}{host}", path, query, "")), unquote(password) if colon else None
        )

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PGAPPNAME": "passerby backup"} | ({"PGPASSWORD": self.password} if self.password else {})


class Program(NamedTuple):
    path: Path
    major: int


async def program(name: str, server_major: int) -> Program:
    """The program that fits a server of this version. Raises: BackupFailed."""
    found = [each for path in _paths(name) if (each := await _version(path)) is not None]
    fitting = [each for each in found if each.major >= server_major]
    if fitting:
        return min(fitting, key=lambda each: each.major)
    remedy = f"install it (Debian: apt install postgresql-client-{server_major}), or add its directory to PATH"
    if not found:
        raise BackupFailed(f"{name} is not installed: {remedy}")
    newest = max(each.major for each in found)
    raise BackupFailed(f"{name} is of version {newest}, and the server of {server_major}: {remedy}")


def _paths(name: str) -> Iterator[Path]:
    elsewhere = (str(path) for pattern in _ELSEWHERE for path in Path("/").glob(pattern[1:]))
    for directory in (*os.environ.get("PATH", os.defpath).split(os.pathsep), *elsewhere):
        if found := shutil.which(name, path=directory):
            yield Path(found)


async def _version(path: Path) -> Program | None:
    process = await asyncio.create_subprocess_exec(
        path, "--version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    found = re.search(rb"\) (\d+)", said)
    return Program(path, int(found[1])) if found else None


@asynccontextmanager
async def output(program: Program, address: Address, *arguments: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """The program's output. Raises: BackupFailed at the end, if it failed. It is killed if the block is left."""
    async with _started(program, address, *arguments, gives=True) as process:
        assert process.stdout is not None
        reader = process.stdout

        async def read() -> AsyncIterator[bytes]:
            while data := await reader.read(_READ):
                yield data

        yield read()


async def feed(program: Program, address: Address, source: AsyncIterable[bytes], *arguments: str) -> None:
    """Give the program a stream to read. Raises: BackupFailed, or what the source raises."""
    async with _started(program, address, *arguments, gives=False) as process:
        assert process.stdin is not None
        try:
            async for data in source:
                process.stdin.write(data)
                await process.stdin.drain()
            process.stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has ended, and says why


@asynccontextmanager
async def _started(
    program: Program, address: Address, *arguments: str, gives: bool
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        program.path,
        *arguments,
        f"--dbname={address.uri}",
        stdin=asyncio.subprocess.DEVNULL if gives else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if gives else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=address.environment,
    )
    complaining = asyncio.ensure_future(_complaints(process))
    try:
        yield process
        if await process.wait():
            sentence = _sentence(await complaining) or f"it ended with code {process.returncode}, and does not say why"
            raise BackupFailed(f"{program.path.name} failed: {sentence}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        complaining.cancel()


async def _complaints(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    kept = b""
    while data := await process.stderr.read(_READ):
        kept = (kept + data)[:_KEPT_COMPLAINTS]
    return kept.decode("utf-8", "replace")


def _sentence(complaints: str) -> str:
    """The first line, if any. It may not quote a row: those are in lines that begin with DETAIL or CONTEXT."""
    lines = [line for line in complaints.splitlines() if "error" in line.lower()] or complaints.splitlines()
    return (lines or [""])[0].rpartition("error: ")[2].strip()
