"""Tables as CSV that a spreadsheet can open without running anything."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell that is run begins with (source: OWASP, CSV Injection)."""


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """With a header. A spreadsheet would run a cell that begins like a formula, so those get a quote in front."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([_safe(name) for name in names])
    for row in rows:
        writer.writerow([_safe(row.get(name, "")) for name in names])
    return written.getvalue()


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
