"""Ratings fade, influence pairing gently, and cannot be manipulated."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.karma import HALF_LIFE_S, HIGHEST, INDEPENDENT, karma_now, rated, shade, weight
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Karma, Met, Participant, Rating

NOW = 1_800_000_000.0
scores = st.floats(-HIGHEST, HIGHEST)
weights = st.floats(0, 1)


def who_met(person: int, *met: int, karma: float = 0.0) -> Participant:
    return Participant(
        PersonId(person), karma=Karma(karma, NOW), recent=tuple(Met(PersonId(each), NOW) for each in met)
    )


def test_a_score_halves_every_fortnight_in_both_directions() -> None:
    assert karma_now(Karma(4.0, NOW), NOW + HALF_LIFE_S) == 2.0
    assert karma_now(Karma(-4.0, NOW), NOW + 2 * HALF_LIFE_S) == -1.0
    assert karma_now(Karma(4.0, NOW), NOW - 5) == 4.0, "a clock that went back changes nothing"


def test_almost_everybody_has_the_same_shade() -> None:
    assert [shade(each) for each in (9.0, 0.0, -1.9, -2.0, -4.9, -5.0, -9.0)] == [0, 0, 0, 1, 1, 2, 2]


@given(scores, st.sampled_from(Rating), weights)
def test_a_rating_moves_the_score_in_its_direction_within_the_scale(score: float, rating: Rating, much: float) -> None:
    after = rated(Karma(score, NOW), rating, much, NOW)
    assert -HIGHEST <= after.score <= HIGHEST
    assert after.score >= score if rating is Rating.GOOD else after.score <= score
    assert abs(after.score - score) <= 1.0
    assert after.at == NOW


def test_a_rating_by_somebody_who_meets_many_people_counts_fully() -> None:
    rater = who_met(1, 2, *range(10, 10 + INDEPENDENT))
    assert weight(rater, who_met(2, 1, 50, 51), NOW) == 1.0


def test_a_rating_by_a_poorly_rated_person_counts_half() -> None:
    rater = who_met(1, 2, *range(10, 10 + INDEPENDENT), karma=-3.0)
    assert weight(rater, who_met(2, 1), NOW) == 0.5


def test_a_rating_after_a_first_chat_does_not_count() -> None:
    assert weight(who_met(1, 2), who_met(2, 1), NOW) == 0.0


def test_friends_who_rate_each_other_in_a_circle_gain_almost_nothing() -> None:
    """Six accounts that only ever meet each other: all of them know the same people."""
    ring = range(1, 7)
    karma = {person: Karma(0.0, NOW) for person in ring}
    met = {person: [each for each in ring if each != person] for person in ring}
    for _ in range(20):
        for rater in ring:
            for other in met[rater]:
                much = weight(who_met(rater, *met[rater]), who_met(other, *met[other]), NOW)
                karma[other] = rated(karma[other], Rating.GOOD, much, NOW)
    assert all(each.score < 0.1 for each in karma.values())


def test_ratings_between_the_same_two_people_count_less_each_time() -> None:
    others = range(10, 10 + INDEPENDENT)
    heavy = [weight(who_met(1, *[2] * times, *others), who_met(2, *[1] * times), NOW) for times in (1, 2, 3)]
    assert heavy == [1.0, 0.25, 0.0625]
