"""Works out what the start of a broadcast would do, before anybody presses the button."""

from hashlib import blake2b
from math import ceil
from typing import Final, NamedTuple

import msgspec

from passerby.domain.broadcasts.canary import LEAST, SHARE, WATCH_S, canary_below
from passerby.kernel.broadcast import Broadcast
from passerby.kernel.ids import BotId

RATE_PER_S: Final = 20
"""Messages through one bot in a second: two thirds of Telegram's 30 (see `runtime.delivery.spare_budget`)."""


class Forecast(NamedTuple):
    """`canary` is how many people get it first, 0: nobody. `lasts_s` is the shortest time that it can take, without
    waiting for people who are busy."""

    people: int
    by_bot: tuple[tuple[BotId, int], ...]
    canary: int
    lasts_s: float


def plan_of(broadcast: Broadcast, people: int, by_bot: tuple[tuple[BotId, int], ...]) -> Forecast:
    canary = min(people, max(ceil(people * SHARE), LEAST)) if canary_below(broadcast, people) else 0
    busiest = max((each for _, each in by_bot), default=people)
    return Forecast(people, by_bot, canary, busiest / RATE_PER_S + (WATCH_S if canary else 0.0))


def seal_of(broadcast: Broadcast) -> str:
    """Tells whether a broadcast says the same, to the same people, in the same way, as when somebody looked at it."""
    shown = msgspec.structs.replace(broadcast, composing=None)
    return blake2b(msgspec.json.encode(shown), digest_size=6).hexdigest()
