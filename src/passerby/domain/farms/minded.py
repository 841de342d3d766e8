"""Groups with a habit in common that honest people may have, too, and that are a farm only if their partners mind it.

One account of a slow farm has few chats, so nothing is certain about it. All its accounts together have many. Their
partners block, report or dislike them far more often than others. Or they do so more often, and leave as soon as they
have read it. Neither can be chance.

    chorus     come to the same long line, after other ones; honest people copy lines from each other
    changing   name a contact whom they have not named before, again and again, show no sign of life, and have nearly
               the same other habits; honest people recommend groups
    naming     name a contact in many chats, their own or a common one, lose partners by it, show no sign of life, and
               have nearly the same other habits; honest people give their own name, and partners go on there

Rude people are disliked, too. So the most disliked members of a group do not count.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from math import sqrt
from typing import Final, NamedTuple

from passerby.domain.farms.bulk import COMPARED, are_alike, habits
from passerby.domain.farms.conduct import Conduct
from passerby.domain.farms.groups import Groups
from passerby.kernel.farm import FarmSign
from passerby.kernel.ids import PersonId

DEVOTED_CHATS: Final = 3
"""Somebody who used a destination or a line in fewer chats is not devoted to it yet."""
SPARING_SHARE: Final = 0.2
"""The least share of all their chats."""
GROUP: Final = 8
"""The fewest people of a group."""
OWN_CHATS: Final = 5
"""Nobody with fewer chats counts."""
CHANGED: Final = 3
"""The fewest new contacts of somebody who changes them."""
CHANGED_SHARE: Final = 0.4
"""The least share of new ones, among all chats with a contact."""
NAMED: Final = 4
"""The fewest chats with a contact of somebody who names some in many chats."""
NAMED_SHARE: Final = 0.25
"""The least share of them, among all chats."""
LOST: Final = 2
LOST_SHARE: Final = 0.15
"""The fewest partners, and the least share of chats with a contact, that were lost by it."""
LOOSE: Final = 1.5
"""How much wider than in `bulk` the habits of people who name contacts may differ. They have fewer chats."""
CHATS: Final = 100
"""With fewer chats of a group, the number of partners who disliked it means too little."""
DEVIATIONS: Final = 5.0
"""How many standard deviations more partners than usual must dislike a group. There are many groups and many looks, so
it must not happen by chance."""
RUDE: Final = 2
"""The number of members of a group, the most disliked ones, who do not count."""
CLEARLY: Final = 2.0
TOGETHER: Final = 7.0
"""If more partners than usual also leave right after the habit, `CLEARLY` deviations of dislike are enough, as long as
the deviations of both add up to `TOGETHER`. Some partners leave after an honest introduction, too, or go on somewhere
else. But they do not dislike it."""
LEAST_DISLIKED: Final = 0.02
LEAST_LEFT: Final = 0.05
"""The lowest shares that are taken as usual."""


class Minded(NamedTuple):
    """`pitches`: for each of its people, in how many chats they had the habit, and how many partners left at once."""

    sign: FarmSign
    pitches: dict[PersonId, tuple[int, int]]


class _Usual(NamedTuple):
    """The share of chats that partners dislike, and the share of long lines after which they leave."""

    disliked: float
    left: float


def minded(conducts: Mapping[PersonId, Conduct], farms: Collection[PersonId]) -> list[tuple[FarmSign, list[PersonId]]]:
    """The groups that are farms. `farms`: people of whom it is known already. They do not count as usual."""
    found = []
    for group in (*_choruses(conducts), *_alike(conducts, changes), *_alike(conducts, names)):
        others = [each for person, each in conducts.items() if person not in farms and person not in group.pitches]
        usual = _Usual(
            max(LEAST_DISLIKED, sum(each.disliked for each in others) / max(1, sum(each.ended for each in others))),
            max(LEAST_LEFT, sum(each.dropped_lines for each in others) / max(1, sum(each.lines for each in others))),
        )
        if _are_minded(conducts, group, usual):
            found.append((group.sign, list(group.pitches)))
    return found


def _are_minded(conducts: Mapping[PersonId, Conduct], group: Minded, usual: _Usual) -> bool:
    """Whether far more partners than usual disliked them; or clearly more disliked them, and far more left."""
    counted = sorted(group.pitches, key=lambda each: conducts[each].disliked)[:-RUDE]
    ended = sum(conducts[each].ended for each in counted)
    if ended < CHATS:
        return False
    disliked = _deviations(sum(conducts[each].disliked for each in counted), usual.disliked * ended)
    pitches = [group.pitches[each] for each in counted]
    left = _deviations(sum(left for _, left in pitches), usual.left * sum(chats for chats, _ in pitches))
    return disliked >= DEVIATIONS or (disliked >= CLEARLY and disliked + left >= TOGETHER)


def _deviations(seen: int, expected: float) -> float:
    """By how many standard deviations a count is higher than expected."""
    return (seen - expected) / sqrt(expected) if expected else 0.0


def _choruses(conducts: Mapping[PersonId, Conduct]) -> Iterator[Minded]:
    singers: defaultdict[int, list[PersonId]] = defaultdict(list)
    for person, conduct in conducts.items():
        for token, chats in conduct.used("l").items():
            if chats >= DEVOTED_CHATS and OWN_CHATS <= conduct.chats <= chats / SPARING_SHARE:
                singers[token].append(person)
    groups = Groups[PersonId]()
    sung: defaultdict[PersonId, list[int]] = defaultdict(list)
    for token, people in singers.items():
        for each in people if len(people) >= GROUP else ():
            groups.join(people[0], each)
            sung[each].append(token)
    for people in groups.all():
        yield Minded(FarmSign.LINE, {each: _sung(conducts[each], sung[each]) for each in people})


def _sung(conduct: Conduct, lines: list[int]) -> tuple[int, int]:
    return sum(conduct.tokens[each] for each in lines), sum(conduct.dropped.get(each, 0) for each in lines)


def changes(conduct: Conduct) -> bool:
    """Whether somebody names new contacts again and again, and shows no sign of life."""
    new = conduct.new_contacts
    often = new >= CHANGED and new >= CHANGED_SHARE * conduct.contacts and new >= SPARING_SHARE * conduct.chats
    return often and conduct.chats >= OWN_CHATS and not conduct.lively


def names(conduct: Conduct) -> bool:
    """Whether somebody names contacts in many chats, loses partners by it, and shows no sign of life."""
    named, lost = conduct.contacts, conduct.dropped_contacts
    often = named >= NAMED and named >= NAMED_SHARE * conduct.chats and conduct.chats >= OWN_CHATS
    return often and lost >= LOST and lost >= LOST_SHARE * named and not conduct.lively


def _alike(conducts: Mapping[PersonId, Conduct], habit: Callable[[Conduct], bool]) -> Iterator[Minded]:
    """The groups of people with this habit whose other habits are nearly the same."""
    people = sorted(
        (person for person, each in conducts.items() if habit(each)), key=lambda each: -conducts[each].contacts
    )
    known = {person: habits(conducts[person]) for person in people[:COMPARED]}
    core = Groups[PersonId]()
    for person, mine in known.items():
        alike = [other for other, theirs in known.items() if other != person and are_alike(mine, theirs, LOOSE)]
        for other in alike if len(alike) >= GROUP - 1 else ():
            core.join(person, other)
    for group in core.all():
        yield Minded(
            FarmSign.HABITS, {each: (conducts[each].contacts, conducts[each].dropped_contacts) for each in group}
        )
