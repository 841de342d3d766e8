"""The comparison of a broadcast's versions, and of those who got nothing, as its page shows it."""

from collections.abc import Sequence

from passerby.domain.broadcasts.comparison import HELD_OUT, compared
from passerby.domain.small_numbers import FEW, parts, people
from passerby.kernel.broadcast import ArmFigures, Broadcast


def can_compare(broadcast: Broadcast) -> bool:
    """Whether some people got something else than others."""
    has_two = broadcast.holdout_percent > 0 or len({each.arm for each in broadcast.variants}) > 1
    return has_two and broadcast.started_at is not None


def comparison(arms: Sequence[ArmFigures]) -> dict[str, object]:
    # The page says how many copies were sent in all, so the people of the versions are parts of a number that is shown.
    sizes = parts([each.people for each in arms])
    is_few = any(0 < value < FEW for each in arms for value in (each.people, each.back, each.left))
    return {
        "sample": min((each.share for each in arms), default=1.0),
        "arms": [
            (_named(each.arm), size, people(each.back), people(each.left))
            for each, size in zip(arms, sizes, strict=True)
        ],
        # With the other numbers, a difference would tell the small one.
        "differences": []
        if is_few
        else [
            (f"Version {each.arm}", _named(each.other), _between(each.back), _between(each.left))
            for each in compared(arms)
        ],
    }


def _named(arm: str) -> str:
    return "those who got nothing" if arm == HELD_OUT else f"version {arm}"


def _between(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{low * 100:+.1f} to {high * 100:+.1f}"
