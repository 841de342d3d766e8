"""Which scenarios run over a real server: of every flow the plain kinds. `SCENARIO_ALL=1` runs all of them over all.

What a message holds is the adapter's affair towards Telegram; what a flow asks of the store is the same for each kind.
"""

import os

import pytest

PLAIN = {"text", None}


def _kind(item: pytest.Item) -> str | None:
    params = getattr(item, "callspec", None)
    found = params.params.get("kind") if params is not None else None
    return found if isinstance(found, str) else None


def _store(item: pytest.Item) -> str | None:
    params = getattr(item, "callspec", None)
    return params.params.get("store") if params is not None else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("SCENARIO_ALL") == "1":
        return
    here = [item for item in items if "tests/scenario" in item.path.as_posix() and _store(item) not in (None, "memory")]
    spare = [item for item in here if _kind(item) not in PLAIN]
    if spare:
        config.hook.pytest_deselected(items=spare)
        dropped = set(map(id, spare))
        items[:] = [item for item in items if id(item) not in dropped]
