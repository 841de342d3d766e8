"""Setup for every test. Fixtures are next to the tests that need them."""

import faulthandler
import gc
import os
from collections.abc import Generator
from contextlib import ExitStack, suppress
from pathlib import Path
from time import time

import pytest
from hypothesis import HealthCheck, settings

from tests.order import slow_first
from tests.size import size

# No deadline for an example: the machine may be busy with other work.
settings.register_profile(
    "passerby",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=int(os.environ.get("TEST_EXAMPLES", size(12, 100))),
)
settings.load_profile("passerby")

_GRACE_S = float(os.environ.get("TEST_GRACE_S", "30"))
"""How long a test may continue after its timeout was raised inside it. An event loop that waits for a task that never
ends swallows the timeout. Then the stacks are printed and the process ends; under xdist another process takes over."""
_UNTIL = float(os.environ.get("TEST_UNTIL") or "inf")
"""Unix seconds. Tests that would begin later are skipped, so that a slow machine runs fewer long forms."""
PURE = ("tests/kernel/", "tests/domain/", "tests/features/")
_stderr = -1
_servers = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    said = "tools/check.py has run the tests of the pure layers on their own, with few draws of hypothesis"
    parser.addini("pure_ran", said, "bool", default=False)


def pytest_configure() -> None:
    global _stderr
    # pytest captures the output of each test. This copy of stderr bypasses the capture.
    _stderr = os.dup(2)
    # Collecting creates a million objects and hardly any garbage. `pytest_collection_finish` enables this again.
    gc.disable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no file whose tests `tools/check.py` has all just run."""
    if not config.getini("pure_ran") or not collection_path.name.startswith("test_"):
        return None
    place = collection_path.relative_to(config.rootpath).as_posix()
    return True if place.startswith(PURE) and "hypothesis" not in collection_path.read_text("utf-8") else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that draw examples draw more of them in the long run."""
    if _draws(item):
        item.add_marker(pytest.mark.sized)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run long forms only if they are selected by marker or by name. Run no test that `tools/check.py` has just run in
    the same way. Begin with the slow ones."""
    _deselect(config, items)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    if workers:
        items[:] = slow_first(items, workers, lambda item: item.nodeid)


def _deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr or config.option.keyword:
        return
    pure_ran = config.getini("pure_ran")
    named = tuple(argument for argument in config.args if "::" in argument)
    left = [
        item
        for item in items
        if (item.get_closest_marker("long") and not item.nodeid.startswith(named)) or (pure_ran and _is_settled(item))
    ]
    if left:
        config.hook.pytest_deselected(items=left)
        dropped = set(map(id, left))
        items[:] = [item for item in items if id(item) not in dropped]


def _is_settled(item: pytest.Item) -> bool:
    """Whether it is a test of the pure layers that draws nothing: it does the same in every run."""
    return item.nodeid.startswith(PURE) and not _draws(item)


def _draws(item: pytest.Item) -> bool:
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False)


def pytest_collection_finish() -> None:
    """Tests and modules stay until the end. Python need not search them for garbage, not even now, and what a test
    leaves is cheap to keep for a while."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Start one PostgreSQL for the whole run. Its worker processes inherit it; tests create their own databases on
    it. Those that start a server of their own start it with a copy of the same data."""
    if "TEST_POSTGRES_URI" in os.environ or "POSTGRES_URI" in os.environ:
        return
    # Imported here so that a single test starts quickly.
    from tests.contract.records_places import MIGRATED, PostgresServer
    from tests.contract.servers import SHARED_POSTGRES, new_postgres, start_postgres

    with suppress(pytest.skip.Exception):  # not installed: the tests say so themselves
        _servers.enter_context(new_postgres())
        server = _servers.enter_context(start_postgres())
        os.environ |= {SHARED_POSTGRES: server.uri, MIGRATED: "passerby_migrated"}
        PostgresServer(server.uri).make_template(os.environ[MIGRATED])


def pytest_unconfigure() -> None:
    os.close(_stderr)
    _servers.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if time() > _UNTIL:
        pytest.skip("the time of this run is up")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    marker = item.get_closest_marker("timeout")
    bound_s = float(marker.args[0] if marker is not None else item.config.getini("timeout"))
    faulthandler.dump_traceback_later(bound_s + _GRACE_S, exit=True, file=_stderr)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
