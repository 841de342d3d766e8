"""Decides which conducts belong together, and what follows for each person.

Similar words accuse nobody, and neither does a link: honest people share memes, and copy an introduction from each
other. A farm shows in the *shape* of a ring. *Leaders* send most of their partners somewhere. The members of a farm
are leaders who are *devoted* to the same few destinations, and hardly anybody else uses these. Many people share a
popular video, but hardly any of them is such a leader.

    farm       several people devoted to one destination, or one to the known destination of a farm; or many people who
               open chats in bulk and whose habits are alike; or many who come to the same long line, or who name
               another contact each time and have nearly the same habits, if their partners mind it
                                                             links held, slower matching, suspects meet suspects
    recruit    uses the destination of a farm, and is not devoted to it
                                                             links held
    doubtful   a group with the same opening and the habits of scripts, or one person with many such habits
                                                             asked to tap the right picture
"""

from collections import defaultdict
from collections.abc import Container, Mapping
from enum import StrEnum
from statistics import fmean
from typing import Final

import msgspec

from passerby.domain.farms.bulk import BULK, COMPARED, bulk, lookalikes
from passerby.domain.farms.conduct import Conduct
from passerby.domain.farms.groups import Groups
from passerby.domain.farms.minded import DEVOTED_CHATS, SPARING_SHARE, minded
from passerby.domain.farms.signals import suspicion
from passerby.kernel.farm import FarmSign
from passerby.kernel.ids import PersonId

RULE: Final = "farm"
"""How sanctions against farms name the rule."""
DEVOTED_SHARE: Final = 0.5
"""The least share of somebody's chats that lead to the destination, if they are devoted to it."""
SPARING_CHATS: Final = 4
"""With so many chats that lead to the destination, a smaller share of all chats is enough: `SPARING_SHARE`."""
FARM: Final = 5
"""The fewest people devoted to one destination that are a farm."""
BEGUN_CHATS: Final = 2
"""Somebody who led so many chats to a destination has begun to be devoted to it."""
MANY: Final = 8
"""From this many people on, fewer chats of each are enough for a farm: see `_begins` and `_begins_sparing`."""
ONLY_THEIRS: Final = 0.6
"""The least share of people who used a destination again and again, among all who used it."""
MOSTLY_THEIRS: Final = 0.75
"""The least share of their chats, among all chats in which it was used."""
HUMAN: Final = -1.0
"""If the mean suspicion of its members is lower, a ring is no farm."""
ODD_FARM: Final = 0.75
"""The same for a ring around an odd word."""

ALIKE: Final = 8
"""The fewest people with the same opening that are looked at together."""
ALIKE_BANDS: Final = 2
ALIKE_CHATS: Final = 5
ALIKE_SUSPICION: Final = 2.0
"""The least mean suspicion of such a group."""
DOUBT: Final = 4.5
"""From this sum of signals on, or of the habits of opening chats in bulk, one person alone is asked."""

DOUBT_CHATS: Final = 8
"""In fewer chats, habits say nothing."""
CALM: Final = 2.0
"""With less, and without any destination, a conduct is not looked at more closely."""


LED: Final = frozenset("to")
"""The kinds of tokens that lead somewhere."""


def is_candidate(conduct: Conduct) -> bool:
    """Whether a conduct must be judged together with the others. People who used a destination once count, too: they
    show that it is not only a farm's."""
    if conduct.known or any(kind in LED for kind in conduct.kinds.values()):
        return True
    if any(chats >= DEVOTED_CHATS for chats in conduct.tokens.values()):
        return True
    return (conduct.chats >= DOUBT_CHATS and suspicion(conduct) >= CALM) or bulk(conduct) >= BULK


class FarmVerdict(StrEnum):
    """By what is known, the least first."""

    DOUBTFUL = "doubtful"
    RECRUIT = "recruit"
    FARM = "farm"


class FarmFinding(msgspec.Struct, frozen=True, gc=False):
    """`farm` tells its farm from others of the same sign: the destination that its members share, as a keyed hash, or a
    number; the numbers below COMPARED are those of `lookalikes`. `size`: how many they are."""

    verdict: FarmVerdict
    farm: int = 0
    size: int = 1
    sign: FarmSign = FarmSign.PLACE


class Ring(msgspec.Struct, frozen=True, gc=False):
    """`recruits`: people who use the destinations and are not devoted to them."""

    destinations: tuple[int, ...]
    devoted: list[PersonId]
    recruits: list[PersonId]


class Judgement(msgspec.Struct, frozen=True):
    """`farms`: the destinations of farms, and how many people are devoted to each."""

    findings: dict[PersonId, FarmFinding]
    farms: dict[int, int]


def judge(conducts: Mapping[PersonId, Conduct]) -> Judgement:
    """The result of judging the conducts of one day."""
    sums = {person: suspicion(conduct) for person, conduct in conducts.items()}
    found: dict[PersonId, FarmFinding] = {}
    farms: dict[int, int] = {}
    for person, conduct in conducts.items():
        if _is_devoted(conduct.known, conduct) or _begins(conduct.known, conduct):
            found[person] = FarmFinding(FarmVerdict.FARM, sign=FarmSign.KNOWN)
        elif conduct.known:
            found[person] = FarmFinding(FarmVerdict.RECRUIT, sign=FarmSign.KNOWN)
        elif sums[person] >= DOUBT:
            found[person] = FarmFinding(FarmVerdict.DOUBTFUL)
    masses = {person: bulk(conduct) for person, conduct in conducts.items()}
    similar = lookalikes(conducts, masses)
    for person, total in masses.items():
        if person in similar:
            others, number = similar[person]
            _raise(found, person, FarmFinding(FarmVerdict.FARM, number, others + 1, FarmSign.HABITS))
        elif total >= DOUBT:
            _raise(found, person, FarmFinding(FarmVerdict.DOUBTFUL))
    alike = _alike(conducts, sums)
    for group in alike:
        if fmean(sums[each] for each in group) >= ALIKE_SUSPICION:
            for each in group:
                _raise(found, each, FarmFinding(FarmVerdict.DOUBTFUL, size=len(group)))
    for kind, least in (("t", HUMAN), ("o", ODD_FARM)):
        for ring in _rings(conducts, kind):
            size = len(ring.devoted)
            if fmean(sums[each] for each in ring.devoted) < least:
                continue
            farms.update(dict.fromkeys(ring.destinations, size))
            for each in ring.devoted:
                _raise(found, each, FarmFinding(FarmVerdict.FARM, ring.destinations[0], size))
            for each in ring.recruits:
                _raise(found, each, FarmFinding(FarmVerdict.RECRUIT, ring.destinations[0], size))
    farmers = {person for person, finding in found.items() if finding.verdict is FarmVerdict.FARM}
    for number, (sign, people) in enumerate(minded(conducts, farmers), COMPARED):
        before = (found[each].farm for each in people if each in farmers and found[each].sign is sign)
        farm = FarmFinding(FarmVerdict.FARM, next(before, number), len(people), sign)
        for each in people:
            _raise(found, each, farm)
    return Judgement(found, farms)


def _raise(found: dict[PersonId, FarmFinding], person: PersonId, finding: FarmFinding) -> None:
    """A shared place of today says more than one that was a farm's before."""
    known = found.get(person)
    says_more = known is not None and known.sign is FarmSign.KNOWN and known.verdict is finding.verdict
    if known is None or says_more or _RANK[finding.verdict] > _RANK[known.verdict]:
        found[person] = finding


_RANK: Final = {verdict: rank for rank, verdict in enumerate(FarmVerdict)}


def _rings(conducts: Mapping[PersonId, Conduct], kind: str) -> list[Ring]:
    """The groups of people with the shape of a farm, around destinations of this kind."""
    users: defaultdict[int, list[PersonId]] = defaultdict(list)
    leaders: set[PersonId] = set()
    for person, conduct in conducts.items():
        for token in conduct.used(kind):
            users[token].append(person)
        led = conduct.led if kind == "t" else conduct.odd
        if _is_devoted(led, conduct) or _begins(led, conduct) or _begins_sparing(led, conduct):
            leaders.add(person)
    theirs = {token for token, people in users.items() if _is_theirs(conducts, token, people, leaders)}
    groups = Groups[int]()
    for person in leaders:
        often = [token for token, chats in conducts[person].used(kind).items() if chats > 1 and token in theirs]
        for token in often:
            groups.join(often[0], token)
    return [found for group in groups.all() if (found := _ring(conducts, group, users, leaders)) is not None]


def _is_devoted(uses: int, conduct: Conduct) -> bool:
    """Whether so many uses, in all the chats of somebody, are more than now and then."""
    often = uses >= DEVOTED_CHATS and uses >= DEVOTED_SHARE * conduct.chats
    return often or (uses >= SPARING_CHATS and uses >= SPARING_SHARE * conduct.chats)


def _begins(uses: int, conduct: Conduct) -> bool:
    """Whether so many uses are most of somebody's first chats."""
    return uses >= BEGUN_CHATS and uses >= DEVOTED_SHARE * conduct.chats


def _begins_sparing(uses: int, conduct: Conduct) -> bool:
    """Whether so many uses, in some of somebody's chats, count if many others do the same."""
    return uses >= DEVOTED_CHATS and uses >= SPARING_SHARE * conduct.chats


def _is_theirs(
    conducts: Mapping[PersonId, Conduct], token: int, people: list[PersonId], leaders: Container[PersonId]
) -> bool:
    """Whether hardly anybody uses a destination, except leaders who use it again and again."""
    chats = [conducts[each].tokens[token] for each in people]
    often = [count for each, count in zip(people, chats, strict=True) if count > 1 and each in leaders]
    return len(often) >= FARM and len(often) >= ONLY_THEIRS * len(chats) and sum(often) >= MOSTLY_THEIRS * sum(chats)


def _ring(
    conducts: Mapping[PersonId, Conduct],
    tokens: list[int],
    users: Mapping[int, list[PersonId]],
    leaders: Container[PersonId],
) -> Ring | None:
    """The people around destinations that the same people use."""
    devoted: list[PersonId] = []
    begun: list[PersonId] = []
    sparing: list[PersonId] = []
    recruits: list[PersonId] = []
    for person in sorted({each for token in tokens for each in users[token]}):
        conduct = conducts[person]
        uses = sum(conduct.tokens.get(token, 0) for token in tokens)
        if person in leaders and _is_devoted(uses, conduct):
            devoted.append(person)
        elif person in leaders and (_begins(uses, conduct) or _begins_sparing(uses, conduct)):
            begun.append(person)
        elif uses >= BEGUN_CHATS and uses >= SPARING_SHARE * conduct.chats:
            sparing.append(person)
        elif uses >= DEVOTED_SHARE * conduct.chats:
            recruits.append(person)
    if len(devoted) + len(begun) >= MANY:
        return Ring(tuple(tokens), devoted + begun + sparing, recruits)
    return Ring(tuple(tokens), devoted, recruits + begun) if len(devoted) >= FARM else None


def _alike(conducts: Mapping[PersonId, Conduct], sums: Mapping[PersonId, float]) -> list[list[PersonId]]:
    """Groups of people who begin most chats with nearly the same long opening."""
    users: defaultdict[int, list[PersonId]] = defaultdict(list)
    for person, conduct in conducts.items():
        if conduct.chats < ALIKE_CHATS or conduct.long < DEVOTED_SHARE * conduct.chats or sums[person] < 0:
            continue
        for token, chats in conduct.used("b").items():
            if chats >= DEVOTED_CHATS:
                users[token].append(person)
    shared: defaultdict[tuple[PersonId, PersonId], int] = defaultdict(int)
    for people in users.values():
        first = people[0]
        for each in people[1:]:  # one chain for each band is enough to find the group
            shared[first, each] += 1
    groups = Groups[PersonId]()
    for (one, other), bands in shared.items():
        if bands >= ALIKE_BANDS:
            groups.join(one, other)
    return [group for group in groups.all() if len(group) >= ALIKE]
