"""Ages, and the wall between adults and minors.

An age is what a person said on some day. It grows by one for each full year since then. So nobody counts as older than
they can be: somebody who said they were seventeen becomes an adult here one year later, not on 1 January.
"""

from passerby.kernel.ids import PoolId
from passerby.kernel.participant import Profile
from passerby.kernel.rules import Rules

YEAR_S = 365.25 * 86_400

ADULTS = PoolId("adults")
MINORS = PoolId("minors")


def age_now(profile: Profile, now: float) -> int:
    """The age in full years as of `now` (Unix seconds). The profile must have one."""
    assert profile.age is not None, "asked for the age of somebody who has not told it"
    return profile.age + max(0, int((now - profile.age_given_at) // YEAR_S))


def pool_for(age: int, rules: Rules) -> PoolId:
    """The side of the wall for a person of this age. The two sides never meet; see `pools`."""
    return ADULTS if age >= rules.adult_age else MINORS


def age_in(text: str, rules: Rules) -> int | None:
    """The age that somebody typed, in full years. None if it is not a believable age.

    Digits of any script count. An age below the minimum is still an age: the caller decides whether it is enough.
    """
    text = text.strip()
    if not text.isdecimal() or len(text) > 3:
        return None
    age = int(text)
    return age if 1 <= age <= rules.maximum_age else None
