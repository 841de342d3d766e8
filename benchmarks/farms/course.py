"""Plays a day with honest people and farms. The person who waits longest is paired with the next one; suspects meet
suspects.

Everything that the program notes is noted here, too, and judged by the same functions, as often. Only pairing is
simpler: wishes do not matter for how often somebody meets a farm.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import ceil
from random import Random

from benchmarks.day.habits import Person, people
from passerby.domain.farms.conduct import (
    CONTACTS,
    CUT_S,
    DROPPED_S,
    LISTENED_TO,
    LIVELY,
    Conduct,
    Disliked,
    Ended,
    Note,
    Pressed,
    Wrote,
    noted,
)
from passerby.domain.farms.destinations import destinations
from passerby.domain.farms.judgement import FarmVerdict, judge
from passerby.domain.farms.openers import bands, line, words_of
from passerby.domain.farms.wordings import wording_of
from passerby.kernel.ids import ChatId, PersonId
from simulated_people.farms import Style
from simulated_people.openers import Speaker, link, speaker

LOOK_S = 30.0
SLOWED_S = 60.0
ASKED_AGAIN_S = 60.0
SHOWN_S = 6 * 3600.0
DAY_S = 86_400.0
KEY = b"a key of the day"
PATIENCE_S = 90.0


@dataclass(slots=True)
class Account:
    """Somebody in the simulation: honest (`speaker`, `habits`) or of a farm (`style`)."""

    person: PersonId
    rng: Random
    style: Style | None = None
    speaker: Speaker | None = None
    habits: Person | None = None
    number: int = 0
    searches: int = 0
    stops_at: float = float("inf")
    is_farm: bool = False
    links_held: bool = False
    slowed: bool = False
    apart: bool = False
    asked: bool = False
    """They have to pick the right picture before the next search."""
    passed: bool = False
    ever: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Meeting:
    """A chat of an honest person. `farm`: with an account of a farm."""

    at: float
    farm: bool


@dataclass(slots=True)
class Outcome:
    honest: list[Account]
    farm: list[Account]
    meetings: list[Meeting]

    def contact(self, since: float, until: float) -> float:
        """The share of honest people's chats that met a farm."""
        chats = [each.farm for each in self.meetings if since <= each.at < until]
        return sum(chats) / len(chats) if chats else 0.0

    def share(self, measure: str) -> float:
        return sum(measure in each.ever for each in self.honest) / len(self.honest)


def shifts(style: Style, lasts_s: float) -> int:
    """How many accounts take each other's place."""
    return max(1, ceil(lasts_s / style.shift_s))


class Course:
    """`contains`: the measures are taken. Without it, the same day is played as if there were none. `notes`: what the
    program would know is noted all the same.

    People who come before `since` are left out: most of them have left when the farm begins.
    """

    def __init__(
        self,
        honest: int,
        farms: Iterable[tuple[Style, int]],
        *,
        seed: int,
        begins_at: float,
        contains: bool,
        until: float,
        since: float = 0.0,
        notes: bool = False,
    ) -> None:
        self._rng = rng = Random(seed)
        self._notes = notes or contains
        self._contains = contains
        self._until = until
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._counter = 0
        self._queues: dict[bool, deque[tuple[Account, float]]] = {True: deque(), False: deque()}
        self._waiting: dict[PersonId, float] = {}
        self.conducts: dict[PersonId, Conduct] = {}
        self._known: frozenset[int] = frozenset()
        self._chats = 0
        self.meetings: list[Meeting] = []
        self.honest: list[Account] = []
        self.farm: list[Account] = []
        for habits in people(honest, seed):
            own = Random(rng.getrandbits(64))
            much = own.random()
            many = 30 if much < 0.002 else 6 if much < 0.012 else 1  # a night shift at a machine, or a whole evening
            account = Account(habits.profile.person, own, None, speaker(own), habits, searches=habits.searches * many)
            self.honest.append(account)
            if since <= habits.arrives_at < until:
                self._at(habits.arrives_at, lambda now, account=account: self._search(account, now))  # type: ignore[misc]
        number = honest
        for style, count in farms:
            for place in range(count * shifts(style, until - begins_at)):
                number += 1
                account = Account(PersonId(number), Random(rng.getrandbits(64)), style, number=place, is_farm=True)
                account.searches = 1_000_000
                self.farm.append(account)
                shift = place // count
                before = shift * style.shift_s if shift else 0.0
                account.stops_at = begins_at + before + style.shift_s
                starts = begins_at + before + account.rng.uniform(0, 120)
                self._at(starts, lambda now, account=account: self._search(account, now))  # type: ignore[misc]
        self._by_person = {each.person: each for each in (*self.honest, *self.farm)}

    def run(self) -> Outcome:
        if self._contains:
            self._at(LOOK_S, self._look)
        while self._events:
            now, _, do = heappop(self._events)
            if now > self._until:
                break
            do(now)
        return Outcome(self.honest, self.farm, self.meetings)

    def _at(self, when: float, do: Callable[[float], None]) -> None:
        self._counter += 1
        heappush(self._events, (when, self._counter, do))

    # Searching and pairing

    def _search(self, me: Account, now: float) -> None:
        if now >= me.stops_at:
            return
        if me.asked and not self._passes(me):
            self._at(now + ASKED_AGAIN_S, lambda later: self._search(me, later))
            return
        me.searches -= 1
        if me.slowed:
            self._at(now + SLOWED_S, lambda later: self._enter(me, later))
        else:
            self._enter(me, now)

    def _passes(self, me: Account) -> bool:
        chance = me.style.solves if me.style is not None else 0.97
        if me.rng.random() < chance:
            me.asked, me.passed = False, True
        return me.passed

    def _enter(self, me: Account, now: float) -> None:
        queue = self._queues[me.apart]
        while queue:
            other, since = queue.popleft()
            if self._waiting.get(other.person) == since and other.apart == me.apart:
                del self._waiting[other.person]
                self._chat(me, other, now)
                return
        self._waiting[me.person] = now
        queue.append((me, now))
        patience = PATIENCE_S * me.rng.lognormvariate(0.0, 0.9) if not me.is_farm else 600.0
        self._at(now + patience, lambda later: self._give_up(me, now, later))

    def _give_up(self, me: Account, since: float, now: float) -> None:
        if self._waiting.get(me.person) == since:
            del self._waiting[me.person]
            self._goes_on(me, now)

    def _goes_on(self, me: Account, now: float) -> None:
        if me.style is not None:
            self._at(now + me.style.rest(me.rng), lambda later: self._search(me, later))
        elif me.searches > 0 and me.habits is not None:
            self._at(now + me.habits.pause_s(), lambda later: self._search(me, later))

    # A chat

    def _chat(self, one: Account, other: Account, now: float) -> None:
        self._chats += 1
        chat = ChatId(str(self._chats))
        for me, partner in ((one, other), (other, one)):
            if not me.is_farm:
                self.meetings.append(Meeting(now, partner.is_farm))
        written = {one.person: self._lines(one), other.person: self._lines(other)}
        for me, partner in ((one, other), (other, one)):
            if me.style is not None and me.style.one_wording and wording_of(chat):
                theirs = written[partner.person]
                after = theirs[0][0] if theirs and not partner.is_farm else float("inf")
                written[me.person] = [(after + at, words) for at, words in written[me.person]]
        plans = [self._wants(one, other, written[other.person]), self._wants(other, one, written[one.person])]
        lasts = min(plans)
        leaver = one if plans[0] <= plans[1] else other
        for me, partner in ((one, other), (other, one)):
            self._write(me, partner, chat, now, lasts, written[me.person], leaver, written[partner.person])
        for each in (one, other):
            self._at(now + lasts, lambda later, each=each: self._goes_on(each, later))  # type: ignore[misc]

    def _lines(self, me: Account) -> list[tuple[float, str]]:
        """(seconds after the notice, words) of the first messages of this side."""
        rng = me.rng
        if me.style is not None:
            at, lines = me.style.reaction(rng), []
            for words in me.style.opening(rng, me.number):
                lines.append((at, words))
                at += me.style.gap(rng)
            return lines
        assert me.speaker is not None
        at = me.speaker.reaction()
        lines = [(at, me.speaker.opener())]
        if rng.random() < me.speaker.shares:
            lines.append((at + rng.uniform(2, 20), link(rng)))
        if me.speaker.second and rng.random() < 0.8:
            lines.append((at + rng.uniform(2, 8), me.speaker.second))
        if me.speaker.passes_on and rng.random() < me.speaker.often:
            lines.append((at + rng.uniform(4, 30), rng.choice(me.speaker.passes_on)))
        for _ in range(LISTENED_TO - len(lines)):
            words = me.speaker.line()
            at = max(at, lines[-1][0]) + 1.0 + len(words) / me.speaker.types_per_s + rng.expovariate(1 / 5.0)
            lines.append((at, words))
        return lines

    def _wants(self, me: Account, partner: Account, theirs: list[tuple[float, str]]) -> float:
        """How long this side stays."""
        if me.style is not None:
            return self._stays(me)
        assert me.habits is not None
        stays = me.habits.chat_s()
        if partner.style is not None and me.rng.random() < partner.style.annoys:
            advert = theirs[-1][0]
            stays = min(stays, advert + me.rng.uniform(2, 12))
        return stays

    def _stays(self, me: Account) -> float:
        assert me.style is not None
        lines = len(me.style.opening(me.rng, me.number))
        return me.style.reaction(me.rng) + lines * me.style.gap(me.rng) + me.style.stays(me.rng)

    def _write(
        self,
        me: Account,
        partner: Account,
        chat: ChatId,
        now: float,
        lasts: float,
        lines: list[tuple[float, str]],
        leaver: Account,
        theirs: list[tuple[float, str]],
    ) -> None:
        opens = lines[0][0] < theirs[0][0]
        said = [(after, words) for after, words in lines if after < lasts]
        for nth, (after, words) in enumerate(said):
            gap = after if nth == 0 else (after - said[nth - 1][0] if me.rng.random() < 0.5 else None)
            self._note(Wrote(me.person, chat, now + after, nth, gap, words, opens=opens and nth == 0))
        lively = me.style.lively if me.style is not None else me.speaker.lively if me.speaker is not None else 0.0
        if lively and me.rng.random() < lively:
            self._note(Pressed(me.person, now + lasts, me.rng.choice(list(LIVELY.values()))))
        if said:
            cut = leaver is not me and lasts - said[0][0] < CUT_S
            dropped = leaver is not me and lasts - said[-1][0] < DROPPED_S
            self._note(Ended(me.person, now + lasts, cut, dropped))
            disliked = (
                me.style.reported if me.style is not None else me.speaker.disliked if me.speaker is not None else 0.0
            )
            if partner.style is None and partner.rng.random() < disliked:
                self._note(Disliked(me.person, now + lasts))

    def _note(self, note: Note) -> None:
        if not self._notes:
            return
        tokens: dict[str, tuple[int, ...]] = {}
        known = False
        if isinstance(note, Wrote):
            found = destinations(KEY, note.text)
            tokens = {"t": found.plain, "o": found.odd, CONTACTS: found.contacts}
            known = not self._known.isdisjoint((*found.plain, *found.odd))
            if note.nth == 0:
                tokens["b"] = bands(KEY, words_of(note.text))
            else:
                tokens["l"] = line(KEY, note.text)
        self.conducts[note.person] = noted(self.conducts.get(note.person, Conduct()), note, tokens, known)

    def _look(self, now: float) -> None:
        judged = judge(self.conducts)
        self._known = frozenset(judged.farms)
        for person, finding in judged.findings.items():
            account = self._by_person[person]
            match finding.verdict:
                case FarmVerdict.FARM:
                    account.links_held = account.slowed = account.apart = True
                    account.ever |= {"links", "slowed", "apart"}
                case FarmVerdict.RECRUIT:
                    account.links_held = True
                    account.ever.add("links")
                case FarmVerdict.DOUBTFUL:
                    if not (account.asked or account.passed):
                        account.asked = True
                        account.ever.add("asked")
        self._at(now + LOOK_S, self._look)
