"""A case: what staff decide about one accused person, an appeal, or a farm. It is in the records only."""

from enum import IntEnum, StrEnum

import msgspec

from passerby.kernel.farm import FarmFile
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Complaint, Participant
from passerby.kernel.sanction import Reason, Sanction


class About(StrEnum):
    REPORTS = "reports"
    APPEAL = "appeal"
    FARM = "farm"


class Lane(IntEnum):
    """The lowest goes first."""

    FIRST = 0
    """Minors and threats."""
    APPEALS = 1
    REST = 2


class CaseState(StrEnum):
    OPEN = "open"
    SECOND = "second"
    """A second member must confirm a proposal."""
    DECIDED = "decided"


class Outcome(StrEnum):
    DISMISSED = "dismissed"
    NOTED = "noted"
    """The reports are right, but nothing follows now."""
    SANCTIONED = "sanctioned"
    UPHELD = "upheld"
    OVERTURNED = "overturned"
    ERASED = "erased"
    """The accused had their data erased first."""


class Verdict(StrEnum):
    """The finding of a decision about the reports of a case."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


class Proposal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ban without an end, which a second member must confirm. `by` is the number of the member who proposes it."""

    by: int
    at: float
    reason: Reason


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """Times are in Unix seconds. Staff members are named by their numbers.

    - `version` counts its changes: whoever decides must have seen the newest one.
    - `salt` is random; pseudonyms come from it.
    - `measure` is the sanction that a rule imposed. `sanction` is the one that the case led to, or whose appeal it is.
    - `against`: in an appeal, who decided on the sanction; None: a rule.
    - `accused` is 0 if it is about a farm: then the file lists the accounts.
    - `passed_by`: who handed it over.
    """

    number: int
    about: About
    accused: PersonId
    lane: Lane
    opened_at: float
    salt: str
    state: CaseState = CaseState.OPEN
    version: int = 1
    claimed_by: int | None = None
    claimed_until: float = 0.0
    proposal: Proposal | None = None
    measure: str = ""
    sanction: str = ""
    reason: Reason | None = None
    outcome: Outcome | None = None
    decided_by: int | None = None
    decided_at: float | None = None
    passed_by: tuple[int, ...] = ()
    against: int | None = None


class ReporterRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outcome of a reporter's earlier reports, and until when their reports count nothing. `chats`: how many people
    they met recently. `source` is the bot that they use. `since` is when they were first seen."""

    upheld: int = 0
    dismissed: int = 0
    muted_until: float = 0.0
    chats: int = 0
    source: int = 0
    since: float = 0.0
    met: frozenset[PersonId] = frozenset()
    """The other reporters of the case with whom they had a chat."""


class Exhibit(msgspec.Struct, frozen=True):
    """A message that a reporter chose, or their comment (`place` 0)."""

    place: int
    digest: str = ""


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    chat: ChatId
    by: PersonId
    reason: Complaint
    filed_at: float
    cost: float = 0.0
    retaliates: bool = False
    exhibits: tuple[Exhibit, ...] = ()
    record: ReporterRecord = ReporterRecord()


class CaseFile(msgspec.Struct, frozen=True):
    """Everything that a decision on a case may look at. `past` are all sanctions of the accused. `appealed`: the one
    whose appeal it is. `farm`: what was measured, and about whom."""

    case: Case
    accused: Participant | None
    reports: tuple[Report, ...] = ()
    past: tuple[Sanction, ...] = ()
    appealed: Sanction | None = None
    farm: FarmFile | None = None


class Desk(msgspec.Struct, frozen=True):
    """The cases that a member may look at: those that are not decided, and one of them. `involved`: cases that the
    member, as a person, is part of. `decided_lately`: how many they decided in the last eight hours."""

    waiting: tuple[Case, ...] = ()
    file: CaseFile | None = None
    involved: frozenset[int] = frozenset()
    decided_lately: int = 0


class CaseAsked(msgspec.Struct, frozen=True):
    """Which case an event is about. Without a number and `next`, only the list. `closed`: even if it is decided."""

    number: int | None = None
    next: bool = False
    closed: bool = False


class LegalHold(msgspec.Struct, frozen=True):
    """The evidence of a case is kept until somebody releases it, or no longer."""

    case: int
    held: bool = True


class Judged(msgspec.Struct, frozen=True):
    """The reports of a case get this verdict. Their evidence is erased some time later."""

    case: int
    verdict: Verdict


class Mute(msgspec.Struct, frozen=True):
    """The reports of a person count nothing until then."""

    person: PersonId
    until: float
