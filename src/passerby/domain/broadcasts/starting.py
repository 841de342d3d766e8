"""Works out what the start of a broadcast would do, before anybody presses the button."""

from hashlib import blake2b
from math import ceil
from typing import Final, NamedTuple

import msgspec

from passerby.domain.broadcasts.canary import LEAST, SHARE, WATCH_S, canary_below
from passerby.kernel.broadcast import Broadcast, Reach
from passerby.kernel.ids import BotId

RATE_SHARE: Final = 2 / 3
"""Broadcasts use at most this share of a bot's rate: 20 of Telegram's 30 messages a second."""
PAID_PER_S: Final = 100.0
"""For broadcasts that Telegram may charge for. It allows up to 1,000 (source: Bot API, paid broadcasts); our event loop
also has chats to serve."""


class Forecast(NamedTuple):
    """`canary` is how many people get it first, 0: nobody. `rate_per_s` is the most messages through one bot in a
    second. `lasts_s` is the shortest time that it can take, without waiting for people who are busy."""

    people: int
    by_bot: tuple[tuple[BotId, int], ...]
    canary: int
    rate_per_s: float
    lasts_s: float


def plan_of(broadcast: Broadcast, reach: Reach, bot_rate_per_s: float) -> Forecast:
    people, by_bot = reach.people, reach.by_bot
    canary = min(people, max(ceil(people * SHARE), LEAST)) if canary_below(broadcast, people) else 0
    busiest = max((each for _, each in by_bot), default=people)
    rate_per_s = PAID_PER_S if broadcast.paid else bot_rate_per_s * RATE_SHARE
    return Forecast(people, by_bot, canary, rate_per_s, busiest / rate_per_s + (WATCH_S if canary else 0.0))


def seal_of(broadcast: Broadcast) -> str:
    """Tells whether a broadcast says the same, to the same people, in the same way, as when somebody looked at it."""
    shown = msgspec.structs.replace(broadcast, composing=None)
    return blake2b(msgspec.json.encode(shown), digest_size=6).hexdigest()
