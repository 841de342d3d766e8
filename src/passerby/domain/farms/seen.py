"""A farm, as staff are told about it: which accounts belong to it, and what was measured about them together."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import exp

from passerby.domain.farms.conduct import Conduct
from passerby.domain.farms.judgement import LED, FarmFinding, FarmVerdict
from passerby.kernel.farm import FarmSeen, FarmSign, Measured
from passerby.kernel.ids import PersonId

MOST = 500
"""The most accounts of a farm, and the most recruits, that a case lists."""


def name_of(finding: FarmFinding) -> str:
    """How sanctions, /mydata and cases name the farm."""
    return f"{finding.farm:x}" if finding.sign is FarmSign.PLACE else f"{finding.sign}-{finding.farm}"


def seen(findings: Mapping[PersonId, FarmFinding], conducts: Mapping[PersonId, Conduct]) -> tuple[FarmSeen, ...]:
    """The farms among the findings of a day."""
    farms: defaultdict[tuple[FarmSign, str], dict[PersonId, FarmFinding]] = defaultdict(dict)
    for person, finding in findings.items():
        if finding.verdict is not FarmVerdict.DOUBTFUL:
            farms[finding.sign, name_of(finding)][person] = finding
    found = []
    for (sign, name), people in farms.items():
        accounts = tuple(each for each, finding in people.items() if finding.verdict is FarmVerdict.FARM)[:MOST]
        recruits = tuple(each for each, finding in people.items() if finding.verdict is not FarmVerdict.FARM)[:MOST]
        if accounts:
            found.append(FarmSeen(_measured(sign, name, [conducts[each] for each in accounts]), accounts, recruits))
    return tuple(found)


def _measured(sign: FarmSign, name: str, conducts: Sequence[Conduct]) -> Measured:
    users = Counter(
        token
        for conduct in conducts
        for token, chats in conduct.tokens.items()
        if chats > 1 and conduct.kinds[token] in LED
    )
    shared = [token for token, people in users.items() if people > 1]
    kinds = {token: kind for conduct in conducts for token, kind in conduct.kinds.items()}
    plain = sum(kinds[token] == "t" for token in shared)
    delays = [exp(each.reactions.mean) for each in conducts if each.reactions.n]
    return Measured(
        sign,
        name,
        min(each.first_at for each in conducts),
        sum(each.chats for each in conducts),
        sum(max(each.led, each.odd) for each in conducts),
        plain or len(shared),
        sum(each.ended for each in conducts),
        sum(each.cut for each in conducts),
        sum(each.disliked for each in conducts),
        round(sum(delays) / len(delays), 1) if delays else 0.0,
    )
