"""Measures how long a bot was not polled, or its transactions not read, while somebody watched.

The time in which nothing ran says nothing about a bot. So a new holder of the duty has no verdict until it has watched
for longer than the threshold itself: until then, the first poll may still wait for updates. The time that earlier
holders watched is added up and kept, so that a bot that nobody polls is also found if each process ends early.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from passerby.kernel.ids import BotId

LONGEST_LOOK_S: Final = 30.0
"""More time than this between two looks was not watched: the process stood still, or its clock was set forward."""

EVERYBODY: Final = 3.0
"""If all holders together watched for so many thresholds, there is a verdict, however short each of them was there."""


class Seen(msgspec.Struct, omit_defaults=True):
    """Bot -> when it was last polled (Unix seconds), and bot -> for how many seconds since then somebody watched."""

    at: dict[int, float] = {}
    watched_s: dict[int, float] = {}


class Unseen:
    """The time that one holder of the duty watched itself."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self._looked_at: float | None = None
        self._reported: dict[int, set[float]] = {}
        """The times that were reported at the last look. Only a time that is new says that a bot was polled since."""

    def add_reports(
        self, bots: Sequence[BotId], seen: Seen, reported: Iterable[Mapping[int, float]], now: float
    ) -> Seen:
        """Return what is known now. `reported`: bot -> when, by worker. A new bot counts from its first look."""
        passed = 0.0 if self._looked_at is None else min(now - self._looked_at, LONGEST_LOOK_S)
        self._looked_at = now
        # A clock that is set back must not make the past look like the future: then nothing would be told for hours.
        self._since = {bot: min(self._since.get(bot, now), now) for bot in bots}
        at: dict[int, float] = {bot: min(seen.at.get(bot, now), now) for bot in bots}
        before, self._reported = self._reported, {}
        for each in reported:
            for bot, when in each.items():
                self._reported.setdefault(bot, set()).add(when)
                if bot in at and when not in before.get(bot, ()):
                    at[bot] = max(at[bot], min(when, now))
        watched = {bot: max(0.0, min(now - at[bot], seen.watched_s.get(bot, 0.0) + passed)) for bot in at}
        return Seen(at, watched)

    def ages(self, seen: Seen, told: Container[str], threshold_s: float, now: float) -> dict[str, float]:
        """Bot -> the age of the last poll in seconds, or less than the threshold as long as there is no verdict.

        `told`: the bots that are an alert already. They stay one until they are polled, whoever watches.
        """
        found: dict[str, float] = {}
        for bot, at in seen.at.items():
            watched = seen.watched_s[bot]
            own = min(watched, now - self._since[bot])
            is_judged = str(bot) in told or own > threshold_s or watched > EVERYBODY * threshold_s
            found[str(bot)] = now - at if is_judged else own
        return found
