"""Compares how long people search now with the same hour a week ago."""

from typing import Final

import msgspec

HOUR_S: Final = 3600
WEEK_H: Final = 7 * 24
ENOUGH: Final = 20
"""Fewer waits in an hour say nothing."""


class SearchWaits(msgspec.Struct, frozen=True):
    """`hours`: the number of an hour since 1970 -> how many waits ended in it, and how long they were, in seconds."""

    hours: dict[int, tuple[int, float]] = {}

    def add(self, now: float, count: int, waited_s: float) -> "SearchWaits":
        if not count:
            return self
        hour = int(now // HOUR_S)
        before, before_s = self.hours.get(hour, (0, 0.0))
        kept = {each: value for each, value in self.hours.items() if hour - each <= WEEK_H + 1}
        return SearchWaits(kept | {hour: (before + count, before_s + waited_s)})

    def ratio(self, now: float) -> float | None:
        """This hour's average over that of a week ago. Early in an hour, the hour before counts. None if unknown."""
        hour = int(now // HOUR_S)
        for each in (hour, hour - 1):
            recent, past = self.hours.get(each, (0, 0.0)), self.hours.get(each - WEEK_H, (0, 0.0))
            if recent[0] >= ENOUGH and past[0] >= ENOUGH and past[1] > 0:
                return (recent[1] / recent[0]) / (past[1] / past[0])
        return None
