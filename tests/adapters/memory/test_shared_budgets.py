"""The memory store's buckets, in exact time: they grant the budget, and never more."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.adapters.memory.shared_budgets import Buckets
from passerby.kernel.ids import BotId, PersonId
from passerby.ports.shared_budgets import Account, Grant

ACCOUNT = Account(BotId(1000001))
LEEWAY = 1e-6


@given(
    rate_per_s=st.sampled_from([0.05, 1.0, 1.1, 3.0, 30.0, 1000.0]),
    burst=st.integers(1, 40),
    asks=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50), st.integers(0, 3)), max_size=60),
)
def test_no_period_grants_more_than_the_budget(
    rate_per_s: float, burst: int, asks: list[tuple[float, int, int]]
) -> None:
    """Several callers ask, after a pause or as soon as they may."""
    buckets, now, granted = Buckets(), 1000.0, list[tuple[float, int]]()
    for pause_s, wanted, patience in asks:
        now += pause_s
        grant = buckets.reserve(ACCOUNT, rate_per_s, burst, wanted, now)
        for _ in range(patience):
            if grant.granted:
                break
            now += grant.wait_s
            grant = buckets.reserve(ACCOUNT, rate_per_s, burst, wanted, now)
        assert 0 <= grant.granted <= wanted
        assert (grant.wait_s > 0) == (grant.granted == 0)
        granted.append((now, grant.granted))
        if pause_s > 4:
            buckets.sweep(now)
    for first in range(len(granted)):
        total = 0
        for at, count in granted[first:]:
            total += count
            assert total <= burst + rate_per_s * (at - granted[first][0]) + LEEWAY


@given(rate_per_s=st.floats(0.01, 1000), burst=st.integers(1, 40))
def test_waiting_as_long_as_told_is_enough_for_one_message(rate_per_s: float, burst: int) -> None:
    buckets, now = Buckets(), 1000.0
    assert buckets.reserve(ACCOUNT, rate_per_s, burst, burst, now).granted == burst
    grant = buckets.reserve(ACCOUNT, rate_per_s, burst, 1, now)
    assert grant.granted == 0
    now += grant.wait_s + 1e-9
    assert buckets.reserve(ACCOUNT, rate_per_s, burst, burst, now).granted == 1


def test_full_buckets_and_expired_holds_are_dropped() -> None:
    buckets = Buckets()
    for person in range(10):
        buckets.reserve(Account(BotId(1000001), PersonId(person)), 1.0, 5, 2, 100.0)
        buckets.hold(Account(BotId(1000001), PersonId(person)), 1.0, 100.0)
    buckets.sweep(101.9)
    assert (len(buckets._tats), len(buckets._held)) == (10, 0)
    buckets.sweep(102.1)
    assert len(buckets._tats) == 0


def test_only_expired_holds_are_dropped() -> None:
    buckets = Buckets()
    buckets.hold(ACCOUNT, 10.0, 100.0)
    buckets.sweep(109.0)
    assert buckets.reserve(ACCOUNT, 1.0, 5, 1, 109.0) == Grant(0, 1.0)
    assert buckets.reserve(ACCOUNT, 1.0, 5, 1, 110.0) == Grant(1, 0.0)
