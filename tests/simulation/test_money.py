"""Random histories of money: whatever happens, the ledger says what Telegram's transactions say, and nobody loses a day
that they paid for."""

import pytest

from tests.scenario.stores import FILE, SERVERS, opened
from tests.simulation.money import judged
from tests.size import size


@pytest.mark.sized
def test_the_ledger_equals_telegrams_transactions_and_nobody_loses_a_paid_day() -> None:
    assert {seed: wrong for seed in range(size(120, 10_000)) if (wrong := judged(seed))} == {}


@pytest.mark.sized
@pytest.mark.parametrize("stores", [FILE, pytest.param(SERVERS, marks=pytest.mark.services)])
def test_the_ledger_is_the_same_over_every_pair_of_stores(stores: str) -> None:
    for seed in range(size(1, 200)):
        place, shelf = opened(stores)
        try:
            assert judged(seed, place, shelf) == []
        finally:
            shelf.close()
