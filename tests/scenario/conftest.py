"""Which scenarios run in `make test`. `make test-all` runs all of them over all stores.

The kind of a message matters to the Telegram adapter. The store's calls in a flow are the same for each kind. So a
plain message goes through everything that can happen to the app. Every other kind goes through every third flow, on
two bots, with one of the lives; flow and life differ from kind to kind. Over real servers, and over a store that
answers late, each flow runs once, with a plain message and a kill if the flow has one. The servers are Redis and
PostgreSQL if the flow has both, otherwise Redis alone.
"""

from typing import Any
from zlib import crc32

import pytest

from tests.scenario.stores import SERVERS

PLAIN = {"text", None}
ONCE = {SERVERS, "late"}


def _is_quick(flow: str, params: dict[str, Any], lives: list[Any]) -> bool:
    kind, store, life, home = (params.get(name) for name in ("kind", "store", "life", "home"))
    is_plain = kind is None or (isinstance(kind, str) and kind in PLAIN)
    if store in ONCE:
        first = {"home": False, "life": "killed", "action": "report"}
        return is_plain and all(params.get(name, value) == value for name, value in first.items())
    if store == "memory" and is_plain:
        return not home or life in (None, "fresh")
    if store == "memory":
        chance = _chance(f"{flow} {kind}")
        return not home and life in (None, lives[chance % len(lives)]) and chance // len(lives) % 3 == 0
    return is_plain


def _chance(words: str) -> int:
    """A number that is the same in every run."""
    return crc32(words.encode())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    scenarios: list[tuple[pytest.Item, str, dict[str, Any]]] = []
    lives: dict[str, set[Any]] = {}
    for item in items:
        params: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        if "tests/scenario" in item.path.as_posix() and "store" in params:
            flow: str = getattr(item, "originalname", item.name)
            scenarios.append((item, flow, params))
            lives.setdefault(flow, set()).add(params.get("life"))
    on_server: dict[Any, list[tuple[bool, int, pytest.Item]]] = {}
    for item, flow, params in scenarios:
        store = params["store"]
        if not _is_quick(flow, params, sorted(lives[flow], key=str)):
            item.add_marker(pytest.mark.long)
        elif store != "memory":
            ranked = (store != SERVERS, _chance(item.name), item)
            on_server.setdefault((item.path, flow, store == "late"), []).append(ranked)
    for alike in on_server.values():
        for _, _, item in sorted(alike, key=lambda ranked: ranked[:2])[1:]:
            item.add_marker(pytest.mark.long)
