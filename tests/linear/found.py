"""Finds every pattern of the product, and every function that takes what people send, by walking the modules."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

import passerby

ROOT = Path(passerby.__file__).parent
NOT_FROM_PEOPLE = ("passerby.loadtest", "passerby.adapters.sql.migrations", "passerby.cli.__main__")
"""Development tools, and programs that run on import."""
READERS = (
    "passerby.kernel",
    "passerby.domain",
    "passerby.dialogue",
    "passerby.features",
    "passerby.adapters.botapi",
    "passerby.catalogue",
)
"""The modules whose functions get what people send."""


@cache
def modules() -> dict[str, ModuleType]:
    names = [each.name for each in pkgutil.walk_packages(passerby.__path__, "passerby.")]
    return {name: importlib.import_module(name) for name in names if not name.startswith(NOT_FROM_PEOPLE)}


@cache
def patterns() -> dict[str, "re.Pattern[Any]"]:
    """The patterns by place: those compiled when a module is imported, and those that a call compiles."""
    found: dict[str, re.Pattern[Any]] = {}
    for name, module in modules().items():
        for attribute, value in vars(module).items():
            for number, pattern in enumerate(_patterns_in(value)):
                found[f"{name}.{attribute}.{number}"] = pattern
    for path in sorted(ROOT.rglob("*.py")):
        module_name = "passerby." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if not module_name.startswith(NOT_FROM_PEOPLE):
            for line, pattern in _inline(path):
                found[f"{module_name}:{line}"] = pattern
    unique: dict[tuple[Any, int], str] = {}
    for place, pattern in found.items():
        unique.setdefault((pattern.pattern, pattern.flags), place)
    return {place: found[place] for place in unique.values()}


def _patterns_in(value: object, depth: int = 0) -> Iterator["re.Pattern[Any]"]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, Mapping):
        for inner in value.values():
            yield from _patterns_in(inner, depth + 1)
    elif depth < 4 and isinstance(value, (tuple, list, frozenset, set)):
        for inner in value:
            yield from _patterns_in(inner, depth + 1)


def _inline(path: Path) -> Iterator[tuple[int, "re.Pattern[str]"]]:
    source = path.read_text()
    # To parse every file takes seconds, in each process that collects the tests.
    for node in ast.walk(ast.parse(source)) if re.search(r"\bre\.", source) else ():
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=called), args=[ast.Constant(value=str(pattern)), *_]
            ) if called != "escape":
                yield node.lineno, re.compile(pattern)


@cache
def functions(kind: type) -> dict[str, Callable[[Any], object]]:
    """The functions whose only required argument is of this type, private ones included."""
    found: dict[str, Callable[[Any], object]] = {}
    for name, module in modules().items():
        if not name.startswith(READERS):
            continue
        for attribute, value in vars(module).items():
            if isinstance(value, FunctionType) and value.__module__ == name and _takes(value, kind):
                found[f"{name}.{attribute}"] = value
    return found


def _takes(function: FunctionType, kind: type) -> bool:
    required = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
    ]
    if len(required) != 1 or inspect.iscoroutinefunction(function):
        return False
    return get_type_hints(function).get(required[0].name) is kind
