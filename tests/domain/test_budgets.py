"""The budget, compared with a count of every message in every time window."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.budgets import FULL, Budget

RATES = st.sampled_from(
    [0.25, 0.5, 1.0, 4.0, 32.0]
)  # exact in binary, so equal means equal, so that equality means equality
GAPS = st.lists(st.integers(0, 64).map(lambda steps: steps / 16), max_size=60)


def send(budget: Budget, arrivals: list[float]) -> list[float]:
    """When each message is sent if each waits as long as the budget says."""
    tat, now, sent = FULL, 0.0, []
    for arrival in arrivals:
        now = max(now, arrival)
        now += max(0.0, budget.wait_s(tat, now))
        tat = budget.spend(tat, now)
        sent.append(now)
    return sent


def arrivals_of(gaps: list[float]) -> list[float]:
    return [sum(gaps[: index + 1]) for index in range(len(gaps))]


@given(RATES, st.integers(1, 20), GAPS)
def test_no_time_window_contains_more_than_burst_and_rate_allow(rate: float, burst: int, gaps: list[float]) -> None:
    sent = send(Budget(rate, burst), arrivals_of(gaps))
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + rate * (sent[last] - sent[first]) + 1e-9


def bucket(rate: float, burst: int, arrivals: list[float]) -> list[float]:
    """The reference: a token bucket that fills gradually."""
    tokens, at, sent = float(burst), 0.0, []
    for arrival in arrivals:
        now = max(at, arrival)
        tokens = min(float(burst), tokens + (now - at) * rate)
        wait_s = max(0.0, (1 - tokens) / rate)
        tokens, at = tokens + wait_s * rate - 1, now + wait_s
        sent.append(at)
    return sent


@given(RATES, st.integers(1, 20), GAPS)
def test_nobody_waits_longer_than_with_a_token_bucket(rate: float, burst: int, gaps: list[float]) -> None:
    arrivals = arrivals_of(gaps)
    assert send(Budget(rate, burst), arrivals) == bucket(rate, burst, arrivals)


@given(RATES, st.integers(1, 20), st.integers(0, 60))
def test_a_full_bucket_may_be_forgotten(rate: float, burst: int, spent: int) -> None:
    budget, tat = Budget(rate, burst), FULL
    for _ in range(spent):
        tat = budget.spend(tat, 0.0)
    full = max(0.0, budget.full_at(tat))
    again = [full] * (burst + 1)
    remembered = []
    for now in again:
        remembered.append(budget.wait_s(tat, now))
        tat = budget.spend(tat, now)
    forgotten, tat = [], FULL
    for now in again:
        forgotten.append(budget.wait_s(tat, now))
        tat = budget.spend(tat, now)
    assert [max(0.0, wait) for wait in remembered] == [max(0.0, wait) for wait in forgotten]


def test_asking_costs_nothing() -> None:
    budget = Budget(1.0, 1)
    tat = budget.spend(FULL, 10.0)
    assert [budget.wait_s(tat, 10.25)] * 3 == [budget.wait_s(tat, 10.25) for _ in range(3)] == [0.75] * 3
