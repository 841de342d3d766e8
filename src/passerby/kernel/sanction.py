"""A sanction: what a person may not do for a time, and why. It ends by itself."""

from enum import StrEnum

import msgspec


class SanctionKind(StrEnum):
    """The mildest first."""

    WARNING = "warning"
    MEDIA_OFF = "media_off"
    """They can send only text."""
    LINKS_OFF = "links_off"
    """They can send no user names, links, e-mail addresses and phone numbers."""
    SLOW = "slow"
    """Their searches begin to count a minute later."""
    AGE_DOUBT = "age_doubt"
    """They meet neither adults nor minors, only others whose age is in doubt."""
    SUSPENDED = "suspended"
    """They cannot search or chat, for a time."""
    BANNED = "banned"
    """The same, usually for good."""


class Reason(StrEnum):
    """The rule that was broken."""

    SPAM = "spam"
    RUDE = "rude"
    SEXUAL = "sexual"
    THREAT = "threat"
    UNDERAGE = "underage"
    SCAM = "scam"
    OTHER = "other"

    @property
    def word(self) -> str:
        """Its name on the command line and in reports: English, in one word."""
        return _WORDS.get(self.value, self.value)


_WORDS = {"rude": "harassment", "threat": "threats"}


class Appeal(StrEnum):
    NONE = "none"
    OPEN = "open"
    UPHELD = "upheld"
    """Somebody looked at it, and the sanction stays."""
    OVERTURNED = "overturned"


class Sanction(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`id` is random, and never used twice. Times are in Unix seconds; without `until`, it does not end.

    - `by` is the number of the staff member; 0 is the command line. None: a rule decided, and `rule` names it.
    - `evidence` refers to what it rests on (a case, for example). It is opaque.
    """

    id: str
    kind: SanctionKind
    reason: Reason
    since: float
    until: float | None = None
    by: int | None = None
    rule: str = ""
    evidence: str = ""
    appeal: Appeal = Appeal.NONE
    appealed_at: float | None = None


class SupportCode(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A code that a person shows to the staff, so that the staff can find them. Staff can look at nobody without it."""

    code: str
    until: float
