"""The habits have the shapes that their descriptions promise."""

from collections import Counter
from itertools import islice, pairwise
from random import Random
from statistics import fmean, median

import pytest

from passerby.domain.contacts import find
from simulated_people.habits import KINDS, WORDS, Habits, Leaving, arrivals, chat_s, mean
from simulated_people.phrases import mark, mark_in

HABITS = Habits()


def test_half_of_the_chats_are_over_within_half_a_minute_and_a_few_last_for_long() -> None:
    rng = Random(1)
    lengths = sorted(chat_s(HABITS, rng) for _ in range(20_000))
    assert 25 < median(lengths) < 35
    assert 200 < lengths[len(lengths) * 9 // 10] < 400
    assert lengths[-1] <= HABITS.longest_chat_s
    assert lengths[-1] > 1800


def test_arrivals_come_at_their_rate_ascending_and_not_evenly() -> None:
    moments = list(arrivals(5.0, 1000.0, Random(2)))
    assert 4800 < len(moments) < 5200
    gaps = [after - before for before, after in pairwise(moments)]
    assert min(gaps) >= 0
    assert moments[-1] < 1000.0
    # In a Poisson process, the share of gaps below the mean is 1 - 1/e.
    assert 0.60 < fmean(gap < 0.2 for gap in gaps) < 0.66


def test_nobody_comes_at_rate_zero() -> None:
    assert list(islice(arrivals(0.0, 10.0, Random(1)), 1)) == []


def test_the_same_seed_gives_the_same_habits() -> None:
    assert [HABITS.draft(Random(7)) for _ in range(3)] == [HABITS.draft(Random(7)) for _ in range(3)]
    assert HABITS.draft(Random(7)) != HABITS.draft(Random(8))


def test_every_kind_of_message_and_every_way_to_leave_occurs() -> None:
    rng = Random(3)
    drafts = [HABITS.draft(rng) for _ in range(5000)]
    assert {draft.kind for draft in drafts} == {kind for kind, weight in KINDS.items() if weight}
    assert Counter(draft.kind for draft in drafts).most_common(1)[0][0] == "text"
    assert any(draft.replies for draft in drafts)
    assert all(draft.kind == "text" for draft in drafts if draft.edited)
    ways = Counter(HABITS.leaving(rng) for _ in range(5000))
    assert set(ways) == set(Leaving)
    assert ways[Leaving.NEXT] > ways[Leaving.STOP] > ways[Leaving.BLOCK]
    assert {HABITS.lines(rng) for _ in range(500)} == {1, 2, 3, 4}


def test_times_are_never_negative_and_pauses_are_humanly_possible() -> None:
    rng = Random(4)
    for _ in range(1000):
        assert HABITS.pause(rng) >= 0.5
        assert min(HABITS.patience(rng), HABITS.between_chats(rng), HABITS.away(rng)) >= 0
        assert HABITS.visit(rng) >= 1
    assert mean(HABITS.pause) == pytest.approx(HABITS.pause_s, rel=0.03)
    assert Habits(searches=1.0).visit(rng) == 1


@pytest.mark.parametrize("words", WORDS)
def test_no_line_with_its_mark_looks_like_a_contact(words: str) -> None:
    """Otherwise the product would ask before it sends the line."""
    for number in (1, 99, 4999, 19_999):
        said = f"{mark(number, 2345)} {words}"
        assert find(said) is None
        assert mark_in(said) == f"{number}.2345"
