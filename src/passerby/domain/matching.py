"""Who is paired with whom.

`match` is a pure function over the waiting tickets of one pool. Promise: nobody twice, nobody with themselves, no pair
that `fit` rules out; the longest wait chooses first, and takes the best fit, and among equals the longest wait; no
compatible pair is left waiting.

`fit` is the one place for wishes. A *hard* wish returns None: never, whoever the other side is. A *soft* one adds to
the score. A new filter is a line there.

Cost: one pass for people who suit each other, because the scan for a partner stops at the first perfect fit; at worst
(everybody waiting is incompatible with everybody) it is quadratic in the number of waiting people.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from passerby.kernel.participant import Ticket

PERFECT = 0.0
"""The best score there is. Soft wishes that are not met subtract from it."""

JUST_MET = 10.0


@dataclass(frozen=True, slots=True)
class Pair:
    first: Ticket
    second: Ticket


def fit(one: Ticket, other: Ticket) -> float | None:
    """How well two people suit each other: None for never, else the higher the better, up to PERFECT. Symmetric."""
    if one.person == other.person or one.pool != other.pool:
        return None
    score = PERFECT
    if any(met.person == other.person for met in one.recent) or any(met.person == one.person for met in other.recent):
        score -= JUST_MET
    return score


def match(tickets: Iterable[Ticket]) -> list[Pair]:
    """Pair as many of the waiting as fit. Equal waits go by person id: nothing else decides."""
    waiting = sorted(tickets, key=lambda ticket: (ticket.since, ticket.person))
    taken = [False] * len(waiting)
    pairs: list[Pair] = []
    for index, one in enumerate(waiting):
        if taken[index]:
            continue
        best, best_score = None, float("-inf")
        for candidate in range(index + 1, len(waiting)):
            if taken[candidate]:
                continue
            score = fit(one, waiting[candidate])
            if score is not None and score > best_score:
                best, best_score = candidate, score
                if score >= PERFECT:
                    break
        if best is not None:
            taken[index] = taken[best] = True
            pairs.append(Pair(one, waiting[best]))
    return pairs
