"""Servers that the contracts are tried on: one of each for a process of the test run, started when first asked for."""

from collections.abc import Iterator

import pytest

from tests.contract.declared import watch_all
from tests.contract.live_cluster import Cluster, start_cluster
from tests.contract.live_places import PLACES, SERVICES, Place
from tests.contract.servers import Valkey, start_valkey


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """Ours alone: it is emptied, killed and started again. Synced always: everysec may lose what it acknowledged."""
    with start_valkey("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three nodes of ours."""
    with start_cluster() as nodes:
        yield nodes


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.services] if name in SERVICES else []) for name in PLACES]
)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Where the live store's contract is tried. In a cluster, no script may touch a key that it was not given."""
    if request.param == "cluster":
        watch_all(monkeypatch)
    return PLACES[request.param](request)
