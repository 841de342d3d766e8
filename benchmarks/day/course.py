"""Plays a day: people come, search, chat, search again or give up. One of two ways of pairing serves them."""

from bisect import insort
from collections import deque
from copy import copy
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Protocol

from benchmarks.day.habits import Person
from passerby.domain.lifecycle import AT_ONCE_S, RECENT_KEPT
from passerby.domain.matching.match import Pair, Pool
from passerby.domain.matching.wishes import FLOW_S, compatible, has_met, patience_in
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Met, Ticket

GATHER_S = 0.02
COMES_BACK = 0.5
"""The share of the people who gave up."""


class Pairing(Protocol):
    def add(self, ticket: Ticket) -> None: ...

    def remove(self, person: PersonId) -> None: ...

    def pairs(self, now: float) -> list[Pair]: ...

    def next_at(self) -> float | None: ...


class Ours:
    """`Pool`, with a patience by how busy it is, like the matcher's. `setting` is the operator's PATIENCE."""

    def __init__(self, setting: float = 1.0) -> None:
        self._setting = setting
        self._patience = setting * patience_in(0)
        self._pool = Pool(self._patience)
        self._waiting: dict[PersonId, Ticket] = {}
        self._came: deque[float] = deque()

    def add(self, ticket: Ticket) -> None:
        self._waiting[ticket.person] = ticket
        self._pool.add(ticket)
        self._came.append(ticket.since)

    def remove(self, person: PersonId) -> None:
        self._waiting.pop(person, None)
        self._pool.remove(person)

    def pairs(self, now: float) -> list[Pair]:
        while self._came and now - self._came[0] > FLOW_S:
            self._came.popleft()
        patience = self._setting * patience_in(len(self._came))
        if self._patience != patience:
            self._patience = patience
            self._pool = Pool(self._patience)
            for ticket in self._waiting.values():
                self._pool.add(ticket)
        found = self._pool.pairs(now)
        for pair in found:
            del self._waiting[pair.first.person], self._waiting[pair.second.person]
        return found

    def next_at(self) -> float | None:
        return self._pool.next_at()


class FirstCome:
    """The person who waits longest gets the next one whom the hard wishes of both allow. Nothing else counts."""

    def __init__(self) -> None:
        self._queue: list[tuple[float, PersonId, Ticket]] = []

    def add(self, ticket: Ticket) -> None:
        insort(self._queue, (ticket.since, ticket.person, ticket), key=lambda each: each[:2])

    def remove(self, person: PersonId) -> None:
        self._queue = [each for each in self._queue if each[1] != person]

    def pairs(self, now: float) -> list[Pair]:
        found: list[Pair] = []
        paired: set[PersonId] = set()
        for index, (_, person, one) in enumerate(self._queue):
            if person in paired:
                continue
            for _, other_person, other in self._queue[index + 1 :]:
                if other_person not in paired and compatible(one, other):
                    found.append(Pair(one, other))
                    paired |= {person, other_person}
                    break
        self._queue = [each for each in self._queue if each[1] not in paired]
        return found

    def next_at(self) -> float | None:
        return None


@dataclass(frozen=True, slots=True)
class Search:
    """How one search ended. If `partner` is None, the person gave up."""

    ticket: Ticket
    waited_s: float
    partner: Ticket | None


def run(everybody: list[Person], pairing: Pairing) -> list[Search]:
    """Play the day. The same people with the same habits come, for every way of pairing."""
    people = {each.profile.person: replace(each, rng=copy(each.rng)) for each in everybody}
    searches: list[Search] = []
    waiting: dict[PersonId, Ticket] = {}
    events: list[tuple[float, int, str, PersonId, float]] = []
    counter = 0
    look_at = float("inf")

    def at(when: float, what: str, person: PersonId, since: float = 0.0) -> None:
        nonlocal counter
        counter += 1
        heappush(events, (when, counter, what, person, since))

    def settle(one: Ticket, other: Ticket, now: float) -> None:
        pair = (people[one.person], people[other.person])
        lasts_s = [side.chat_s() for side in pair]
        ends_at = now + min(lasts_s)
        for side, mine, its, lasts in zip(pair, (one, other), (other, one), lasts_s, strict=True):
            del waiting[mine.person]
            searches.append(Search(mine, now - mine.since, its))
            skipped = lasts == min(lasts_s) < AT_ONCE_S
            side.recent = (Met(its.person, ends_at, skipped), *side.recent)[:RECENT_KEPT]
            if side.searches > 0:
                at(ends_at + side.pause_s(), "search", mine.person)

    for each in people.values():
        at(each.arrives_at, "search", each.profile.person)
    while events:
        now, _, what, person, since = heappop(events)
        me = people[person]
        if what == "search":
            me.searches -= 1
            waiting[person] = me.ticket(now)
            pairing.add(waiting[person])
            at(now + me.patience_s(), "gives_up", person, now)
            if look_at > now + GATHER_S:
                look_at = now + GATHER_S
                at(look_at, "look", person)
        elif what == "gives_up":
            ticket = waiting.get(person)
            # A search that has ended leaves its event behind. A later search has a later start.
            if ticket is not None and ticket.since == since:
                del waiting[person]
                pairing.remove(person)
                searches.append(Search(ticket, now - ticket.since, None))
                if me.searches > 0 and me.rng.random() < COMES_BACK:
                    at(now + me.pause_s(), "search", person)
        elif now >= look_at:  # otherwise an earlier round replaces this one
            look_at = float("inf")
            for pair in pairing.pairs(now):
                settle(pair.first, pair.second, now)
            following = pairing.next_at()
            if following is not None:
                look_at = max(now + GATHER_S, following)
                at(look_at, "look", person)
    return searches


def meets_soft_wishes(search: Search) -> bool:
    one, other = search.ticket, search.partner
    assert other is not None, "asked of a search that found somebody"
    return (
        any(each in other.languages for each in one.languages)
        and (not one.interests or any(each in other.interests for each in one.interests))
        and not has_met(one, other.person)
    )
