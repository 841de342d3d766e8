"""The pure layers only decide: they import only listed modules, and call nothing that reads the outside world."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src/passerby"
PURE = ("kernel", "domain", "dialogue", "features", "staff")

ALLOWED = {
    *("bisect", "collections", "dataclasses", "enum", "functools", "hashlib", "heapq", "itertools", "math", "msgspec"),
    *("operator", "passerby", "re", "statistics", "string", "struct", "types", "typing", "unicodedata", "zlib"),
}
"""Modules without clock, chance, input or output."""
ONLY = {"random": {"Random"}, "urllib.parse": {"unquote"}}
"""Modules with some names that are pure: `Random` is a type here, and `env.rng` is the source of chance."""
FINDS_FEATURES = {
    (f"{room}/__init__.py", module) for room in ("features", "staff") for module in ("importlib", "pkgutil")
}
"""The list of features finds its own folder."""
CALLS = {"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint", "hash", "id", "globals"}
"""Built-in functions that reach outside, or differ from run to run."""


def impurities(source: str, file: str = "") -> Iterator[str]:
    """The impure things in a module, each by its name. Imports inside functions and for types count as well."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = {name.name for name in names}
            case ast.ImportFrom(module=str(module), names=names) if module in ONLY:
                yield from (f"{module}.{name.name}" for name in names if name.name not in ONLY[module])
                continue
            case ast.ImportFrom(module=module):
                modules = {module or "a relative import"}
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield "async"
                continue
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield name
                continue
            case _:
                continue
        yield from (
            module
            for module in sorted(modules)
            if module.split(".")[0] not in ALLOWED and (file, module) not in FINDS_FEATURES
        )


@pytest.mark.parametrize("layer", PURE)
def test_a_pure_layer_imports_only_pure_modules_and_reads_nothing(layer: str) -> None:
    files = sorted((PACKAGE / layer).rglob("*.py"))
    assert files
    found = {
        (file, name)
        for path in files
        for file in [str(path.relative_to(PACKAGE))]
        for name in impurities(path.read_text("utf-8"), file)
    }
    assert found == set()


@pytest.mark.parametrize(
    ("planted", "seen"),
    [
        ("import asyncio", "asyncio"),
        ("import logging", "logging"),
        ("from prometheus_client import Counter", "prometheus_client"),
        ("import time", "time"),
        ("from datetime import datetime", "datetime"),
        ("import random", "random"),
        ("from random import Random, randrange", "random.randrange"),
        ("import os.path", "os.path"),
        ("import socket", "socket"),
        ("from pathlib import Path", "pathlib"),
        ("from urllib.request import urlopen", "urllib.request"),
        ("import importlib", "importlib"),
        ("def now():\n    import secrets", "secrets"),
        ("from . import clock", "a relative import"),
        ("async def wait(): pass", "async"),
        ("text = open('secret').read()", "open"),
        ("order = hash('text')", "hash"),
    ],
)
def test_an_impurity_is_found(planted: str, seen: str) -> None:
    assert list(impurities(planted, "features/idle/__init__.py")) == [seen]


def test_pure_imports_are_allowed() -> None:
    assert list(impurities("import re\nfrom random import Random\nfrom passerby.kernel.text import text")) == []
