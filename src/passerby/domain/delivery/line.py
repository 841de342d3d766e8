"""The deliveries of a queue, and the order in which they leave.

Relay effects and notices leave in the order they came, with two exceptions. Neither of them changes the order of
people's own messages:

- An *aside* is a notice that only says why something did not work. It offers no buttons, anchors nothing and changes
  nothing. It lets everything else go first. So a person who has twenty "nobody is there" waiting hears at once when
  somebody is.
- The notice that tells of a chat goes before that chat's relay effects, even if it comes after them because it was
  found again in the outbox. All other entries that another process left are placed by age.

A delivery that has been tried keeps its place, because it may have arrived.
"""

from collections.abc import Iterator
from itertools import chain, islice

from msgspec import Struct

from passerby.domain.delivery.phases import (
    DONE,
    IN_OUTBOX,
    NEW,
    SETTLING,
    WAITING,
    Custody,
    Phase,
)
from passerby.kernel.effect import Priority, RelayEffect
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId

LOOK_BEHIND = 20
"""A queue asks for the budget with the highest priority among this many deliveries."""

NEVER = float("inf")

End = tuple[MessageId, ...] | Refusal
"""The messages that a delivery became, or why it failed."""


class Queued(Struct, eq=False):
    """A queue's knowledge of a delivery. `put_at` and `deadline` in monotonic seconds, `made_at` in Unix seconds.

    It is a `Struct` because C code then fills in the defaults: a relay makes one, and few of the fields change.
    """

    id: str
    bot: BotId
    person: PersonId
    priority: Priority
    put_at: float
    deadline: float
    relay_effect: RelayEffect | None = None
    anchors: ChatId | None = None
    """For a notice: the chat or the search that it tells its reader about."""
    is_aside: bool = False
    phase: Phase = NEW
    custody: Custody = IN_OUTBOX
    """`IN_TELEGRAM` at first, if it is a relay effect."""
    made_at: float = 0.0
    """When it was decided on, in any process."""
    found_again: bool = False
    """Another incarnation left it in the outbox."""
    is_cleared: bool = True
    """No other process goes first, as far as is known."""
    checked_at: float = 0.0
    """When its chat was last known to be open. At first, for a relay effect, when it was put in."""
    not_before: float = -NEVER
    """If it is alone in its queue, it waits until then: it may turn out to be needless. In monotonic seconds."""
    must_park: bool = False
    """It is not sent before it is parked, because another process may have parked older ones of this chat."""
    chat_ended: bool = False
    refusal: Refusal | None = None
    """If set, it fails with this reason and is not tried."""
    tried_at: float | None = None
    """When the last attempt began, in Unix seconds."""
    tries: int = 0
    uncertain: int = 0
    refused: int = 0
    refused_since: float = NEVER
    end: End = ()

    @property
    def chat(self) -> ChatId | None:
        """The chat of a relay effect; None for a notice."""
        return self.relay_effect.chat if self.relay_effect is not None else None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing of it has left or is leaving, and it has not ended."""
        return self.phase in WAITING and self.tried_at is None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and this is stored or being stored."""
        return self.phase is SETTLING or self.phase is DONE


class Line:
    """The deliveries of one queue, in order. Most of the time there is one, or none."""

    __slots__ = ("asides", "main")

    def __init__(self) -> None:
        self.main: list[Queued] = []
        self.asides: list[Queued] = []
        """They leave behind all others."""

    def __len__(self) -> int:
        return len(self.main) + len(self.asides)

    def __iter__(self) -> Iterator[Queued]:
        return chain(self.main, self.asides)

    @property
    def first(self) -> Queued:
        return self.main[0] if self.main else self.asides[0]

    @property
    def urgency(self) -> Priority:
        """The highest priority among the first deliveries."""
        return min(delivery.priority for delivery in islice(self, LOOK_BEHIND))

    def put(self, delivery: Queued) -> None:
        if delivery.is_aside:
            self.asides.append(delivery)
            return
        at = self._place_by_age(delivery) if delivery.found_again else self._place_of_anchor(delivery)
        if at is None:
            self.main.append(delivery)
        else:
            self.main.insert(at, delivery)

    def remove(self, delivery: Queued) -> None:
        (self.asides if delivery.is_aside else self.main).remove(delivery)

    def _place_by_age(self, delivery: Queued) -> int | None:
        """Return the index at which a delivery that was found again belongs by its age; None for the end.

        Such deliveries come in the right order.
        """
        for index, waiting in enumerate(self.main):
            if waiting.made_at > delivery.made_at and waiting.is_untouched and not waiting.found_again:
                return index
        return self._place_of_anchor(delivery)

    def _place_of_anchor(self, delivery: Queued) -> int | None:
        """Return the index at which the notice of a chat belongs; None for the end, and for other deliveries."""
        if delivery.anchors is None:
            return None
        for index, waiting in enumerate(self.main):
            if waiting.chat == delivery.anchors and waiting.is_untouched:
                return index
        return None
