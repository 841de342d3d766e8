"""Reads people from a file: CSV with a line of names, or JSON lines (one object a line)."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from passerby.ops.people_import.incoming import COLUMNS, shown, squeezed

_KNOWN: Final = frozenset(map(squeezed, COLUMNS))
_ALSO: Final = {"id": "telegramid", "userid": "telegramid", "botid": "bot", "bots": "bot", "lang": "language"}
_NOT_UTF_8: Final = "{} is not text in UTF-8; save it as CSV in UTF-8"
_OPEN_QUOTE: Final = "{}: a field goes over the end of a line before line {}; is a quotation mark missing?"
_MOST_FIELD: Final = 1 << 20
_MOST_LINE: Final = 1 << 20
_TOO_LONG: Final = "it is longer than 1 MiB"
_BOM: Final = b"\xef\xbb\xbf"
"""Some programs for tables begin every file in UTF-8 with it."""


class UnknownForm(Exception):
    """The file cannot be read as people. The text is for the operator."""


def rows(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Each row with its place, by squeezed names; a text instead of the row if it cannot be read.

    Raises: UnknownForm, OSError.
    """
    is_csv = path.suffix.lower() in {".csv", ".tsv"}
    yield from _csv(path) if is_csv else _json_lines(path)


def _csv(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        csv.field_size_limit(_MOST_FIELD)
        try:
            delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(file.readline(_MOST_LINE))
        except UnicodeDecodeError:
            raise UnknownForm(_NOT_UTF_8.format(path.name)) from None
        file.seek(0)
        reader = csv.reader(_short_lines(file, path.name), delimiter=delimiter, strict=True)
        try:
            names = _names(next(reader, []))
            for row in reader:
                if row:
                    if any("\n" in value for value in row):
                        raise UnknownForm(_OPEN_QUOTE.format(path.name, reader.line_num))
                    where = f"line {reader.line_num}"
                    yield (
                        where,
                        dict(zip(names, row, strict=False)) if len(row) <= len(names) else "it has too many columns",
                    )
        except UnicodeDecodeError:
            raise UnknownForm(_NOT_UTF_8.format(path.name)) from None
        except csv.Error as error:
            raise UnknownForm(f"{path.name}, line {reader.line_num + 1}: {error}") from None


def _short_lines(file: TextIO, name: str) -> Iterator[str]:
    """Raises: UnknownForm, at a line that is too long to be one."""
    number = 0
    while line := file.readline(_MOST_LINE + 1):
        number += 1
        if len(line) > _MOST_LINE:
            raise UnknownForm(f"{name}, line {number}: {_TOO_LONG}")
        yield line


def _delimiter(head: str) -> str:
    return ";" if head.count(";") > head.count(",") else ","


def _names(head: list[str]) -> list[str]:
    names = [_ALSO.get(squeezed(name), squeezed(name)) for name in head]
    if "telegramid" not in names:
        raise UnknownForm(f"there is no column telegram_id; the columns are {', '.join(COLUMNS)}")
    if unknown := [name for name, squeeze in zip(head, names, strict=True) if squeeze not in _KNOWN]:
        raise UnknownForm(f"the column {shown(unknown[0])} is unknown; the columns are {', '.join(COLUMNS)}")
    if twice := [name for name, squeeze in zip(head, names, strict=True) if names.count(squeeze) > 1]:
        raise UnknownForm(f"the columns {' and '.join(map(shown, twice[:2]))} are the same one; keep one of them")
    return names


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MOST_LINE + 1):
            number += 1
            if len(line) > _MOST_LINE:
                while line and not line.endswith(b"\n"):
                    line = file.readline(_MOST_LINE)
                yield f"line {number}", _TOO_LONG
                continue
            line = line.removeprefix(_BOM) if number == 1 else line
            if not line.strip():
                continue
            try:
                row = msgspec.json.decode(line, type=dict[str, Any])
            except (msgspec.DecodeError, RecursionError):  # the latter: brackets in brackets, thousands deep
                yield f"line {number}", "it is not a JSON object"
                continue
            named = {_ALSO.get(squeezed(name), squeezed(name)): value for name, value in row.items()}
            unknown = sorted(named.keys() - _KNOWN)
            yield f"line {number}", f"the name {shown(unknown[0])} is unknown" if unknown else named
