"""Facts that are read once for everything that waits in a person's queue just then.

A person who sends a hundred messages in one go would have the same facts read a hundred times, one after another, and
the updates of everybody behind them would wait for that. A message that had come before the facts were read may be
decided on them as well as on facts read later: to anybody who looks, all of these decisions are made in that moment.
Two bounds keep it one: the facts serve for FRESH_S, and only until a decision changes something.
"""

from typing import NamedTuple

from passerby.kernel.decision import Decider, Facts
from passerby.kernel.event import Event, MessageReceived
from passerby.kernel.ids import PersonId
from passerby.ports.clock import Clock

FRESH_S = 0.02
"""Less than a relay may be under way before it is looked up whether its chat is still open (`courier`)."""


class Reading(NamedTuple):
    """The facts for one event, and the decider that it belongs to.

    `upto`: the number of the last work that was in the queue when the facts were read. `at`: when they had been read,
    in monotonic seconds.
    """

    facts: Facts
    decider: Decider | None
    upto: int
    at: float


class Readings:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[PersonId, Reading] = {}

    def take(self, event: Event, number: int) -> Reading | None:
        """What was kept for a person, if it will do for their next event. After this it is kept no more."""
        reading = self._kept.pop(event.person, None) if self._kept else None
        if reading is None or number > reading.upto or self._clock.monotonic() - reading.at > FRESH_S:
            return None
        return reading if is_plain(event) else None

    def keep(self, person: PersonId, reading: Reading) -> None:
        """For the next one, where nothing has changed."""
        self._kept[person] = reading


def is_plain(event: Event) -> bool:
    """Whether the facts are those of its person alone, and nothing can have become part of it since it came."""
    return isinstance(event, MessageReceived) and event.reply_to is None and event.contents[0].group is None
