"""How CPU time grows with the length of an input.

No duration is compared with a limit, because a slow machine is slow at every length. The test compares how much more a
longer input costs. It measures three lengths, each four times the one before. In each step, linear work grows four
times and quadratic work sixteen times; the limit is eight, for both steps. Disturbances only add time. So several
rounds measure one length after another, and the shortest time of each length counts. For a wrong answer, a busy machine
must slow down every run of one length and spare a run of the next. Work that is too quick to be measured at 8,000
characters is quick enough.
"""

import gc
from collections.abc import Callable
from time import thread_time

Work = Callable[[int], Callable[[], object]]
"""Prepares the work for a length, and returns the work to measure."""

SCALES = ((500, 2_000, 8_000), (2_000, 8_000, 32_000))
"""Lengths in characters. The larger ones are tried only if the smaller ones leave doubt: work that begins at some
length (a text that is longer than one message) grows suddenly in one step and is linear after that."""
USUAL = 8_000
MOST_A_STEP = 8.0
"""How much more an input may cost if it is four times as long."""
CLEAR = 5.0
"""If the last step is at most this, the work is linear and needs no further rounds."""
ROUNDS = 7
"""How often work that seems to grow too fast is measured. Linear work needs one round."""
TOO_QUICK_S = 0.004
"""Quadratic work over 8,000 characters takes ten times as long, even with the fastest steps."""
LONG_ENOUGH_S = 0.001
"""Shorter work is repeated until it has used this much CPU time."""


def grows(work: Work, clock: Callable[[], float] = thread_time) -> str | None:
    """How the work grows too fast. None if it is linear."""
    if _least(work(USUAL), clock, at_most=1) < TOO_QUICK_S:
        return None
    for lengths in SCALES:
        wrong = _grows(work, lengths, clock)
        if wrong is not None:
            return wrong
    return None


def _grows(work: Work, lengths: tuple[int, int, int], clock: Callable[[], float]) -> str | None:
    prepared = [work(length) for length in lengths]
    least = [float("inf")] * len(lengths)
    for _ in range(ROUNDS):
        for at in (1, 2, 0):
            least[at] = min(least[at], _least(prepared[at], clock))
            if at == 2 and least[2] <= CLEAR * least[1]:
                return None
    short, middle, long = least
    if middle <= MOST_A_STEP * short or long <= MOST_A_STEP * middle:
        return None
    return f"{lengths[2]} characters take {long / short:.0f} times as long as {lengths[0]} ({long * 1000:.0f} ms)"


def _least(work: Callable[[], object], clock: Callable[[], float], at_most: int = 50) -> float:
    """The shortest time of one run. Garbage collection is off meanwhile, because other tests leave garbage."""
    least, spent, times = float("inf"), 0.0, 0
    collecting = gc.isenabled()
    gc.disable()
    try:
        while times < at_most and spent < LONG_ENOUGH_S:
            began = clock()
            work()
            took = max(clock() - began, 1e-7)
            least, spent, times = min(least, took), spent + took, times + 1
    finally:
        if collecting:
            gc.enable()
    return least
