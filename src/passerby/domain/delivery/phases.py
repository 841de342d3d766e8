"""The two states of a delivery on its way out. They change side by side, as `table` says."""

from enum import Enum
from typing import Final


class Phase(Enum):
    """How far a delivery is on its way to Telegram.

    `NEW` and `DONE` deliveries are in no queue. A delivery that is `PAUSED`, `CHECKING`, `ASKING` or `SENDING` is the
    first of its queue.
    """

    NEW = "new"
    QUEUED = "queued"
    PAUSED = "paused"
    CHECKING = "checking"
    ASKING = "asking"
    SENDING = "sending"
    SETTLING = "settling"
    DONE = "done"

    __hash__ = object.__hash__  # Enum's own is slow, and a phase is looked up several times for each relay


class Custody(Enum):
    """The place that brings a delivery back if this process dies. `UNKNOWN`: the commit that parks it had no clear
    answer."""

    TELEGRAM = "telegram"
    PARKING = "parking"
    UNKNOWN = "unknown"
    OUTBOX = "outbox"

    __hash__ = object.__hash__


# Looking a member up in its class costs as much as a call of a function, and a relay does it often.
NEW: Final = Phase.NEW
QUEUED: Final = Phase.QUEUED
PAUSED: Final = Phase.PAUSED
ASKING: Final = Phase.ASKING
SENDING: Final = Phase.SENDING
SETTLING: Final = Phase.SETTLING
DONE: Final = Phase.DONE
IN_TELEGRAM: Final = Custody.TELEGRAM
PARKING: Final = Custody.PARKING
IN_OUTBOX: Final = Custody.OUTBOX

WAITING: Final = frozenset({Phase.QUEUED, Phase.PAUSED, Phase.CHECKING, Phase.ASKING})
"""The phases in which nothing of a delivery is on its way."""
