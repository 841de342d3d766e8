"""The result of a look into a store: figures to show, and findings with remedies."""

from typing import Final

import msgspec

from passerby.ops.doctor.finding import Finding

MIB: Final = 1024**2


class Statement(msgspec.Struct, frozen=True):
    """`name` is that of our code; for a foreign statement its beginning. `source`: who measured it."""

    name: str
    calls: int
    mean_ms: float
    total_s: float
    source: str


class Insight(msgspec.Struct, frozen=True):
    """`tables`: a title -> rows of cells. `figures`: a title -> value with its unit."""

    figures: dict[str, str] = {}
    tables: dict[str, list[list[str]]] = {}
    statements: list[Statement] = []
    findings: list[Finding] = []


def size(count: float) -> str:
    """Bytes in words."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
