"""Servers that the contracts are tried on: one of each for a process of the test run, started when first asked for."""

from collections.abc import Iterator

import pytest

from tests.contract.servers import Valkey, start_valkey


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """Ours alone: it is emptied, stopped and started again."""
    with start_valkey("--appendonly", "yes") as server:
        yield server
