"""Accounts that open chats in bulk, each with words of its own: the kind of farm that shares no destination.

One script gives all its accounts the same habits: how soon they write after "Partner found", how much that varies, how
many chats they have in an hour, how often they come with a place or a long opening, how often their partners leave at
once. Honest people who hurry and paste are alike in some of these, and differ in the others.

So two things must come together. Each account shows *bulk*: many chats an hour, nearly all begun with something to say,
partners who leave, no sign of life. And it has *lookalikes*: several others that show bulk and have nearly the same
habits. Somebody who shows bulk alone is asked to tap the right picture, no more.
"""

from collections.abc import Mapping
from math import log
from typing import Final

from passerby.domain.farms.conduct import Conduct
from passerby.domain.farms.signals import (
    answers_evenly,
    changes_contacts,
    is_lively,
    knows_one_wording,
    never_rests,
    reacts_evenly,
    scatters,
    types_too_fast,
)
from passerby.kernel.ids import PersonId

CHATS: Final = 10
"""In fewer chats, habits say too little to compare people."""
UNHURRIED: Final = 25.0
"""With fewer chats an hour, nobody shows bulk, except people who name another place each time (`scatters`), or another
contact (`changes_contacts`)."""
BULK: Final = 3.5
"""From this sum on, an account shows bulk."""
LOOKALIKES: Final = 5
"""The fewest others with the same habits."""
LOOKALIKE_SHARE: Final = 0.1
"""The least share of lookalikes among all who show bulk. Where very many people hurry, some are alike by chance."""

COMPARED: Final = 1_000
"""The most people who are compared with each other: those with the highest sums."""

_SHORTEST_H: Final = 0.1
"""Chats within a shorter time count as within this."""


def pace(conduct: Conduct) -> float:
    """Chats an hour."""
    return conduct.chats / max(_SHORTEST_H, (conduct.last_at - conduct.first_at) / 3600)


def _says(conduct: Conduct) -> float:
    """The share of chats that begin with something to say: a place, or a long opening."""
    return max(conduct.long, conduct.led) / conduct.chats


def _cut(conduct: Conduct) -> float:
    return conduct.cut / conduct.ended if conduct.ended else 0.0


def bulk(conduct: Conduct) -> float:
    """How much speaks for an account that talks at people in bulk, as the logarithm of a likelihood ratio."""
    fast = pace(conduct)
    scattered = max(scatters(conduct), changes_contacts(conduct))
    if conduct.chats < CHATS or (fast < UNHURRIED and not scattered):
        return 0.0
    says, cut = _says(conduct), _cut(conduct)
    disliked = conduct.disliked / max(1, conduct.ended)
    return (
        (2.0 if fast > 80 else 1.25 if fast > 40 else 0.5 if fast >= UNHURRIED else 0.0)
        + (1.5 if says > 0.8 else 0.75 if says > 0.6 else -0.5)
        + (1.0 if cut > 0.6 else 0.5 if cut > 0.35 else -0.5 if cut < 0.2 else 0.0)
        + (1.5 if disliked > 0.3 else 0.5 if disliked > 0.08 else 0.0)
        + (0.5 if conduct.chats > 3 * CHATS else 0.0)
        + scattered
        + is_lively(conduct)
        + reacts_evenly(conduct)
        + types_too_fast(conduct)
        + answers_evenly(conduct)
        + never_rests(conduct)
        + knows_one_wording(conduct)
    )


def lookalikes(conducts: Mapping[PersonId, Conduct], sums: Mapping[PersonId, float]) -> dict[PersonId, tuple[int, int]]:
    """Those among `conducts` who show bulk and have enough lookalikes, or are alike somebody who has; how many
    lookalikes they have, and the number of the group to which they belong. `sums`: see `bulk`."""
    shows_bulk = sorted((person for person, total in sums.items() if total >= BULK), key=lambda each: -sums[each])
    all_habits = {person: habits(conducts[person]) for person in shows_bulk[:COMPARED]}
    least = max(LOOKALIKES, LOOKALIKE_SHARE * len(all_habits))
    alike = {
        person: [other for other, theirs in all_habits.items() if other != person and are_alike(mine, theirs)]
        for person, mine in all_habits.items()
    }
    core = {person for person, others in alike.items() if len(others) >= least}
    found = {person: others for person, others in alike.items() if person in core or not core.isdisjoint(others)}
    group_of: dict[PersonId, int] = {}
    for number, person in enumerate(found):
        ahead = [person]
        while ahead:
            if (one := ahead.pop()) in found and one not in group_of:
                group_of[one] = number
                ahead += alike[one]
    return {person: (len(others), group_of[person]) for person, others in found.items()}


_WIDTHS: Final = (0.3, 0.2, 0.35, 0.15, 0.15, 0.25)
"""How much two accounts may differ in each habit. An average over a dozen chats is about as exact as that."""


def habits(conduct: Conduct) -> tuple[float, ...]:
    """The numbers by which people are compared. They must have had a chat."""
    return (
        conduct.reactions.mean,
        conduct.reactions.deviation,
        log(pace(conduct)),
        conduct.led / conduct.chats,
        conduct.long / conduct.chats,
        _cut(conduct),
    )


def are_alike(mine: tuple[float, ...], theirs: tuple[float, ...], loose: float = 1.0) -> bool:
    """Whether two people have nearly the same `habits`. `loose`: how many times as far apart they may be."""
    return all(abs(one - other) <= loose * width for one, other, width in zip(mine, theirs, _WIDTHS, strict=True))
