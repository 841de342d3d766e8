"""Facts that are read once for all events that wait in a person's queue at that time.

Without this, a hundred messages from one person would read the same facts a hundred times, one after another, and
everybody's later updates would wait for that. A message that came before the facts were read may be decided on them:
the result is the same as if all of these decisions were made at that moment. Two limits keep this true: the facts are
used for at most FRESH_S, and only until a decision changes something.
"""

import msgspec

from passerby.kernel.decision import Decider, Facts
from passerby.kernel.event import Event, MessageReceived
from passerby.kernel.ids import PersonId
from passerby.ports.clock import Clock

FRESH_S = 0.02
"""Shorter than the time after which the courier checks whether a relay's chat is still open."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """The facts for one event, and the decider that it belongs to.

    `upto`: the number of the last work that was in the queue when the facts were read. `at`: when they had been read,
    in monotonic seconds. `generation`: the store's generation then.
    """

    facts: Facts
    decider: Decider | None
    upto: int
    at: float
    generation: str = ""


class Readings:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.kept: dict[PersonId, Reading] = {}

    def take(self, event: Event, number: int) -> Reading | None:
        """The facts kept for a person, if they are good enough for this event. They are not kept any longer."""
        reading = self.kept.pop(event.person, None)
        if reading is None or number > reading.upto or self._clock.monotonic() - reading.at > FRESH_S:
            return None
        return reading if is_plain(event) else None

    def keep(self, person: PersonId, reading: Reading) -> None:
        """Keep the facts for the person's next event. The last decision must have changed nothing."""
        self.kept[person] = reading


def is_plain(event: Event) -> bool:
    """Whether the event needs only its person's facts, and cannot have grown since it came."""
    return isinstance(event, MessageReceived) and event.reply_to is None and event.contents[0].group is None
