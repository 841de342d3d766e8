"""How CPU time grows with the length of an input.

No time is held against a clock: a slow machine is slow for both lengths. What is held is how much more the fourfold
input
costs. Linear work costs four times as much, quadratic work sixteen times; between the two is room for a machine that is
busy with something else. What is too quick to be measured at the greater length is quick enough.
"""

from collections.abc import Callable
from time import process_time

SHORT = 2_000
TIMES = 4
MOST = 9.0
"""How many times as much the fourfold input may cost."""
TOO_QUICK_S = 0.004
"""Quadratic work over 8,000 characters takes ten times as long with the fastest of steps."""


def grows(work: Callable[[int], Callable[[], object]]) -> str | None:
    """What is wrong with how work grows; None if it is linear. `work` prepares the work for a length."""
    return _grows(work, SHORT) and _grows(work, SHORT * TIMES)


def _grows(work: Callable[[int], Callable[[], object]], length: int) -> str | None:
    """One step: at one step alone something may begin that costs nothing before, and is linear from there on."""
    long = work(length * TIMES)
    if _time(long, 1) < TOO_QUICK_S:
        return None
    short = work(length)
    ratios = []
    for _ in range(4):  # a disturbance makes a ratio worse, never better for long: the best one counts
        ratio = _time(long, 2) / max(_time(short, 4), 1e-6)
        if ratio <= MOST:
            return None
        ratios.append(ratio)
    return f"{TIMES} times the length takes {min(ratios):.1f} times as long ({_time(long, 1) * 1000:.0f} ms)"


def _time(work: Callable[[], object], times: int) -> float:
    best = float("inf")
    for _ in range(times):
        began = process_time()
        work()
        best = min(best, process_time() - began)
    return best
