"""Links by which the accounts of a barred farm came: accounts that come by them later begin with held links.

Only tags of our own links count (see `domain.journeys`). Invitations, promo codes and Telegram's affiliate links bring
too many others, and so does coming without a link.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from passerby.domain.journeys import begin, tag_of
from passerby.domain.sanctions import bar, impose
from passerby.kernel.decision import Env
from passerby.kernel.ids import BotId
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import Reason, Sanction, SanctionKind

RULE: Final = "farm_source"
LEAST: Final = 2
"""How many barred accounts of one farm must have come by a link."""
WATCHED_S: Final = 7 * 86_400.0
"""How long a link is watched after such accounts were last seen."""
HELD_S: Final = 3 * 86_400.0
"""How long the links of somebody who comes by it are held."""


def sources_of(accounts: Iterable[tuple[int, Participant]], now: float) -> frozenset[str]:
    """The tags to watch. `accounts` are those of farms, each with the name of its farm.

    Rules never bar anybody, so staff have looked at those who are barred.
    """
    came = Counter(
        (farm, each.journey.source)
        for farm, each in accounts
        if each.journey is not None and tag_of(each.journey.source) and bar(each, now) is not None
    )
    return frozenset(source for (_, source), count in came.items() if count >= LEAST)


def begin_watched(me: Participant, bot: BotId, source: str, env: Env) -> tuple[Participant, Sanction | None]:
    """The person at their first start by a link, and the sanction with which they begin, if there is one."""
    begun = begin(me, bot, source, env.now)
    if begun is me or source not in env.watched_sources:
        return begun, None
    name = f"{env.rng.getrandbits(64):016x}"
    held = Sanction(name, SanctionKind.LINKS_OFF, Reason.SPAM, env.now, env.now + HELD_S, rule=RULE)
    return impose(begun, None, held, env)[0], held
