"""Who suits whom: hard wishes rule out, soft ones wait a little and then give way.

Over two tickets and nothing else. Who of all that wait is paired is `matching`'s affair; a new wish is a line here, and
one in `crowd`, which answers the same questions for thousands at once (its tests compare the two).

*Hard*, never broken, whoever the other side is: the pool, blocks in either direction, the wanted genders and ages of
both, and a common language where somebody asked for nothing else (`Preferences.other_languages` off).

*Soft*: each side asks for some patience before it takes somebody who is less than it hoped for. Counted from the
moment that it began to search:

    at once   a common language, a common interest (of those who named any), nobody met lately
    5 s       no common interest; for a poorly rated person: somebody one shade better rated
    10 s      somebody met within the half hour; two shades better
    15 s      no common language
    20 s      somebody they skipped at once, within the day

In a quiet pool all of these are shorter: a tenth with fewer than 10 searches a minute, a third with fewer than 40.

Whoever wants certain genders is open to few, and those few could choose among many: of the few who come, nearly each
would have somebody who fits a little better, for ever. So for *interests and languages* the wait of who wants certain
genders counts for both: somebody takes them once either of the two has waited for that long (`is_narrow`).

So a pair *opens* at a moment that both tickets determine, `WIDEST_S` after the later of them at the latest, and stays
open. Poorly rated people wait for others alike; it is their own patience that is asked for, so nobody is kept from
anybody who is rated better.

Among those to whom somebody is open, the score chooses: not met lately, then a common language, then the number of
common interests.
"""

from typing import NamedTuple

from passerby.domain.karma import shade
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Ticket

INTERESTS_S = 5.0
KARMA_S = 5.0
"""For each shade of difference."""
MET_S = 10.0
LANGUAGE_S = 15.0
SKIPPED_S = 20.0
WIDEST_S = max(INTERESTS_S, 2 * KARMA_S, MET_S, LANGUAGE_S, SKIPPED_S)

FLOW_S = 60.0
QUIET, LIVELY = 10, 40
"""Searches begun within `FLOW_S`: fewer than the one, and than the other."""

NEW = 8
SAME_LANGUAGE = 4
INTERESTS_COUNTED = 3
"""More common interests than these make nobody suit better: long lists would win over everybody else."""


def patience_in(came: int) -> float:
    """How much of the steps is worth asking for in a pool where so many began to search within `FLOW_S`.

    Waiting for somebody better makes sense where somebody comes. Of two people who are alone at night the one whom the
    other met a minute ago is the best there is, and nobody is helped by their waiting for twenty seconds.
    """
    if came < QUIET:
        return 0.1
    return 0.3 if came < LIVELY else 1.0


class Common(NamedTuple):
    """What two people share, in the order in which the first of them named it."""

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
    """Whether `other` is within the hard wishes of `one`."""
    wants = one.wants
    return (
        (not wants.genders or other.gender in wants.genders)
        and (wants.age_min is None or wants.age_min <= other.age)
        and (wants.age_max is None or other.age <= wants.age_max)
        and (not is_strict(one) or any(each in other.languages for each in one.languages))
        and other.person not in one.blocked
    )


def is_strict(one: Ticket) -> bool:
    """Whether somebody meets only people with a common language. Without any of their own, that would be nobody."""
    return not one.wants.other_languages and bool(one.languages)


def compatible(one: Ticket, other: Ticket) -> bool:
    """Whether two people may be paired at all. Symmetric."""
    return one.person != other.person and one.pool == other.pool and _wants(one, other) and _wants(other, one)


def asks_s(one: Ticket, other: Ticket) -> float:
    """How many seconds `one` has to have waited before `other` will do. Not symmetric, at most `WIDEST_S`.

    Somebody who named no languages is taken to get along with everybody.
    """
    return max(_misfit_s(one, other), _company_s(one, other))


def _misfit_s(one: Ticket, other: Ticket) -> float:
    """For what they share too little of."""
    if one.languages and other.languages and not any(each in other.languages for each in one.languages):
        return LANGUAGE_S
    if one.interests and not any(each in other.interests for each in one.interests):
        return INTERESTS_S
    return 0.0


def _company_s(one: Ticket, other: Ticket) -> float:
    """For who the other is."""
    patience = max(0.0, KARMA_S * (shade(one.karma) - shade(other.karma)))
    for met in one.recent:
        if met.person == other.person:
            patience = max(patience, SKIPPED_S if met.skipped else MET_S)
    return patience


def is_narrow(one: Ticket) -> bool:
    """Whether somebody's wait counts for those whom they wait for, too."""
    return bool(one.wants.genders)


def opens_at(one: Ticket, other: Ticket, patience: float = 1.0) -> float:
    """From when on (Unix seconds) two compatible people may be paired. Symmetric.

    `patience` stretches every step: 0 asks nobody to wait for anything soft (see `Rules.patience`).
    """
    return max(_takes_at(one, other, patience), _takes_at(other, one, patience))


def _takes_at(one: Ticket, other: Ticket, patience: float) -> float:
    """From when on `other` will do for `one`."""
    since = min(one.since, other.since) if is_narrow(other) else one.since
    fits_at = ripe_at(since, patience * _misfit_s(one, other))
    return max(fits_at, ripe_at(one.since, patience * _company_s(one, other)))


def ripe_at(since: float, wait_s: float) -> float:
    """When somebody will have waited so long. What asks for no wait does not ask whether two clocks agree."""
    return since + wait_s if wait_s else float("-inf")


def score(one: Ticket, other: Ticket) -> int:
    """How well two compatible people suit each other: the higher, the better. Symmetric."""
    shared = common(one, other)
    return (
        (0 if has_met(one, other.person) or has_met(other, one.person) else NEW)
        + (SAME_LANGUAGE if shared.languages else 0)
        + min(INTERESTS_COUNTED, len(set(shared.interests)))
    )
