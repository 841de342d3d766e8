"""All workers get the same result, the shares are even, and nothing moves without need."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.spread import spread

names = st.lists(st.sampled_from([f"bot:{number}" for number in range(12)]), unique=True)
workers = st.lists(st.sampled_from("abcdefg"), unique=True, min_size=1)
holders = st.dictionaries(st.sampled_from([f"bot:{number}" for number in range(12)]), st.sampled_from("abcdefgxy"))


def test_without_workers_nothing_is_assigned() -> None:
    assert spread(["bot:1"], [], {"bot:1": "gone"}) == {}


@given(names, workers, holders)
def test_every_name_has_a_worker_and_workers_differ_by_one_at_most(
    some: list[str], living: list[str], held: dict[str, str]
) -> None:
    owners = spread(some, living, held)
    assert owners.keys() == set(some)
    loads = Counter(dict.fromkeys(living, 0)) + Counter(owners.values())
    most, least = max(loads.values(), default=0), min(loads.get(worker, 0) for worker in living)
    assert most - least <= 1


@given(names, workers, holders)
def test_spreading_twice_moves_nothing(some: list[str], living: list[str], held: dict[str, str]) -> None:
    owners = spread(some, living, held)
    assert spread(some, living, owners) == owners


@given(names, workers, holders)
def test_no_more_names_move_than_the_balance_needs(some: list[str], living: list[str], held: dict[str, str]) -> None:
    owners = spread(some, living, held)
    share = len(some) // len(living)
    had = Counter(held[name] for name in some if held.get(name) in living)
    kept = Counter(worker for name, worker in owners.items() if held.get(name) == worker)
    for worker, count in had.items():
        assert kept[worker] >= min(count, share), "what is no more than a fair share stays"


def test_a_worker_that_joins_takes_only_its_share() -> None:
    some = [f"bot:{number}" for number in range(4)]
    before = spread(some, ["a", "b"], {})
    after = spread(some, ["a", "b", "c"], before)
    assert sum(before[name] != after[name] for name in some) == 1


def test_a_worker_that_dies_moves_only_its_own_names() -> None:
    some = [f"bot:{number}" for number in range(6)]
    before = spread(some, ["a", "b", "c"], {})
    after = spread(some, ["a", "c"], before)
    assert all(after[name] == owner for name, owner in before.items() if owner != "b")
