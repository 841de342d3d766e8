"""Values of every Bot API type, made from the schema: a smallest valid one, and one with every member.

The user in them is always the same, with a name and an id that tests can search for.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

CANARY_ID = 999000999
CANARY = "CanaryUser"

_DEEPEST = 4


@cache
def schema() -> dict[str, Any]:
    """Bot API 10.3."""
    return json.loads((files("botapi_sandbox") / "data" / "botapi-10.3.json").read_text())  # type: ignore[no-any-return]


def fields(type_name: str) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in schema()["types"][type_name].get("fields", ())}


def smallest(type_name: str) -> Any:
    return _value(type_name, full=False, depth=0)


def fullest(type_name: str) -> Any:
    return _value(type_name, full=True, depth=0)


def _value(type_name: str, *, full: bool, depth: int) -> Any:
    if type_name.startswith("Array of "):
        return [_value(type_name.removeprefix("Array of "), full=full, depth=depth)]
    match type_name:
        case "Integer":
            return 3
        case "Float":
            return 1.5
        case "String":
            return "text"
        case "Boolean" | "True":
            return True
        case "User":
            return {"id": CANARY_ID, "is_bot": False, "first_name": CANARY, "last_name": CANARY, "username": CANARY}
        case "Chat":
            return {"id": CANARY_ID, "type": "private", "first_name": CANARY, "username": CANARY}
    described = schema()["types"][type_name]
    if "one_of" in described:
        return _value(described["one_of"][0], full=full, depth=depth)
    return {
        name: _field(field, full=full, depth=depth)
        for name, field in fields(type_name).items()
        if field["required"] or (full and depth < _DEEPEST)
    }


def _field(field: dict[str, Any], *, full: bool, depth: int) -> Any:
    if "const" in field:
        return field["const"]
    if "enum" in field:
        return field["enum"][0]
    return _value(field["types"][0], full=full, depth=depth + 1)
