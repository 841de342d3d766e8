"""The statement of reasons: the letter that a person gets with a sanction."""

from passerby.domain.farms.sources import RULE
from passerby.domain.sanctions import APPEAL_S, may_appeal
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind
from passerby.kernel.text import DAY_S, Text, day, text

_MINUTE_S = 60


def letter(sanction: Sanction, now: float) -> Text:
    """Return the letter: the sanction, its reason and rule, its end, who decided, and how to appeal or how it ended."""
    what, why, until = text(f"sanctions.kind_{sanction.kind}"), _why(sanction), _until(sanction)
    who = text("sanctions.by_rule" if sanction.by is None else "sanctions.by_team")
    if may_appeal(sanction, now):
        last = sanction.since + APPEAL_S
        by = day(last if sanction.until is None else min(last, sanction.until))
        return text("sanctions.letter", what=what, why=why, until=until, who=who, day=by)
    return text("sanctions.letter_after", what=what, why=why, until=until, who=who, appeal=_appeal(sanction))


def _why(sanction: Sanction) -> Text:
    # The rule about links of farms has words of its own: the person may have done nothing themselves.
    if sanction.rule == RULE:
        return text("sanctions.reason_source")
    key = "sanctions.because_age" if sanction.reason is Reason.UNDERAGE else "sanctions.because"
    return text(key, why=text(f"reasons.{sanction.reason}"))


def _appeal(sanction: Sanction) -> Text:
    match sanction.appeal:
        case Appeal.OPEN:
            return text("sanctions.appeal_waits")
        case Appeal.UPHELD:
            return text("sanctions.upheld")
        case _:
            return text("sanctions.appeal_over")


def _until(sanction: Sanction) -> Text:
    if sanction.kind is SanctionKind.WARNING:
        return text("sanctions.unrestricted")
    until = sanction.until
    if until is None:
        return text("sanctions.for_good")
    minute = int(until % DAY_S) // _MINUTE_S
    return text("sanctions.until", day=day(until), time=f"{minute // 60:02}:{minute % 60:02}")
