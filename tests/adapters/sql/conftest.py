"""Databases for these tests. Each test gets one of its own, for each dialect."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.records_places import PostgresServer
from tests.contract.servers import postgres_uri
from tests.size import in_turn


def pytest_itemcollected(item: pytest.Item) -> None:
    """In `make test`, each test has one database."""
    in_turn(item, ("sqlite", "postgres"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_uri() as uri:
        yield PostgresServer(uri)


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as uri:
        yield uri


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Without tables: the path of a file that does not exist, or the URI of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "records.db")
    found: str = request.getfixturevalue("postgres_database")
    return found
