"""The Bot API 10.3 schema, compiled once into closures. It checks requests, answers and updates.

The same data is compiled twice, into two books. The *loose* book reads requests as Telegram does: a number may be a
string, an object may be JSON text, `null` means absent; values are returned in their final types. The *exact* book
checks the sandbox's own output. `text` checks the length of texts and captions, after it has parsed their entities.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec

from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.values import (
    SIMPLE,
    Check,
    Mismatch,
    array_of,
    exactly,
    from_json,
    in_range,
    of_bytes,
    of_length,
    one_among,
)

_MEASURED_ELSEWHERE = frozenset({"text", "caption", "quote"})
_LEAST_PARSED = 1024
"""Texts with smaller limits, such as the notice after a press, have no entities. Their length is checked here."""
_LIVE_FOREVER = 0x7FFFFFFF
"""A valid live period that is not in the schema's limits: until it is stopped."""
_BARE_ARRAY = "Array of "


class _Object:
    """The check of one object type. Fields are added after construction, because types refer to each other."""

    __slots__ = ("book", "fields", "loose", "name", "required")

    def __init__(self, book: Book, name: str) -> None:
        self.book = book
        self.name = name
        self.loose = book.loose
        self.fields: dict[str, Check] = {}
        self.required: tuple[str, ...] = ()

    def __call__(self, value: Any) -> Any:
        if self.loose and isinstance(value, str):
            value = from_json(value)
        if not isinstance(value, dict):
            raise Mismatch("type", f"must be a {self.name}")
        fields = self.fields
        out: Json = {}
        for key, item in value.items():
            check = fields.get(key)
            if check is None:
                self.book.unknown.append(f"{self.name}.{key}")
            elif item is not None or not self.loose:
                try:
                    out[key] = check(item)
                except Mismatch as mismatch:
                    raise mismatch.under(key) from None
        for key in self.required:
            if key not in out:
                raise Mismatch("missing", f"lacks {key} of {self.name}").under(key)
        return out


class Method:
    """The check of one method's parameters."""

    __slots__ = ("_object", "name", "returns")

    def __init__(self, name: str, check: _Object, returns: list[str]) -> None:
        self.name = name
        self._object = check
        self.returns = returns

    def takes(self, parameter: str) -> bool:
        """True if the method has this parameter."""
        return parameter in self._object.fields

    def read(self, parameters: Mapping[str, Any]) -> tuple[Json, list[str]]:
        """The parameters in their final types, and the names of parameters that the schema does not have.

        Raises: Mismatch.
        """
        book = self._object.book
        book.unknown = []
        read = self._object(parameters)
        return read, book.unknown


class Book:
    """Every type and method of the schema, compiled. `loose` as in the module's docstring."""

    def __init__(self, data: Json, *, loose: bool) -> None:
        self.loose = loose
        self.unknown: list[str] = []
        self._types: Json = data["types"]
        self._checks: dict[str, Check] = {}
        self.methods: dict[str, Method] = {}
        for name, method in data["methods"].items():
            check = _Object(self, name)
            self._fill(check, method["fields"], top=True)
            self.methods[name.lower()] = Method(name, check, method["returns"])

    def verify(self, value: Any, *types: str) -> None:
        """Raises: Mismatch, unless `value` is exactly one of `types`, without keys that the schema does not have."""
        self.unknown = []
        self._alternatives(list(types))(value)
        if self.unknown:
            raise Mismatch("unknown", f"has {', '.join(self.unknown)}, unknown to the schema")

    def _fill(self, check: _Object, fields: list[Json], *, top: bool = False) -> None:
        for spec in fields:
            check.fields[spec["name"]] = self._field(spec, top=top)
        # Telegram reads only the id of a User in a request.
        bare = self.loose and check.name == "User"
        check.required = ("id",) if bare else tuple(spec["name"] for spec in fields if spec["required"])

    def _field(self, spec: Json, *, top: bool) -> Check:
        check = self._alternatives(spec["types"])
        after_parsing = spec["name"] in _MEASURED_ELSEWHERE and spec.get("max_len", 0) >= _LEAST_PARSED
        if self.loose and after_parsing and (top or spec["name"] in ("caption", "quote")):
            return check
        if "const" in spec:
            return exactly(spec["const"])
        if "enum" in spec:
            return one_among(check, frozenset(spec["enum"]))
        if "max_len" in spec:
            return of_length(check, spec["min_len"], spec["max_len"])
        if "max_bytes" in spec:
            return of_bytes(check, spec["min_bytes"], spec["max_bytes"])
        if "max" in spec and not (top and spec["name"] == "limit"):
            also = _LIVE_FOREVER if spec["name"] == "live_period" else None
            return in_range(check, spec["min"], spec["max"], also)
        return check

    def _type(self, name: str) -> Check:
        known = self._checks.get(name)
        if known is not None:
            return known
        if name.startswith(_BARE_ARRAY):
            self._checks[name] = check = self._array([name.removeprefix(_BARE_ARRAY)])
            return check
        if name in SIMPLE:
            self._checks[name] = check = SIMPLE[name][0 if self.loose else 1]
            return check
        spec = self._types[name]
        if "one_of" in spec:
            union = _Union(self)
            self._checks[name] = union
            union.alternatives = [(self._consts(each), self._type(each)) for each in spec["one_of"]]
            return union
        built = _Object(self, name)
        self._checks[name] = built
        self._fill(built, spec["fields"])
        return built

    def _consts(self, name: str) -> dict[str, Any]:
        spec = self._types.get(name, {"fields": []})
        return {f["name"]: f["const"] for f in spec["fields"] if "const" in f and f["required"]}

    def _array(self, elements: list[str]) -> Check:
        return array_of(self._alternatives(elements), loose=self.loose)

    def _alternatives(self, types: list[str]) -> Check:
        if len(types) == 1:
            return self._type(types[0])
        if all(name.startswith(_BARE_ARRAY) for name in types):
            # According to the schema's text, such an array may mix its alternatives.
            return self._array([name.removeprefix(_BARE_ARRAY) for name in types])
        union = _Union(self)
        union.alternatives = [(self._consts(name), self._type(name)) for name in types]
        return union


class _Union:
    """One of several types: chosen by a constant field (`type`, `status` ...), else the first that fits."""

    __slots__ = ("alternatives", "book")

    def __init__(self, book: Book) -> None:
        self.book = book
        self.alternatives: list[tuple[dict[str, Any], Check]] = []

    def __call__(self, value: Any) -> Any:
        if self.book.loose and isinstance(value, str) and value[:1] in ("{", "["):
            value = from_json(value)
        candidates = self.alternatives
        if isinstance(value, dict):
            told = [
                (consts, check)
                for consts, check in candidates
                if consts and all(value.get(key) == const for key, const in consts.items())
            ]
            candidates = told or candidates
        first: Mismatch | None = None
        fallback: tuple[Any, list[str]] | None = None
        before = list(self.book.unknown)
        for _, check in candidates:
            self.book.unknown = list(before)
            try:
                read = check(value)
            except Mismatch as mismatch:
                first = _deeper(first, mismatch)
                continue
            if len(self.book.unknown) == len(before):
                return read
            fallback = fallback or (read, self.book.unknown)
        if fallback is None:
            self.book.unknown = before
            raise first or Mismatch("type", "has no allowed type")
        self.book.unknown = fallback[1]
        return fallback[0]


def _deeper(first: Mismatch | None, second: Mismatch) -> Mismatch:
    """The failure with the longer path, because its alternative is more likely the intended one."""
    if first is None or (second.kind != "missing" and len(second.path) > len(first.path)):
        return second
    return first


class Schema:
    """Both books. Building them takes some milliseconds, so all worlds of a process share one (`bot_api_schema`)."""

    def __init__(self, data: Json) -> None:
        self.version: str = data["version"]
        self.requests = Book(data, loose=True)
        self.emissions = Book(data, loose=False)


_shared: list[Schema] = []


def bot_api_schema() -> Schema:
    """The schema of Bot API 10.3, built at the first call."""
    if not _shared:
        raw = files("botapi_sandbox").joinpath("data/botapi-10.3.json").read_bytes()
        _shared.append(Schema(msgspec.json.decode(raw)))
    return _shared[0]
