"""In `make test`, each of these tests runs over one pair of stores."""

import pytest

from tests.scenario.stores import FILE, SERVERS
from tests.size import in_turn


def pytest_itemcollected(item: pytest.Item) -> None:
    in_turn(item, (FILE, SERVERS))
