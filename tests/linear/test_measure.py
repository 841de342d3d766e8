"""The measure tells linear work from quadratic work, on an idle machine and on a busy one."""

import re
from collections.abc import Callable
from random import Random

import pytest

from tests.linear.inputs import repeated
from tests.linear.measure import Work, grows
from tests.size import in_full


@pytest.mark.parametrize(("slow", "unit"), in_full([(r"\s+dot", " "), (r"[\w.]+@\w+\.com", "a."), (r"x*y*z", "x")], 1))
def test_the_measure_detects_a_pattern_that_is_not_linear(slow: str, unit: str) -> None:
    pattern = re.compile(slow)

    def work(length: int) -> Callable[[], object]:
        words = repeated(unit, length)
        return lambda: pattern.search(words)

    assert grows(work) is not None


class BusyMachine:
    """A clock that the work moves forward, sometimes by much more than it should."""

    def __init__(self, seed: int, cost_s: Callable[[int], float]) -> None:
        self.now_s = 0.0
        self._rng = Random(seed)
        self._cost_s = cost_s

    def work(self, length: int) -> Callable[[], object]:
        return lambda: self._spend(length)

    def _spend(self, length: int) -> None:
        disturbed = 2.5 if self._rng.random() < 0.3 else self._rng.uniform(1.0, 1.3)
        self.now_s += self._cost_s(length) * disturbed


def verdict(seed: int, cost_s: Callable[[int], float]) -> str | None:
    machine = BusyMachine(seed, cost_s)
    work: Work = machine.work
    return grows(work, lambda: machine.now_s)


NOT_LINEAR = {
    "quadratic": lambda n: 1e-9 * n**2,
    "quadratic and slow": lambda n: 1e-8 * n**2,
    "quadratic beside something linear": lambda n: 1e-9 * n**2 + 1e-7 * n,
    "quadratic from a length on": lambda n: 1e-8 * n**2 if n > 4_096 else 1e-7 * n,
    "cubic": lambda n: 1e-12 * n**3,
}
LINEAR = {
    "quick": lambda n: 1e-7 * n,
    "slow": lambda n: 1e-5 * n,
    "with a logarithm": lambda n: 1e-6 * n * n.bit_length(),
    "dear from a length on": lambda n: 1e-5 * n if n > 4_096 else 1e-7 * n,
    "dear from a shorter length on": lambda n: 1e-5 * n if n > 1_000 else 1e-7 * n,
    "a bound": lambda n: 1e-8 * min(n, 4_096) ** 2,
}


@pytest.mark.parametrize("kind", sorted(NOT_LINEAR))
def test_quadratic_work_is_detected_on_a_busy_machine(kind: str) -> None:
    assert all(verdict(seed, NOT_LINEAR[kind]) is not None for seed in range(200))


@pytest.mark.parametrize("kind", sorted(LINEAR))
def test_linear_work_passes_on_a_busy_machine(kind: str) -> None:
    assert all(verdict(seed, LINEAR[kind]) is None for seed in range(200))
