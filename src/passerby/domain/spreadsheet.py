"""Tables as CSV that a spreadsheet can open without running anything."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

_FORMULA: Final = ("=", "+", "-", "@")
"""The first characters of cells that a spreadsheet would run (source: OWASP, CSV Injection). It skips gaps before them,
and takes their full-width forms for them."""
_GAPS: Final = ("\t", "\r", "\n")
_SKIPPED: Final = re.compile(r"[\s\x00-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*")


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """With a header, which has these columns even if there is no row.

    A spreadsheet would run a cell that begins like a formula, so those get a quote in front.
    """
    names = list(dict.fromkeys((*columns, *(name for row in rows for name in row))))
    table = [names, *([row.get(name, "") for name in names] for row in rows)]
    return "".join(",".join(map(_cell, row)) + "\r\n" for row in table)


def _is_run(value: str) -> bool:
    first = value[_SKIPPED.match(value).end() :][:1]  # type: ignore[union-attr]  # it matches any text
    return value.startswith(_GAPS) or unicodedata.normalize("NFKC", first).startswith(_FORMULA) or first == "−"


def _cell(value: Any) -> str:
    """Source: RFC 4180."""
    if value is None:
        return ""
    written = f"'{value}" if isinstance(value, str) and _is_run(value) else str(value)
    return '"' + written.replace('"', '""') + '"' if any(sign in written for sign in ',"\r\n') else written
