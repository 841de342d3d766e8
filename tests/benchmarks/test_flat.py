"""The benchmark of the records' size over many days tells tables that stay as they are from tables that grow."""

import asyncio
from pathlib import Path

from benchmarks import flat


def test_growth_after_the_first_deletions_is_judged_by_what_came_before() -> None:
    steady = [(10, 100), (20, 200), (30, 300), (40, 305), (50, 305), (60, 306)]
    assert flat.judged(steady, 30)["growth"] < flat.MOST_GROWTH
    growing = [(10, 100), (20, 200), (30, 300), (40, 400), (50, 500), (60, 600)]
    assert flat.judged(growing, 30)["growth"] >= flat.MOST_GROWTH


def test_days_are_lived_with_the_products_own_code(tmp_path: Path) -> None:
    sizes = asyncio.run(flat.live(tmp_path / "flat.db", days=10, chats=6, kept=3))
    assert [day for day, _ in sizes] == [10]
