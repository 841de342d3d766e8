"""Puts the tests that take long where a parallel run meets them early.

xdist gives each process one stretch of the list. A process that has finished its own takes the end of another's. So
the run ends evenly if each stretch begins with long tests and ends with short ones. Tests that share a browser are
together.
"""

from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")

SLOW = (
    ("tests/browser/",),
    ("tests/faults/", "tests/loadtest/test_loadtest.py", "tests/web/test_webhooks_and_kills.py"),
    ("tests/cli/", "tests/docs/test_tutorial.py"),
    ("tests/simulation/", "tests/botapi_sandbox/foreign/", "tests/ops/"),
)
"""Which places one stretch begins with, and which ones the next."""


def slow_first(tests: Iterable[T], workers: int, place: Callable[[T], str]) -> list[T]:
    """Return the same tests in another order. `place` is the file of a test, as in `SLOW`."""
    groups: list[list[T]] = [[] for _ in range(workers)]
    quick: list[T] = []
    for test in tests:
        at = next((at for at, places in enumerate(SLOW) if place(test).startswith(places)), None)
        (quick if at is None else groups[at % workers]).append(test)
    left = len(quick) + sum(map(len, groups))
    rest = iter(quick)
    stretches: list[list[T]] = []
    for number, group in enumerate(groups):
        share = left // (workers - number)
        stretches.append([*group, *islice(rest, max(0, share - len(group)))])
        left -= len(stretches[-1])
    return [*chain.from_iterable(stretches), *rest]
