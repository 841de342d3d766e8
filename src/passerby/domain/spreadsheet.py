"""Tables as CSV that a spreadsheet can open without running anything."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""The first characters of cells that a spreadsheet would run (source: OWASP, CSV Injection)."""


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """With a header, which has these columns even if there is no row.

    A spreadsheet would run a cell that begins like a formula, so those get a quote in front.
    """
    names = list(dict.fromkeys((*columns, *(name for row in rows for name in row))))
    table = [names, *([row.get(name, "") for name in names] for row in rows)]
    return "".join(",".join(map(_cell, row)) + "\r\n" for row in table)


def _cell(value: Any) -> str:
    """Source: RFC 4180."""
    if value is None:
        return ""
    written = f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else str(value)
    return '"' + written.replace('"', '""') + '"' if any(sign in written for sign in ',"\r\n') else written
