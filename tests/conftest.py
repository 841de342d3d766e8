"""Setup for every test. Fixtures are next to the tests that need them."""

import faulthandler
import os
from collections.abc import Generator
from contextlib import ExitStack, suppress

import pytest
from hypothesis import HealthCheck, settings

# No deadline for an example: the machine may be busy with other work.
settings.register_profile(
    "passerby",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=int(os.environ.get("TEST_EXAMPLES", "100")),
)
settings.load_profile("passerby")

_GRACE_S = float(os.environ.get("TEST_GRACE_S", "30"))
"""How long a test may continue after its timeout was raised inside it. An event loop that waits for a task that never
ends swallows the timeout. Then the stacks are printed and the process ends; under xdist another process takes over."""
_stderr = -1
_servers = ExitStack()


def pytest_configure() -> None:
    global _stderr
    # pytest captures the output of each test. This copy of stderr bypasses the capture.
    _stderr = os.dup(2)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run long forms only if they are selected by marker or by name."""
    if config.option.markexpr or config.option.keyword:
        return
    named = tuple(argument for argument in config.args if "::" in argument)
    left = [item for item in items if item.get_closest_marker("long") and not item.nodeid.startswith(named)]
    if left:
        config.hook.pytest_deselected(items=left)
        dropped = set(map(id, left))
        items[:] = [item for item in items if id(item) not in dropped]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Start one PostgreSQL for the whole run. Its worker processes inherit it; tests create their own databases on
    it."""
    if "TEST_POSTGRES_URI" in os.environ:
        return
    # Imported here so that a single test starts quickly.
    from tests.contract.servers import SHARED_POSTGRES, postgres_uri

    with suppress(pytest.skip.Exception):  # not installed: the tests say so themselves
        os.environ[SHARED_POSTGRES] = _servers.enter_context(postgres_uri())


def pytest_unconfigure() -> None:
    os.close(_stderr)
    _servers.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    marker = item.get_closest_marker("timeout")
    bound_s = float(marker.args[0] if marker is not None else item.config.getini("timeout"))
    faulthandler.dump_traceback_later(bound_s + _GRACE_S, exit=True, file=_stderr)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
