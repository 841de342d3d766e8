"""Turns ratings into a score that fades, influences pairing gently, and is hard to manipulate.

Pairing looks only at `shade` (see `wishes`). A good rating opens no door that is closed to others, so a ring of friends
gains nothing by raising each other above neutral. They could only wash off poor ratings, or pile them on a stranger.
`weight` prevents both: a rating counts by how many people the rater has met and the rated person has not. Accounts that
only ever meet each other know the same people, so they weigh almost nothing. New accounts weigh almost nothing, too.
"""

from collections.abc import Iterable
from math import exp2

from passerby.kernel.participant import Karma, Participant, Rating

HALF_LIFE_S = 14 * 86_400.0
HIGHEST = 10.0
"""The limit of a score, in both directions."""

POOR = -2.0
BAD = -5.0

INDEPENDENT = 6
"""How many other people a rater must have met recently for a rating to count fully. `lifecycle` remembers ten."""

REPEATED = 0.25
"""Each earlier chat of the same two people multiplies the weight of a rating by this."""

POOR_RATERS = 0.5


def karma_now(karma: Karma, now: float) -> float:
    """The score as of `now` (Unix seconds). It halves every fortnight, in both directions."""
    return karma.score * exp2(-max(0.0, now - karma.at) / HALF_LIFE_S)


def shade(score: float) -> int:
    """0 for almost everybody, 1 for poorly rated people, 2 for badly rated ones."""
    if score > POOR:
        return 0
    return 1 if score > BAD else 2


def weight(rater: Participant, rated: Participant, now: float) -> float:
    """How much a rating counts, from 0 to 1.

    `rater.recent` and `rated.recent` must include the chat that is rated.
    """
    known = {met.person for met in rated.recent}
    independent = {met.person for met in rater.recent} - known - {rated.person}
    before = sum(met.person == rated.person for met in rater.recent) - 1
    breadth = min(1.0, len(independent) / INDEPENDENT)
    trust = POOR_RATERS if shade(karma_now(rater.karma, now)) else 1.0
    return breadth * trust * float(REPEATED ** max(0, before))


def rated(karma: Karma, rating: Rating, weight: float, now: float) -> Karma:
    """The karma after one more rating. Near an end of the scale, a rating moves it less towards that end."""
    score = karma_now(karma, now)
    direction = 1.0 if rating is Rating.GOOD else -1.0
    room = 1.0 - max(0.0, direction * score) / HIGHEST
    return Karma(score + direction * weight * room, now)


def given_back(karma: Karma, costs: Iterable[tuple[float, float]], now: float) -> Karma:
    """The karma without the reports that cost this much, at these times. A score and its parts fade alike, so nothing
    of the parts is left."""
    returned = sum(cost * exp2(-max(0.0, now - at) / HALF_LIFE_S) for cost, at in costs)
    return Karma(min(HIGHEST, karma_now(karma, now) + returned), now)
