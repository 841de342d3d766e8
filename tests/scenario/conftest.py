"""Which scenarios run in `make test`, and which in `make test-all`.

The kind of a message matters to the Telegram adapter. The store's calls in a flow are the same for each kind. So a
plain message goes through everything that can happen to the app. Every other kind goes through every sixth flow, on
two bots, with one of the histories; flow and history differ from kind to kind. Over real servers, or over a store that
answers late, each flow runs once, with a plain message and a kill if the flow has one. The servers are Redis and
PostgreSQL if the flow has both, otherwise Redis alone. There are two workers if the flow has that.

In `make test-all`, a plain message goes through everything over all stores. Every other kind goes through every flow
over each store, with each history, on one bot and on two, but only through every other combination of these.
"""

from typing import Any
from zlib import crc32

import pytest

from tests.scenario.stores import FLEET, SERVERS, STORES
from tests.size import may_be_long

PLAIN = {"text", None}
ONCE = {FLEET, SERVERS, "late"}
RANKS = {FLEET: 0, SERVERS: 1}
"""Which servers a flow runs over, if it has several."""


def _is_quick(flow: str, params: dict[str, Any], histories: list[Any]) -> bool:
    kind, store, history, home = (params.get(name) for name in ("kind", "store", "history", "home"))
    is_plain = kind is None or (isinstance(kind, str) and kind in PLAIN)
    if store in ONCE:
        first = {"home": False, "history": "killed", "action": "report"}
        return is_plain and all(params.get(name, value) == value for name, value in first.items())
    if store == "memory" and is_plain:
        return not home or history in (None, "fresh")
    if store == "memory":
        chance = _chance(f"{flow} {kind}")
        return not home and history in (None, histories[chance % len(histories)]) and chance // len(histories) % 6 == 0
    return is_plain


def is_left_out(flow: str, params: dict[str, Any], histories: list[Any]) -> bool:
    """Whether not even `make test-all` runs it."""
    kind, store, history, home = (params.get(name) for name in ("kind", "store", "history", "home"))
    if not isinstance(kind, str) or kind in PLAIN or history is None or store not in STORES:
        return False
    return (_chance(f"{flow} {kind}") + list(STORES).index(store) + histories.index(history) + bool(home)) % 2 == 1


def _chance(words: str) -> int:
    """A number that is the same in every run."""
    return crc32(words.encode())


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose when all parameters are known. The long forms are thousands, so they are made only if they can run."""
    flow = metafunc.function.__name__
    calls = [call for call in metafunc._calls if "store" in call.params]
    histories = sorted({call.params.get("history") for call in calls}, key=str)
    long = []
    on_server: dict[bool, list[tuple[int, int, Any]]] = {}
    for call in calls:
        store = call.params["store"]
        if not _is_quick(flow, call.params, histories):
            long.append(call)
        elif store != "memory":
            ranked = (RANKS.get(store, 2), _chance(f"{flow}[{call.id}]"), call)
            on_server.setdefault(store == "late", []).append(ranked)
    turn = len(on_server) == 2 and _chance(flow) % 2 == 1
    for is_late, alike in on_server.items():
        kept = 0 if len(on_server) == 2 and is_late != turn else 1
        long += [call for _, _, call in sorted(alike, key=lambda ranked: ranked[:2])[kept:]]
    if len(long) == len(calls):
        del long[:1]  # every flow runs at least once
    if may_be_long(metafunc.config):
        dropped = {id(call) for call in long if is_left_out(flow, call.params, histories)}
        for call in long:
            call.marks.append(pytest.mark.long.mark)
    else:
        dropped = set(map(id, long))
    metafunc._calls[:] = [call for call in metafunc._calls if id(call) not in dropped]
