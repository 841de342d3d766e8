"""When a growing process ends itself. The test makes each check by hand; no time passes."""

import asyncio
from random import Random
from typing import Any

import pytest

from passerby.cli.recycler import AT_ONCE, LOOK_S, SHARE, SPREAD_S, Recycler

LIMIT_MB = 1000
LONGEST = 1 + int(SPREAD_S / LOOK_S)


def looks_until_it_ends(share: float | None, *, rng: Any, most: int = 100) -> int | None:
    """How many checks it takes until a process of this size ends. None if it does not end."""

    async def look() -> int | None:
        stop = asyncio.Event()
        rss = None if share is None else int(share * LIMIT_MB * 1024 * 1024)
        recycling = Recycler(LIMIT_MB, stop, lambda: rss, rng)
        for number in range(1, most + 1):
            recycling.check()
            recycling.close()
            if stop.is_set():
                return number
        return None

    return asyncio.run(look())


def test_a_process_that_is_too_large_ends_within_the_spread() -> None:
    counts = {looks_until_it_ends(SHARE + 0.01, rng=Random(seed)) for seed in range(50)}
    assert counts <= set(range(1, LONGEST + 1))
    assert len(counts) > 3, "those that grow alike end at different times"


@pytest.mark.parametrize("share", [SHARE - 0.01, None])
def test_a_process_that_is_not_too_large_continues(share: float | None) -> None:
    assert looks_until_it_ends(share, rng=Random(1)) is None


def test_a_process_close_to_its_memory_limit_ends_without_waiting() -> None:
    assert {looks_until_it_ends(AT_ONCE + 0.01, rng=Random(seed)) for seed in range(20)} == {1}
