"""Everybody who is waiting in a pool, arranged so that suitable people are found without looking at everybody.

The order is the *turn*: the person who has waited longest goes first. People are in *blocks* of a few thousand places,
and the blocks are in the order of their turns. In a block, everything that pairing asks is a set of places: the women
who accept a man, the people aged thirty, the people who speak Persian. So "who is open to her" is a few bitwise
operations on a kilobyte (see `block`). It ends at the first empty result, even if the crowd is very one-sided. Adding,
removing and widening flip the same few bits.

`wishes` says the same about two tickets in plain words, and this module must agree with it. Each person has only few
blocked people and recent partners, so those are taken out one by one (`_acquainted`).
"""

from bisect import bisect_right
from collections.abc import Iterator

from passerby.domain.matching import wishes
from passerby.domain.matching.block import Block, Place, Step, Turn
from passerby.kernel.ids import PersonId

PLACES = 4096
CHOICE = 4
"""How many blocks with somebody who is open are searched for the best fit, beginning with those who wait longest."""

SPARE = 256


def _turn(place: Place) -> Turn:
    return place.turn


class Crowd:
    """The people who wait in one pool, each at most once."""

    def __init__(self) -> None:
        self._blocks = [Block((float("-inf"), 0))]
        self._people: dict[PersonId, Place] = {}
        self._known_to: dict[PersonId, set[PersonId]] = {}
        """For each person, the people in the crowd who have met or blocked them."""

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Place]:
        """In the order of the turns."""
        for block in self._blocks:
            yield from sorted((place for place in block.places if place is not None), key=_turn)

    def get(self, person: PersonId) -> Place | None:
        return self._people.get(person)

    def add(self, place: Place) -> None:
        """Add a person. It is cheapest if their turn is the last."""
        ticket = place.ticket
        self._people[ticket.person] = place
        for person in place.known:
            self._known_to.setdefault(person, set()).add(ticket.person)
        at = self._find(place.turn)
        block = self._blocks[at]
        if len(block.places) >= 4 * block.living + SPARE:
            block = self._rearrange(at, block)
        elif len(block.places) >= PLACES and at == len(self._blocks) - 1 and place.turn >= block.last:
            block = Block(place.turn)
            self._blocks.append(block)
        elif len(block.places) >= 2 * PLACES:
            self._rearrange(at, block)
            block = self._blocks[self._find(place.turn)]
        block.append(place)

    def _find(self, turn: Turn) -> int:
        return bisect_right(self._blocks, turn, key=lambda block: block.first) - 1

    def _rearrange(self, at: int, block: Block) -> Block:
        """Close the gaps of a block and sort it. A block that is too long becomes two. Returns the first."""
        living = sorted((place for place in block.places if place is not None), key=_turn)
        parts = [living] if len(living) <= PLACES else [living[: len(living) // 2], living[len(living) // 2 :]]
        fresh: list[Block] = []
        for part in parts:
            fresh.append(Block(block.first if not fresh else part[0].turn))
            for place in part:
                fresh[-1].append(place)
        self._blocks[at : at + 1] = fresh
        return fresh[0]

    def remove(self, place: Place) -> None:
        ticket = place.ticket
        del self._people[ticket.person]
        for person in place.known:
            known = self._known_to[person]
            known.discard(ticket.person)
            if not known:
                del self._known_to[person]
        block = place.block
        assert block is not None, "whoever is in the crowd has a place"
        block.remove(place)
        if block.living <= PLACES // 8 and len(block.places) >= PLACES:
            self._merge(block)

    def _merge(self, block: Block) -> None:
        """Move the people of an almost empty block to the block before it, if there is room."""
        at = self._find(block.first)
        before = self._blocks[at - 1]
        if at == 0 or len(before.places) + block.living > 2 * PLACES:
            return
        for place in [place for place in block.places if place is not None]:
            before.append(place)
        del self._blocks[at]

    def widen(self, place: Place, step: Step) -> None:
        assert place.block is not None, "whoever is in the crowd has a place"
        place.block.widen(place, step)

    def first_open_to(self, one: Place, now: float, patience: float, after: Turn | None = None) -> Place | None:
        """The person with the earliest turn among everybody who may be paired with `one` now.

        `after`: nobody in the blocks before the block of this turn is open, so the search need not look there.
        """
        apart, open_acquaintances = self._acquainted(one, now, patience)
        known = min(open_acquaintances, key=_turn, default=None)
        for block in self._blocks[self._find(after) if after else 0 :]:
            if known is not None and known.turn < block.first:
                break
            found = block.open_to(one)
            if found and (found := found & ~apart.get(block, 0)):
                place = block.earliest(found)
                return place if known is None else min(place, known, key=_turn)
        return known

    def best_open_to(self, one: Place, now: float, patience: float) -> Place | None:
        """The person who suits `one` best, among everybody who may be paired with them now. Among equals, the earliest
        turn.

        It is the turn of `one`: nobody with an earlier turn is open to them.
        """
        apart, open_acquaintances = self._acquainted(one, now, patience)
        most = wishes.NEW + (wishes.SAME_LANGUAGE if one.ticket.languages else 0)
        most += min(wishes.INTERESTS_COUNTED, len(one.ticket.interests))
        best, best_score, looked = None, -1, 0
        for block in self._blocks[self._find(one.turn) :]:
            found = block.open_to(one)
            if found and (found := found & ~apart.get(block, 0)):
                found, score = block.best(one, found)
                if score > best_score:
                    best, best_score = block.earliest(found), score
                looked += 1
                if best_score >= most or looked == CHOICE:
                    break
        if best is None and open_acquaintances:
            return min(open_acquaintances, key=lambda each: (-wishes.score(one.ticket, each.ticket), each.turn))
        return best

    def _acquainted(self, one: Place, now: float, patience: float) -> tuple[dict[Block, int], list[Place]]:
        """The places that bits cannot judge (one's own, and people who have met or blocked each other), and the people
        among them who are open to `one`."""
        assert one.block is not None, "whoever is in the crowd has a place"
        apart = {one.block: 1 << one.number}
        opened = []
        people = self._people
        knowing = self._known_to.get(one.ticket.person)
        for person in one.known | knowing if knowing else one.known:
            other = people.get(person)
            if other is None or other is one:
                continue
            assert other.block is not None, "whoever is in the crowd has a place"
            apart[other.block] = apart.get(other.block, 0) | 1 << other.number
            if (
                wishes.compatible(one.ticket, other.ticket)
                and wishes.opens_at(one.ticket, other.ticket, patience) <= now
            ):
                opened.append(other)
        return apart, opened
