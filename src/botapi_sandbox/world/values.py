"""Checks of single values: numbers, strings, files, arrays, and their limits.

A check returns the value in its final type, or raises `Mismatch`. *Loose* checks read requests as Telegram does (a
number may be a string). *Exact* checks are for the sandbox's own output. `schema` combines them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from botapi_sandbox.world.answers import Upload

Kind = Literal["unknown", "missing", "type", "long", "short", "range", "enum", "json"]
Check = Callable[[Any], Any]

_INTEGER = re.compile(r"[+-]?\d{1,19}\Z")
_TRUE = frozenset({"true", "True", "TRUE", "1", "yes", "Yes"})
_FALSE = frozenset({"false", "False", "FALSE", "0", "no", "No", ""})


class Mismatch(Exception):
    """A value does not fit. `path` leads to it, from the outside in. `kind` says why it does not fit."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.path: list[str] = []

    def under(self, step: str) -> Mismatch:
        self.path.insert(0, step)
        return self

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} {self.detail}".strip()


def utf16_len(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def from_json(text: str) -> Any:
    """The decoded JSON text. Raises: Mismatch."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Mismatch("json", "is not valid JSON") from None


def _loose_integer(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Mismatch("type", "must be of type Integer")


def _loose_float(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    raise Mismatch("type", "must be of type Float")


def _loose_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in _TRUE or value == 1:
        return True
    if value in _FALSE or value == 0:
        return False
    raise Mismatch("type", "must be of type Boolean")


def _loose_string(value: Any) -> str | Upload:
    if isinstance(value, str | Upload):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise Mismatch("type", "must be of type String")


def _exact(name: str, *types: type) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise Mismatch("type", f"must be of type {name}")
        return value

    return check


def _exactly_true(value: Any) -> Any:
    if value is not True:
        raise Mismatch("type", "must be true or absent")
    return value


def _input_file(value: Any) -> Any:
    if isinstance(value, Upload):
        return value
    raise Mismatch("type", "must be an uploaded file")


SIMPLE: dict[str, tuple[Check, Check]] = {
    "Integer": (_loose_integer, _exact("Integer", int)),
    "Float": (_loose_float, _exact("Float", int, float)),
    "Boolean": (_loose_boolean, _exact("Boolean", bool)),
    "True": (_loose_boolean, _exactly_true),
    "String": (_loose_string, _exact("String", str)),
    "InputFile": (_input_file, _input_file),
}


def array_of(element: Check, *, loose: bool) -> Check:
    """An array of values that `element` accepts."""

    def check(value: Any) -> Any:
        if loose and isinstance(value, str):
            value = from_json(value)
        if not isinstance(value, list):
            raise Mismatch("type", "must be an Array")
        out = []
        for index, item in enumerate(value):
            try:
                out.append(element(item))
            except Mismatch as mismatch:
                raise mismatch.under(str(index)) from None
        return out

    return check


def exactly(const: str) -> Check:
    """One value."""

    def check(value: Any) -> Any:
        if value != const:
            raise Mismatch("enum", f"must be {const!r}")
        return value

    return check


def one_among(inner: Check, allowed: frozenset[str]) -> Check:
    """One of several values."""

    def check(value: Any) -> Any:
        read = inner(value)
        # Telegram accepts emoji with and without the variation selector.
        if read not in allowed and read.rstrip("\ufe0f") not in allowed:
            raise Mismatch("enum", f"has no value {read!r}")
        return read

    return check


def of_length(inner: Check, least: int, most: int) -> Check:
    """A length between two limits, in UTF-16 code units."""

    def check(value: Any) -> Any:
        read = inner(value)
        if len(read) < least:
            raise Mismatch("short", f"must have at least {least} characters")
        if len(read) > most // 2 and utf16_len(read) > most:
            raise Mismatch("long", f"must have at most {most} UTF-16 units")
        return read

    return check


def of_bytes(inner: Check, least: int, most: int) -> Check:
    """A length between two limits, in UTF-8 bytes."""

    def check(value: Any) -> Any:
        read = inner(value)
        size = len(read.encode("utf-8", "surrogatepass"))
        if size < least:
            raise Mismatch("short", f"must have at least {least} bytes")
        if size > most:
            raise Mismatch("long", f"must have at most {most} bytes")
        return read

    return check


def in_range(inner: Check, least: float, most: float, also: float | None = None) -> Check:
    """A number between two limits, or the value `also`."""

    def check(value: Any) -> Any:
        read = inner(value)
        if not least <= read <= most and read != also:
            raise Mismatch("range", f"must be from {least} to {most}")
        return read

    return check
