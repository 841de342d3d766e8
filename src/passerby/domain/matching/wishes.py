"""Decides who suits whom. Hard wishes are never broken; soft wishes give way after a short wait.

This module looks at two tickets and nothing else. Which of the waiting people are paired is the affair of `match`. A
new wish is one line here and one in `block`, which answers the same questions for thousands at once. Its tests compare
the two.

*Hard*, never broken: the pool, blocks in either direction, the wanted genders and ages of both, and a common language
if somebody accepts nothing else (`Preferences.other_languages` off).

*Soft*: each side waits a while before it accepts somebody who is less than it hoped for. The time counts from the start
of its search:

    at once   a common language, a common interest (if they named any), nobody met recently
    5 s       no common interest; for a poorly rated person: somebody rated one shade better
    10 s      somebody met within half an hour; two shades better
    15 s      no common language
    20 s      somebody they skipped at once, within a day

In a quiet pool all of these are shorter: a tenth with fewer than 10 searches a minute, a third with fewer than 40.

A person who wants certain genders is open to few people, and those few can choose among many. Nearly each of them would
find somebody who fits a little better, so this person could wait for ever. So for *interests and languages*, the wait
of a person who wants certain genders counts for both: the other side accepts them once either of the two has waited
long enough (`is_narrow`).

So a pair *opens* at a moment that both tickets determine, at most `WIDEST_S` after the later of them, and stays open.
Poorly rated people wait for others in the same way. Only their own patience counts, so nobody is kept away from better
rated people.

Among the people who are open to somebody, the score chooses: first not met recently, then a common language, then the
number of common interests.
"""

from typing import NamedTuple

from passerby.domain.karma import shade
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Ticket

INTERESTS_S = 5.0
KARMA_S = 5.0
"""The wait for each shade of difference."""
MET_S = 10.0
LANGUAGE_S = 15.0
SKIPPED_S = 20.0
WIDEST_S = max(INTERESTS_S, 2 * KARMA_S, MET_S, LANGUAGE_S, SKIPPED_S)

FLOW_S = 60.0
QUIET, LIVELY = 10, 40
"""Numbers of searches that began within `FLOW_S`: below the first, a pool is quiet; from the second on, it is
lively."""

NEW = 8
SAME_LANGUAGE = 4
INTERESTS_COUNTED = 3
"""More common interests than this do not raise the score. Otherwise long lists would win over everybody else."""


def patience_in(came: int) -> float:
    """The factor for the steps in a pool where `came` people began to search within `FLOW_S`.

    Waiting for somebody better makes sense only if more people come. If two people are alone at night and met a minute
    ago, each is the best that the other can get, and waiting for twenty seconds helps nobody.
    """
    if came < QUIET:
        return 0.1
    return 0.3 if came < LIVELY else 1.0


class Common(NamedTuple):
    """Return the tastes that two people share, in the order of the first one's list."""

    languages: tuple[str, ...]
    interests: tuple[str, ...]


def common(one: Ticket, other: Ticket) -> Common:
    return Common(
        tuple(each for each in one.languages if each in other.languages),
        tuple(each for each in one.interests if each in other.interests),
    )


def has_met(one: Ticket, person: PersonId) -> bool:
    return any(met.person == person for met in one.recent)


def _wants(one: Ticket, other: Ticket) -> bool:
    """Whether `other` fits the hard wishes of `one`."""
    wants = one.wants
    return (
        (not wants.genders or other.gender in wants.genders)
        and (wants.age_min is None or wants.age_min <= other.age)
        and (wants.age_max is None or other.age <= wants.age_max)
        and (not is_strict(one) or any(each in other.languages for each in one.languages))
        and other.person not in one.blocked
    )


def is_strict(one: Ticket) -> bool:
    """Whether somebody accepts only people with a common language. If they named no language, that would be nobody."""
    return not one.wants.other_languages and bool(one.languages)


def compatible(one: Ticket, other: Ticket) -> bool:
    """Whether two people may be paired at all. Symmetric."""
    return one.person != other.person and one.pool == other.pool and _wants(one, other) and _wants(other, one)


def asks_s(one: Ticket, other: Ticket) -> float:
    """How many seconds `one` must have waited before they accept `other`. Not symmetric; at most `WIDEST_S`.

    Somebody who named no languages counts as able to talk with everybody.
    """
    return max(_misfit_s(one, other), _company_s(one, other))


def _misfit_s(one: Ticket, other: Ticket) -> float:
    """The wait for languages and interests that they do not share."""
    if one.languages and other.languages and not any(each in other.languages for each in one.languages):
        return LANGUAGE_S
    if one.interests and not any(each in other.interests for each in one.interests):
        return INTERESTS_S
    return 0.0


def _company_s(one: Ticket, other: Ticket) -> float:
    """The wait for what the other person is: met before, skipped, or better rated."""
    patience = max(0.0, KARMA_S * (shade(one.karma) - shade(other.karma)))
    for met in one.recent:
        if met.person == other.person:
            patience = max(patience, SKIPPED_S if met.skipped else MET_S)
    return patience


def is_narrow(one: Ticket) -> bool:
    """Whether somebody's wait also counts for the people they wait for."""
    return bool(one.wants.genders)


def opens_at(one: Ticket, other: Ticket, patience: float = 1.0) -> float:
    """When two compatible people may be paired at the earliest, in Unix seconds. Symmetric.

    `patience` is a factor for every step. With 0, nobody waits for soft wishes (see `Rules.patience`).
    """
    return max(_takes_at(one, other, patience), _takes_at(other, one, patience))


def _takes_at(one: Ticket, other: Ticket, patience: float) -> float:
    """When `one` begins to accept `other`."""
    since = min(one.since, other.since) if is_narrow(other) else one.since
    fits_at = ripe_at(since, patience * _misfit_s(one, other))
    return max(fits_at, ripe_at(one.since, patience * _company_s(one, other)))


def ripe_at(since: float, wait_s: float) -> float:
    """When somebody who began at `since` has waited for `wait_s`. Without a wait: always, so differing clocks do not
    matter."""
    return since + wait_s if wait_s else float("-inf")


def score(one: Ticket, other: Ticket) -> int:
    """How well two compatible people suit each other: higher is better. Symmetric."""
    shared = common(one, other)
    return (
        (0 if has_met(one, other.person) or has_met(other, one.person) else NEW)
        + (SAME_LANGUAGE if shared.languages else 0)
        + min(INTERESTS_COUNTED, len(set(shared.interests)))
    )
