"""The one table of what may happen to a delivery, and what may follow.

A delivery has two states that change side by side:

- its *phase*: how far it is on its way to Telegram;
- its *custody*: who would bring it back if this process died now. Telegram brings a relay's update again; a notice, and
  a relay that was parked, is in the outbox.

`TABLE` names every event that may come in a state, and every state that may follow; if none is named, the state stays.
`DeliveryQueue.handle` refuses any other event, and changes nothing. The diagram in docs/explanation/architecture is
drawn from this table.
"""

from collections.abc import Mapping
from typing import Final

from passerby.domain.delivery.events import (
    Added,
    BotBack,
    BotLost,
    BudgetGranted,
    CallRefused,
    ChatEnded,
    Checked,
    Delayed,
    EndStored,
    Event,
    First,
    Flooded,
    Hopeless,
    NotSent,
    Overdue,
    Overtaken,
    ParkLost,
    ParkStored,
    Refused,
    Sent,
    SplitUp,
    StepStored,
    StoreAway,
    Superseded,
    Wakeup,
)
from passerby.domain.delivery.phases import Custody, Phase

_GOES_ON: Final = frozenset({Phase.PAUSED, Phase.CHECKING, Phase.ASKING, Phase.SENDING, Phase.SETTLING})
"""The phases that the first delivery of a queue may enter when the queue looks at it again."""

_ENDS: Final = frozenset({Phase.SETTLING})
_STAYS: Final[frozenset[Phase]] = frozenset()
"""The phase does not change."""

_PARKS: Final[Mapping[type[Event], frozenset[Phase]]] = {Overdue: _STAYS, ParkStored: _STAYS, ParkLost: _STAYS}
_WAITS: Final[Mapping[type[Event], frozenset[Phase]]] = {
    ChatEnded: _ENDS,
    Superseded: _ENDS,
    BotBack: _STAYS,
    Overtaken: frozenset({Phase.QUEUED}),
    **_PARKS,
}

TABLE: Final[Mapping[Phase | Custody, Mapping[type[Event], frozenset[Phase] | frozenset[Custody]]]] = {
    Phase.NEW: {Added: frozenset({Phase.QUEUED}) | _ENDS},
    Phase.QUEUED: {
        First: _GOES_ON,
        ChatEnded: _ENDS,
        Superseded: _ENDS,
        BotLost: _STAYS,
        BotBack: _STAYS,
        **_PARKS,
    },
    Phase.PAUSED: {
        **_WAITS,
        Wakeup: _GOES_ON,
        BotLost: _ENDS,
        BotBack: _GOES_ON,
        ParkStored: _GOES_ON,
    },
    Phase.CHECKING: {
        **_WAITS,
        Checked: _GOES_ON,
        Delayed: frozenset({Phase.PAUSED}),
        StoreAway: frozenset({Phase.PAUSED}) | _ENDS,
        Hopeless: _ENDS,
        BotLost: _ENDS,
    },
    Phase.ASKING: {
        **_WAITS,
        BudgetGranted: _GOES_ON,
        Delayed: frozenset({Phase.PAUSED}),
        StoreAway: frozenset({Phase.PAUSED}) | _ENDS,
        Hopeless: _ENDS,
        BotLost: _ENDS,
    },
    Phase.SENDING: {
        Sent: _ENDS,
        StepStored: _GOES_ON,
        SplitUp: _GOES_ON,
        NotSent: frozenset({Phase.PAUSED}) | _ENDS,
        Flooded: frozenset({Phase.PAUSED}) | _ENDS,
        CallRefused: _GOES_ON,
        Refused: _ENDS,
        StoreAway: frozenset({Phase.PAUSED}) | _ENDS,
        Delayed: frozenset({Phase.PAUSED}),
        ChatEnded: _STAYS,
        BotLost: _STAYS,
        BotBack: _STAYS,
        **_PARKS,
    },
    Phase.SETTLING: {
        EndStored: frozenset({Phase.DONE}),
        ChatEnded: _STAYS,
        BotLost: _STAYS,
        BotBack: _STAYS,
        ParkStored: _STAYS,
        ParkLost: _STAYS,
    },
    Phase.DONE: {},
    Custody.TELEGRAM: {Overdue: frozenset({Custody.PARKING})},
    Custody.PARKING: {
        Overdue: frozenset(),
        ParkStored: frozenset({Custody.OUTBOX, Custody.UNKNOWN}),
        ParkLost: frozenset({Custody.UNKNOWN}),
    },
    Custody.UNKNOWN: {Overdue: frozenset({Custody.PARKING})},
    Custody.OUTBOX: {Overdue: frozenset()},
}


class IllegalEvent(Exception):
    """An event that may not come in this state. Nothing has changed."""
