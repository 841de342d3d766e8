"""A block of a crowd: a few thousand people, and the sets of places that answer who is open to whom.

A set of places is an integer with one bit for each place. `Crowd` keeps the blocks in order.

    takers[4 * g + h]   are of gender g and accept gender h       takers[16 + h]   are of any gender and accept h
    ages, decades       how old they are: in single years and in tens
    year, decade, any   which ages they accept: single years, whole tens, all
    languages, interests, wordless (named no language), strict (a common language or nobody)
    easy_language, easy_interests, takes_shade[s]     now accept people without a common one; accept shade s
    waited_language, waited_interests       those of them whose wait counts for both sides (`wishes.is_narrow`)
    shades[s]           have this shade
"""

from enum import Enum, auto

from passerby.domain.karma import shade
from passerby.domain.matching import wishes
from passerby.kernel.participant import Gender, Ticket

OLDEST_AGE = 199

Turn = tuple[float, int]

_NUMBER = {gender: number for number, gender in enumerate(Gender)}
_ALL = range(len(_NUMBER))
_ANY = len(_NUMBER) ** 2
_SHADES = 3


class Step(Enum):
    """The partners that a waiting person begins to accept after a while."""

    INTERESTS = auto()
    KARMA = auto()
    LANGUAGE = auto()
    MET = auto()


def _spans(low: int, high: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ages from `low` to `high`, as single years and whole tens."""
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
    """One person in the crowd: the ticket, and everything that pairing needs from it, computed once."""

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
    """When a person begins to accept what, by their own patience. The latest step comes first."""
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
        """No turn in this block is earlier, and no turn in the blocks before is later."""
        self.last = first
        self.runs: list[tuple[Turn, int]] = []
        """Sets of places in which the turns rise, each with the last turn so far. Usually there are one or two."""
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
        """Add a person to every set that they belong to, or remove them from all."""
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
        """The places of everybody who may be paired with `one` now, except acquaintances and `one`."""
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
        """The ones among `found` who suit `one` best, and their score (see `wishes.score`)."""
        score = wishes.NEW
        if shared := found & self._sharing_language(one):
            found, score = shared, score + wishes.SAME_LANGUAGE
        # This counts in bits: `more[n]` are the people found so far who share more than n interests.
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
        """The person among `found` with the earliest turn."""
        first = None
        for _, places in self.runs:
            if here := found & places:
                place = self.places[(here & -here).bit_length() - 1]
                assert place is not None, "a free place is in no set"
                if first is None or place.turn < first.turn:
                    first = place
        assert first is not None, "nobody was found"
        return first
