"""The judge's input and output: lines of phones, faults, and the verdict. `judge` defines the words."""

from dataclasses import dataclass, field
from typing import NamedTuple

from simulated_people.phrases import Asks, Said


class Fault(NamedTuple):
    """A disturbance of the product. Times in Unix seconds. A kill begins and ends at the same time.

    `duplicates`: how many it excuses in one chat. `again_s`: notices of the last `again_s` seconds may come again.
    """

    began: float
    ended: float
    duplicates: int = 1
    again_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One message on a phone. `mark`: of a marked message, one's own or a stranger's. `at`: Unix seconds (journal)."""

    id: int
    at: float
    mine: bool
    mark: str | None = None
    notice: Said | None = None
    answers: int = 0
    """For a notice: how many lines it answers."""
    reply_to: int | None = None
    confirmed: bool = True
    """For one's own message: the product has confirmed its update."""
    unsure: bool = False
    """For an incoming message: its sender was not told that it arrived, and may send it again."""
    album: str | None = None
    """For one's own message: the album that it belongs to."""
    words: str = ""
    """For some notices: their text. A repeated notice has the same."""
    asks: Asks | None = None
    """For one's own message: what it asks for."""
    gone: bool = False
    """Not a message: here the person blocked the bot. It has the id of the last message. The block ends the chat, and
    messages without an answer cannot get one any more."""


BREACHES = (
    "lost",
    "unresolved",
    "misrouted",
    "reordered",
    "split",
    "after_the_end",
    "unprovoked",
    "told_again",
    "late_searches",
)


@dataclass(slots=True)
class Verdict:
    sent: int = 0
    delivered: int = 0
    refused: int = 0
    cut_off: int = 0
    """Of the refused messages, those that only "The connection was lost" answers: they may have arrived or not."""
    unheard: int = 0
    ahead: int = 0
    duplicated: int = 0
    most_duplicates: int = 0
    """The largest number of duplicates for one person after one fault."""
    excess_duplicates: int = 0
    """The largest number beyond what the fault excuses."""
    spare_notices: int = 0
    carried_over: int = 0
    """Messages sent before a fault and delivered or answered after it."""
    lost: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    misrouted: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    after_the_end: list[str] = field(default_factory=list)
    unprovoked: list[str] = field(default_factory=list)
    """Duplicates without a fault between the first and the second."""
    told_again: list[str] = field(default_factory=list)
    late_searches: list[str] = field(default_factory=list)
    partners: dict[int, int] = field(default_factory=dict)
    """Each person whose last chat is open, and their partner."""

    @property
    def faults(self) -> dict[str, int]:
        """All of these must be zero."""
        found = {name: len(getattr(self, name)) for name in BREACHES}
        return found | {"duplicates beyond what a fault excuses": self.excess_duplicates}

    @property
    def may_be_misread(self) -> bool:
        """Whether there are breaches that could come from taking a new notice for a repeated one."""
        return bool(self.misrouted or self.unprovoked or self.lost or self.excess_duplicates)

    @property
    def passed(self) -> bool:
        return not any(self.faults.values())
