"""Servers for the contracts: one of each per process of the test run, started on first use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.declared import watch_all
from tests.contract.live_cluster import Cluster, start_cluster
from tests.contract.live_places import PLACES, SERVICES, Place
from tests.contract.records_places import PostgresServer, SqlPlace
from tests.contract.servers import Valkey, postgres_uri, start_valkey
from tests.size import in_turn


def pytest_itemcollected(item: pytest.Item) -> None:
    """Each test of the live store runs in memory, over Redis and with one of three more; each of the records in memory
    and with one database."""
    in_turn(item, ("cluster", "late memory", "late redis"))
    in_turn(item, ("sqlite", "postgres"))


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """Used by no other run: it is emptied, killed and restarted. `everysec` could lose acknowledged writes."""
    with start_valkey("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster of three nodes."""
    with start_cluster() as nodes:
        yield nodes


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.services] if name in SERVICES else []) for name in PLACES]
)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The place for the live store's contract. In a cluster, a script may only touch keys that it was given."""
    if request.param == "cluster":
        watch_all(monkeypatch)
    return PLACES[request.param](request)


@pytest.fixture(scope="session")
def postgres() -> Iterator[SqlPlace]:
    with postgres_uri() as uri, PostgresServer(uri).migrated() as database:
        yield SqlPlace(database)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> SqlPlace:
    return SqlPlace.in_file(tmp_path / "records.db")


@pytest.fixture
def postgres_place(postgres: SqlPlace) -> SqlPlace:
    return postgres.empty()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def database(request: pytest.FixtureRequest) -> SqlPlace:
    """A place for the records' contract where only databases can break it."""
    found: SqlPlace = request.getfixturevalue(f"{request.param}_place")
    return found
