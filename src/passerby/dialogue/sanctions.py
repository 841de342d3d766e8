"""The statement of reasons: the letter that a person gets with a sanction."""

from passerby.domain.farms.sources import RULE
from passerby.kernel.sanction import Sanction
from passerby.kernel.text import DAY_S, Text, day, text

_MINUTE_S = 60


def letter(sanction: Sanction) -> Text:
    """What, why and which rule, how long, whether a machine decided, how to appeal."""
    why = "sanctions.reason_source" if sanction.rule == RULE else f"sanctions.reason_{sanction.reason}"
    return text(
        "sanctions.letter",
        what=text(f"sanctions.kind_{sanction.kind}"),
        why=text(why),
        until=_until(sanction.until),
        who=text("sanctions.by_rule" if sanction.by is None else "sanctions.by_team"),
    )


def _until(until: float | None) -> Text:
    if until is None:
        return text("sanctions.for_good")
    minute = int(until % DAY_S) // _MINUTE_S
    return text("sanctions.until", day=day(until), time=f"{minute // 60:02}:{minute % 60:02}")
