"""Turns request bodies into parameters and files: JSON, forms, query strings, multipart. It does not interpret them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from botapi_sandbox.world.answers import Upload

_decode = msgspec.json.Decoder().decode


class BadBody(Exception):
    """The body is not what its content type says."""


def read_body(content_type: str, body: bytes, query: str) -> tuple[dict[str, Any], dict[str, Upload]]:
    """Parameters and uploads of a request. Raises: BadBody."""
    params: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    if not body:
        return params, {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            given = _decode(body)
        except (msgspec.DecodeError, RecursionError):
            raise BadBody("can't parse JSON object") from None
        if not isinstance(given, dict):
            raise BadBody("can't parse JSON object")
        params.update(given)
        return params, {}
    if kind == "multipart/form-data":
        fields, uploads = _multipart(content_type, body)
        params.update(fields)
        return params, uploads
    try:
        params.update(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise BadBody("strings must be encoded in UTF-8") from None
    return params, {}


class _Parts:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.uploads: dict[str, Upload] = {}
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._data: list[bytes] = []

    def begin(self) -> None:
        self._headers = {}
        self._data = []

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        data = b"".join(self._data)
        file_name = options.get(b"filename")
        if file_name is None:
            try:
                self.fields[name] = data.decode()
            except UnicodeDecodeError:
                raise BadBody("strings must be encoded in UTF-8") from None
            return
        mime = self._headers.get(b"content-type", b"").decode("latin-1")
        if mime == "application/octet-stream":
            mime = ""  # the client does not know the type; Telegram then looks at the name
        self.uploads[name] = Upload(data, file_name.decode("utf-8", "replace"), mime)


def _multipart(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, Upload]]:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise BadBody("can't find boundary in the request")
    parts = _Parts()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": parts.begin,
            "on_part_data": parts.data,
            "on_part_end": parts.end,
            "on_header_field": parts.header_field,
            "on_header_value": parts.header_value,
            "on_header_end": parts.header_end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except MultipartParseError:
        raise BadBody("can't parse multipart request") from None
    return parts.fields, parts.uploads
