"""Decides about a target when its turn comes: send it now, later, or never.

Nobody is interrupted: whoever is searching or chatting gets it afterwards. A person's choices, and the broadcasts that
they got lately, are looked at when the message would be sent, not when the people were frozen.
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from passerby.domain.entitlement import is_vip
from passerby.domain.sanctions import bar
from passerby.kernel.broadcast import Broadcast, Category, Got, Settled, Target, TargetState, Variant
from passerby.kernel.ids import BotId
from passerby.kernel.participant import Idle, Participant

BUSY_S: Final = 120.0
"""How long a person who is searching or chatting is left alone before we look again."""
WEEK_S: Final = 7 * 86_400.0
A_WEEK: Final = 2
"""Messages that a person gets within a week, of all categories that one can opt out of."""
PROMO_A_WEEK: Final = 1
COMEBACK_A_SPELL: Final = 2
"""Messages to a person who does not come back in the meantime."""

_HOUR_S: Final = 3600.0
_DAY_HOURS: Final = 24
HOUR_SLACK_S: Final = 1800.0
"""Within this time of the usual hour, it is sent at once."""


class Send(NamedTuple):
    """`me` is the newest that is known of the person."""

    target: Target
    bot: BotId
    variant: Variant
    arm: str
    language: str
    me: Participant


def fate(
    broadcast: Broadcast, target: Target, live: Participant | None, works: Callable[[BotId], bool], now: float
) -> Send | Settled:
    """`live` is the person as the live store knows them, if it does. `works`: messages can go through this bot now."""
    person = _newest(target.person, live)

    def settled(state: TargetState, **more: object) -> Settled:
        return Settled(target.whom, state, target.bot, now, **more)  # type: ignore[arg-type]

    if person is None:
        return settled(TargetState.UNFIT)
    if not broadcast.is_test and (never := _never(broadcast, target, person, now)) is not None:
        return settled(never, arm="" if never is not TargetState.HELD_OUT else "-")
    bot = next((each for each in (target.bot, *person.bots) if each in person.bots and works(each)), None)
    if not person.bots:
        return settled(TargetState.UNREACHABLE)
    if bot is None:
        return settled(TargetState.WAITING, due_at=now + BUSY_S, is_planned=target.is_planned)
    if not broadcast.is_test:
        if not isinstance(person.state, Idle):
            return settled(TargetState.WAITING, due_at=now + BUSY_S, is_planned=target.is_planned)
        if broadcast.usual_hour and not target.is_planned:
            due_at = usual_time(target.hours or (_hour(person.seen_at),), now)
            if due_at > now:
                return settled(TargetState.WAITING, due_at=due_at, is_planned=True)
    arm = arm_of(broadcast, target)
    variant = variant_for(broadcast.variants, person.profile.language, arm)
    if variant is None:
        return settled(TargetState.UNFIT)
    return Send(target, bot, variant, arm, person.profile.language, person)


def _newest(recorded: Participant | None, live: Participant | None) -> Participant | None:
    if recorded is None or (live is not None and live.version >= recorded.version):
        return live
    return recorded


def _never(broadcast: Broadcast, target: Target, person: Participant, now: float) -> TargetState | None:
    if person.profile.consented_at is None or bar(person, now) is not None or _is_leaving(person):
        return TargetState.UNFIT
    if broadcast.category is Category.SYSTEM:
        return None
    if broadcast.category in person.muted:
        return TargetState.MUTED
    if broadcast.category is Category.PROMO and is_vip(person, now):
        return TargetState.UNFIT  # VIP is sold with the words that there are no offers
    if share_of(broadcast, target, "held out") < broadcast.holdout_percent:
        return TargetState.HELD_OUT
    return TargetState.CAPPED if is_capped(broadcast.category, target.got, person.seen_at, now) else None


def _is_leaving(person: Participant) -> bool:
    return person.requests is not None and bool(person.requests.erase_at)


def is_capped(category: Category, got: Iterable[Got], seen_at: float, now: float) -> bool:
    """Whether a person who got all this, and was here last at `seen_at`, gets nothing more of the category now."""
    optional = [each for each in got if each.category is not Category.SYSTEM]
    lately = [each for each in optional if each.at > now - WEEK_S]
    if len(lately) >= A_WEEK:
        return True
    if category is Category.PROMO:
        return sum(each.category is Category.PROMO for each in lately) >= PROMO_A_WEEK
    if category is Category.COMEBACK:
        return sum(each.category is Category.COMEBACK and each.at > seen_at for each in optional) >= COMEBACK_A_SPELL
    return False


def share_of(broadcast: Broadcast, target: Target, purpose: str) -> int:
    """A number from 0 to 99 that is always the same for this person, broadcast and purpose."""
    seed = f"{broadcast.number}.{target.whom}.{purpose}".encode()
    return int.from_bytes(blake2b(seed, digest_size=4).digest()) % 100


def arm_of(broadcast: Broadcast, target: Target) -> str:
    """A or B. Without a message B, everybody gets A."""
    arms = sorted({each.arm for each in broadcast.variants})
    return arms[share_of(broadcast, target, "arm") * len(arms) // 100]


def variant_for(variants: tuple[Variant, ...], language: str, arm: str) -> Variant | None:
    """The message of this arm in the person's language, otherwise the one for all languages."""
    mine = {each.language: each for each in variants if each.arm == arm}
    return mine.get(language) or mine.get(language.partition("-")[0]) or mine.get("")


def languages_of(variants: Iterable[Variant]) -> frozenset[str]:
    """The only languages whose readers can get something. Empty: everybody can."""
    found = frozenset(each.language for each in variants)
    return frozenset() if "" in found else found


def _hour(at: float) -> int:
    return int(at // _HOUR_S) % _DAY_HOURS


def usual_time(hours: Iterable[int], now: float) -> float:
    """When the person is usually here next: `now`, or the middle of the hour at which most of their chats began."""
    counts = [0] * _DAY_HOURS
    for hour in hours:
        # The hours beside it count a little, so that 21, 22, 22, 23 is 22 and not a draw.
        for offset, weight in ((-1, 1), (0, 2), (1, 1)):
            counts[(hour + offset) % _DAY_HOURS] += weight
    best = max(range(_DAY_HOURS), key=counts.__getitem__)
    middle = (best + 0.5) * _HOUR_S
    wait_s = (middle - now) % (_DAY_HOURS * _HOUR_S)
    since_s = _DAY_HOURS * _HOUR_S - wait_s
    return now if min(wait_s, since_s) <= HOUR_SLACK_S else now + wait_s
