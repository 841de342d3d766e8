"""What ratings come to: a score that fades, steers pairing gently, and is hard to buy.

Only `shade` is looked at when people are paired (see `wishes`): being rated well opens no door that is closed to
others, so a ring of friends gains nothing by raising each other above neutral. What it could do is wash off poor
ratings, or heap them on a stranger. Both fail on `weight`: a rating counts by how many people the rater has met whom
the rated person has not. Accounts that only ever meet each other know the same people, and weigh next to nothing; so do
fresh ones.
"""

from math import exp2

from passerby.kernel.participant import Karma, Participant, Rating

HALF_LIFE_S = 14 * 86_400.0
HIGHEST = 10.0
"""Of a score, in either direction."""

POOR = -2.0
BAD = -5.0

INDEPENDENT = 6
"""Other people whom a rater must have met lately for their word to count in full. `lifecycle` remembers ten."""

REPEATED = 0.25
"""What is left of a rating's weight if the two have been paired before, for each time they were."""

POOR_RATERS = 0.5


def karma_now(karma: Karma, now: float) -> float:
    """The score as of `now` (Unix seconds): it halves every fortnight, in either direction."""
    return karma.score * exp2(-max(0.0, now - karma.at) / HALF_LIFE_S)


def shade(score: float) -> int:
    """0 for nearly everybody, 1 for the poorly rated, 2 for the badly rated."""
    if score > POOR:
        return 0
    return 1 if score > BAD else 2


def weight(rater: Participant, rated: Participant, now: float) -> float:
    """How much a rating counts, from 0 to 1.

    `rater.recent` and `rated.recent` are to include the chat that is rated.
    """
    known = {met.person for met in rated.recent}
    independent = {met.person for met in rater.recent} - known - {rated.person}
    before = sum(met.person == rated.person for met in rater.recent) - 1
    breadth = min(1.0, len(independent) / INDEPENDENT)
    trust = POOR_RATERS if shade(karma_now(rater.karma, now)) else 1.0
    return breadth * trust * float(REPEATED ** max(0, before))


def rated(karma: Karma, rating: Rating, weight: float, now: float) -> Karma:
    """The karma after one more rating. The nearer to an end of the scale, the less it moves towards it."""
    score = karma_now(karma, now)
    direction = 1.0 if rating is Rating.GOOD else -1.0
    room = 1.0 - max(0.0, direction * score) / HIGHEST
    return Karma(score + direction * weight * room, now)
