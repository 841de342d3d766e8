"""Everybody who waits in a pool, so arranged that the right ones are found without looking at the others.

The order is the *turn*: who waits longest goes first. People stand in *blocks* of a few thousand places, the blocks in
the order of their turns. In a block everything that pairing asks is a set of places – the women who would take a man,
those aged thirty, those who speak Persian – and a set is an integer, a bit a place. "Who is open to her" then is a few
bitwise operations on a kilobyte, ended early by the first empty result, however lopsided the crowd is. Adding,
removing and widening flip the same few bits.

    takers[4 * g + h]   of gender g, would take gender h          takers[16 + h]   of any gender, would take h
    ages, decades       how old they are: each year, each ten years
    year, decade, any   which ages they would take: single years, whole tens, all
    languages, interests, wordless (named no language), strict (common language or nobody)
    easy_language, easy_interests, takes_shade[s]     will do by now without a common one; will take shade s
    waited_language, waited_interests       those of them whose wait counts for both (`wishes.is_narrow`)
    shades[s]           are of this shade

`wishes` says the same of two tickets in plain words; this module may not differ from it. Blocks and recent partners are
few for each person, and are taken out one by one (`_acquainted`).
"""

from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum, auto

from passerby.domain.karma import shade
from passerby.domain.matching import wishes
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Ticket

PLACES = 4096
CHOICE = 4
"""Blocks with somebody who is open in which the best fit is looked for: those who wait longest. Enough is enough."""

SPARE = 256
OLDEST_AGE = 199

Turn = tuple[float, int]

_NUMBER = {gender: number for number, gender in enumerate(Gender)}
_ALL = range(len(_NUMBER))
_ANY = len(_NUMBER) ** 2
_SHADES = 3


class Step(Enum):
    """What somebody begins to put up with after a while."""

    INTERESTS = auto()
    KARMA = auto()
    LANGUAGE = auto()
    MET = auto()


def _spans(low: int, high: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ages from `low` to `high` as single years and whole tens."""
    years, decades = [], []
    age = max(0, low)
    high = min(high, OLDEST_AGE)
    while age <= high:
        if age % 10 == 0 and age + 9 <= high:
            decades.append(age // 10)
            age += 10
        else:
            years.append(age)
            age += 1
    return tuple(years), tuple(decades)


class Place:
    """Somebody in the crowd: the ticket, and what pairing wants to know of it, worked out once."""

    __slots__ = (
        "block",
        "easy_interests",
        "easy_language",
        "gender",
        "is_narrow",
        "known",
        "lowest_shade",
        "number",
        "seeks",
        "shade",
        "spans",
        "strict",
        "ticket",
        "turn",
        "waited_interests",
        "waited_language",
        "welcomes",
    )

    def __init__(self, ticket: Ticket, turn: Turn) -> None:
        wants = ticket.wants
        gender = _NUMBER[ticket.gender]
        wanted = tuple(sorted({_NUMBER[each] for each in wants.genders})) or tuple(_ALL)
        self.ticket = ticket
        self.turn = turn
        self.gender = gender
        self.welcomes = tuple(4 * gender + each for each in wanted) + tuple(_ANY + each for each in wanted)
        self.seeks = tuple(4 * each + gender for each in wanted) if wants.genders else (_ANY + gender,)
        self.spans: tuple[tuple[int, ...], tuple[int, ...]] | None = None
        if wants.age_min is not None or wants.age_max is not None:
            low = 0 if wants.age_min is None else wants.age_min
            self.spans = _spans(low, OLDEST_AGE if wants.age_max is None else wants.age_max)
        self.strict = wishes.is_strict(ticket)
        self.shade = shade(ticket.karma)
        self.lowest_shade = self.shade
        self.easy_language = not ticket.languages
        self.easy_interests = not ticket.interests
        self.is_narrow = wishes.is_narrow(ticket)
        self.waited_language = self.waited_interests = False
        self.known = {*(met.person for met in ticket.recent), *ticket.blocked}
        self.block: Block | None = None
        self.number = 0

    def put_up_with(self, step: Step) -> None:
        if step is Step.INTERESTS:
            self.easy_interests, self.waited_interests = True, self.is_narrow
        elif step is Step.LANGUAGE:
            self.easy_language, self.waited_language = True, self.is_narrow
        elif step is Step.KARMA:
            self.lowest_shade -= 1


def steps(ticket: Ticket, patience: float) -> list[tuple[float, Step]]:
    """When, by their own patience, somebody begins to put up with what; the latest first."""
    waits = [(wishes.KARMA_S * difference, Step.KARMA) for difference in range(1, shade(ticket.karma) + 1)]
    if ticket.interests or wishes.is_narrow(ticket):
        waits.append((wishes.INTERESTS_S, Step.INTERESTS))
    if ticket.languages and not wishes.is_strict(ticket):
        waits.append((wishes.LANGUAGE_S, Step.LANGUAGE))
    if ticket.recent:
        waits.extend(
            (wishes.SKIPPED_S if skipped else wishes.MET_S, Step.MET)
            for skipped in {met.skipped for met in ticket.recent}
        )
    waits.sort(key=_wait, reverse=True)
    return [(wishes.ripe_at(ticket.since, patience * wait_s), step) for wait_s, step in waits]


def _wait(step: tuple[float, Step]) -> float:
    return step[0]


class Block:
    def __init__(self, first: Turn) -> None:
        self.first = first
        """No turn in here comes before it, and none of the blocks before has one that comes after it."""
        self.last = first
        self.runs: list[tuple[Turn, int]] = []
        """Who came in which order: in each set of places turns rise, up to the turn given. One or two, as a rule."""
        self.places: list[Place | None] = []
        self.living = 0
        self.takers = [0] * (_ANY + len(_ALL))
        self.ages = [0] * (OLDEST_AGE + 1)
        self.decades = [0] * (OLDEST_AGE // 10 + 1)
        self.any = 0
        self.year = [0] * (OLDEST_AGE + 1)
        self.decade = [0] * (OLDEST_AGE // 10 + 1)
        self.languages: dict[str, int] = {}
        self.interests: dict[str, int] = {}
        self.wordless = 0
        self.strict = 0
        self.easy_language = 0
        self.easy_interests = 0
        self.waited_language = 0
        self.waited_interests = 0
        self.takes_shade = [0] * _SHADES
        self.shades = [0] * _SHADES

    def append(self, place: Place) -> None:
        place.block, place.number = self, len(self.places)
        self.last = max(self.last, place.turn)
        bit = 1 << place.number
        for index, (last, places) in enumerate(self.runs):
            if last <= place.turn:
                self.runs[index] = (place.turn, places | bit)
                break
        else:
            self.runs.append((place.turn, bit))
        self.places.append(place)
        self.living += 1
        self._flip(place)

    def remove(self, place: Place) -> None:
        self._flip(place)
        self.places[place.number] = place.block = None
        self.living -= 1

    def _flip(self, place: Place) -> None:
        """Put somebody into every set that they belong to, or take them out of all."""
        ticket, bit = place.ticket, 1 << place.number
        takers = self.takers
        for each in place.welcomes:
            takers[each] ^= bit
        age = min(ticket.age, OLDEST_AGE)
        self.ages[age] ^= bit
        self.decades[age // 10] ^= bit
        if place.spans is None:
            self.any ^= bit
        else:
            for each in place.spans[0]:
                self.year[each] ^= bit
            for each in place.spans[1]:
                self.decade[each] ^= bit
        for name in set(ticket.languages):
            self.languages[name] = self.languages.get(name, 0) ^ bit
        for name in set(ticket.interests):
            self.interests[name] = self.interests.get(name, 0) ^ bit
        if not ticket.languages:
            self.wordless ^= bit
        if place.strict:
            self.strict ^= bit
        if place.easy_language:
            self.easy_language ^= bit
        if place.easy_interests:
            self.easy_interests ^= bit
        if place.waited_language:
            self.waited_language ^= bit
        if place.waited_interests:
            self.waited_interests ^= bit
        for each in range(place.lowest_shade, _SHADES):
            self.takes_shade[each] ^= bit
        self.shades[place.shade] ^= bit

    def widen(self, place: Place, step: Step) -> None:
        place.put_up_with(step)
        bit = 1 << place.number
        if step is Step.INTERESTS:
            self.easy_interests |= bit
            self.waited_interests |= bit if place.is_narrow else 0
        elif step is Step.LANGUAGE:
            self.easy_language |= bit
            self.waited_language |= bit if place.is_narrow else 0
        elif step is Step.KARMA:
            self.takes_shade[place.lowest_shade] ^= bit

    def open_to(self, one: Place) -> int:
        """The places of all who may be paired with `one` now, acquaintances (and `one`) aside."""
        takers = self.takers
        found = 0
        for each in one.seeks:
            found |= takers[each]
        if not found:
            return 0
        age = min(one.ticket.age, OLDEST_AGE)
        found &= self.any | self.year[age] | self.decade[age // 10]
        if found and one.spans is not None:
            aged = 0
            for each in one.spans[0]:
                aged |= self.ages[each]
            for each in one.spans[1]:
                aged |= self.decades[each]
            found &= aged
        if found:
            found &= self.takes_shade[one.shade]
        if found and one.lowest_shade:
            shaded = 0
            for each in range(one.lowest_shade, _SHADES):
                shaded |= self.shades[each]
            found &= shaded
        if found:
            found = self._talking_with(one, found)
        if found and not one.waited_interests:
            found &= self._interested_with(one) | (self.easy_interests if one.easy_interests else self.waited_interests)
        return found

    def _talking_with(self, one: Place, found: int) -> int:
        if not one.ticket.languages:
            return found & ~self.strict
        shared = self._sharing_language(one)
        if one.strict:
            return found & shared
        if one.waited_language:
            return found & (shared | ~self.strict)
        return found & (shared | (self.easy_language if one.easy_language else self.wordless | self.waited_language))

    def _sharing_language(self, one: Place) -> int:
        shared = 0
        for name in one.ticket.languages:
            shared |= self.languages.get(name, 0)
        return shared

    def _interested_with(self, one: Place) -> int:
        shared = 0
        for name in one.ticket.interests:
            shared |= self.interests.get(name, 0)
        return shared

    def best(self, one: Place, found: int) -> tuple[int, int]:
        """Of those found, the ones who suit `one` best, and their score (see `wishes.score`)."""
        score = wishes.NEW
        if shared := found & self._sharing_language(one):
            found, score = shared, score + wishes.SAME_LANGUAGE
        # Counting in bits: `more[n]` are those found so far to share more than n interests.
        more = [0] * wishes.INTERESTS_COUNTED
        for name in set(one.ticket.interests):
            sharing = found & self.interests.get(name, 0)
            for count in range(len(more) - 1, 0, -1):
                more[count] |= more[count - 1] & sharing
            more[0] |= sharing
        for count in range(len(more) - 1, -1, -1):
            if more[count]:
                return more[count], score + count + 1
        return found, score

    def earliest(self, found: int) -> Place:
        """Whose turn comes first among those found."""
        first = None
        for _, places in self.runs:
            if here := found & places:
                place = self.places[(here & -here).bit_length() - 1]
                assert place is not None, "a place that is free is in no set"
                if first is None or place.turn < first.turn:
                    first = place
        assert first is not None, "nobody was found"
        return first


def _turn(place: Place) -> Turn:
    return place.turn


class Crowd:
    """Whoever waits in one pool. At most once each."""

    def __init__(self) -> None:
        self._blocks = [Block((float("-inf"), 0))]
        self._people: dict[PersonId, Place] = {}
        self._known_to: dict[PersonId, set[PersonId]] = {}
        """Who of the crowd has met or blocked a person."""

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Place]:
        """In the order of their turns."""
        for block in self._blocks:
            yield from sorted((place for place in block.places if place is not None), key=_turn)

    def get(self, person: PersonId) -> Place | None:
        return self._people.get(person)

    def add(self, place: Place) -> None:
        """Cheapest for those whose turn comes last."""
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
        """Close the gaps of a block, in order; one that is too long becomes two. Returns the first."""
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
        """Let what is left of a block stand with the people before it, if there is room."""
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
        """Whose turn comes first of all who may be paired with `one` now.

        `after`: nobody in the blocks before the one of this turn is, which spares looking there.
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
        """Who suits `one` best of all who may be paired with them now; among equals, whose turn comes first.

        It is the turn of `one`: nobody whose turn came before is open to them.
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
        """Places not to be found by their bits: one's own, and who has met or blocked whom; who of them is open."""
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
