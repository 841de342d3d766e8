"""The result of a check: a verdict, one sentence, and what to do if it is not good."""

from enum import StrEnum
from typing import Final

import msgspec

GIB: Final = 1024**3


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works now, but will not under load or after a fault."""
    FAIL = "fail"
    """It does not work, or it loses data."""


class Finding(msgspec.Struct, frozen=True):
    """`remedy` is empty if all is well. Neither `remedy` nor `told` contains a secret."""

    check: str
    verdict: Verdict
    told: str
    remedy: str = ""


def well(check: str, told: str) -> Finding:
    return Finding(check, Verdict.OK, told)


def warn(check: str, told: str, remedy: str) -> Finding:
    return Finding(check, Verdict.WARN, told, remedy)


def fail(check: str, told: str, remedy: str) -> Finding:
    return Finding(check, Verdict.FAIL, told, remedy)


def ahead_by(before: float, there: float, after: float) -> float:
    """Return how far this machine's clock is at least ahead of another one, in seconds; negative if it is behind.

    The other clock was read as `there` between `before` and `after` on ours. A slow answer is no difference.
    """
    return max(0.0, before - there) or min(0.0, after - there)


def skew(check: str, ahead_s: float, remedy: str = "let this machine follow a time server (chrony, ntpd)") -> Finding:
    """Judge how far this machine's clock is ahead of another one, to about a second."""
    told = f"{abs(ahead_s):.1f} s {'ahead' if ahead_s > 0 else 'behind'}"
    if abs(ahead_s) <= 2:
        return well(check, f"within 2 s of this machine's ({told})")
    return (warn if abs(ahead_s) <= 30 else fail)(check, f"this machine's clock is {told}", remedy)
