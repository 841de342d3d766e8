"""A day is summed up in numbers and keyed hashes; no words stay."""

from math import exp

import msgspec
import pytest

from passerby.domain.farms.conduct import MOST_TOKENS, Conduct, Ended, Pressed, Spread, noted
from tests.domain.farms.days import ANN, NOON, day_of, says


def test_a_destination_counts_once_for_each_chat() -> None:
    conduct = Conduct()
    for chat in ("a", "b"):
        for nth in range(3):
            conduct = says(conduct, "come to @ann_99", chat=chat, nth=nth)
    assert list(conduct.used("t").values()) == [2]
    assert (conduct.chats, conduct.led, conduct.odd) == (2, 2, 0)


def test_a_destination_that_comes_late_in_a_chat_counts_too() -> None:
    conduct = says(Conduct(), "hi", chat="a")
    conduct = says(conduct, "find lena_sunny22", chat="a", nth=1)
    conduct = says(conduct, "or @ann_99", chat="a", nth=2)
    assert (conduct.chats, conduct.led, conduct.odd) == (1, 1, 1)


def test_a_conduct_holds_no_words() -> None:
    conduct = day_of(["Hello, I am the canary of this test and I like long walks @canary_bird"] * 3)
    assert b"canary" not in msgspec.msgpack.encode(conduct).lower()


def test_the_hours_with_activity_are_counted() -> None:
    conduct = day_of(["hi"] * 5, every_s=3600)
    assert conduct.hours.bit_count() == 5
    assert (conduct.first_at, conduct.last_at) == (NOON, NOON + 4 * 3600 + 60)


def test_only_long_answers_tell_how_fast_somebody_types() -> None:
    long = "x" * 100
    conduct = says(Conduct(), "hi", chat="a")
    conduct = says(conduct, "yes", chat="a", nth=1, gap_s=0.1)
    conduct = says(conduct, long, chat="a", nth=2, gap_s=1.0)
    conduct = says(conduct, long, chat="a", nth=3, gap_s=30.0)
    conduct = says(conduct, long, chat="a", nth=4, gap_s=None)
    assert (conduct.answers.n, conduct.rushed) == (2, 1)


def test_an_opening_without_a_known_delay_tells_nothing_about_it() -> None:
    assert says(Conduct(), "hi", chat="a", gap_s=None).reactions.n == 0


def test_a_known_destination_counts_once_for_each_chat() -> None:
    conduct = says(Conduct(), "@ann_99", chat="a", known=True)
    conduct = says(conduct, "@ann_99", chat="a", nth=1, known=True)
    assert conduct.known == 1
    assert says(conduct, "@ann_99", chat="b", known=True).known == 2


def test_a_conduct_stays_small_and_keeps_what_is_repeated() -> None:
    conduct = Conduct()
    for number in range(60):
        conduct = says(conduct, f"come to @ann_99 or site{number}.xyz/page{number}", chat=str(number))
    assert len(conduct.tokens) == len(conduct.kinds) == MOST_TOKENS
    assert max(conduct.used("t").values()) == 60


def test_signs_of_life_add_up() -> None:
    conduct = noted(noted(Conduct(), Pressed(ANN, NOON, 1)), Pressed(ANN, NOON, 2))
    assert says(conduct, "hi", chat="a", lively=4).lively == 7


def test_chats_that_the_other_side_cuts_are_counted() -> None:
    conduct = noted(noted(Conduct(), Ended(ANN, NOON, True)), Ended(ANN, NOON, False))
    assert (conduct.ended, conduct.cut) == (2, 1)


@pytest.mark.parametrize(
    ("times", "mean", "deviation"), [([], 0.0, 1.0), ([exp(1)], 1.0, 1.0), ([exp(1)] * 9, 1.0, 0.0)]
)
def test_a_spread_knows_its_mean_and_deviation(times: list[float], mean: float, deviation: float) -> None:
    spread = Spread()
    for each in times:
        spread = spread.with_(each)
    assert (spread.mean, spread.deviation) == (pytest.approx(mean), pytest.approx(deviation, abs=1e-6))


def test_no_time_at_all_has_a_logarithm() -> None:
    assert Spread().with_(0.0).total < 0
