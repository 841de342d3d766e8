"""Which scenarios run over a real server: of every flow the plain kinds. `SCENARIO_ALL=1` runs all of them over all.
Over two servers each flow runs once: on two bots, and with a kill where it has one.

What a message holds is the adapter's affair towards Telegram; what a flow asks of the store is the same for each kind.
"""

import os

import pytest

from tests.scenario.stores import SERVERS

PLAIN = {"text", None}


def _kind(item: pytest.Item) -> str | None:
    params = getattr(item, "callspec", None)
    found = params.params.get("kind") if params is not None else None
    return found if isinstance(found, str) else None


def _store(item: pytest.Item) -> str | None:
    params = getattr(item, "callspec", None)
    return params.params.get("store") if params is not None else None


def _is_spare(item: pytest.Item) -> bool:
    if _kind(item) not in PLAIN:
        return True
    if _store(item) != SERVERS:
        return False
    params = item.callspec.params  # type: ignore[attr-defined]
    first = {"home": False, "life": "killed", "action": "report"}
    return any(params.get(name, value) != value for name, value in first.items())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("SCENARIO_ALL") == "1":
        return
    here = [item for item in items if "tests/scenario" in item.path.as_posix() and _store(item) not in (None, "memory")]
    spare = [item for item in here if _is_spare(item)]
    if spare:
        config.hook.pytest_deselected(items=spare)
        dropped = set(map(id, spare))
        items[:] = [item for item in items if id(item) not in dropped]
