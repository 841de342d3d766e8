"""What holds for every test. Fixtures live beside the tests that need them."""

import os

import coverage
from hypothesis import HealthCheck, settings

# Nothing here is measured in time: the machine may be busy with other things.
settings.register_profile("passerby", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("passerby")

_measured: coverage.Coverage | None = None

# `tools/check.py` asks for coverage. It starts here rather than in pytest's own process or through a hook in every
# Python process: before any import of Passerby, in the workers, and not in what the tests start and kill.
if (_folder := os.environ.get("PASSERBY_COVERAGE")) and "PYTEST_XDIST_WORKER" in os.environ:
    _measured = coverage.Coverage(data_file=f"{_folder}/.coverage", data_suffix=True, messages=False)
    _measured.start()


def pytest_unconfigure() -> None:
    if _measured is not None:
        _measured.stop()
        _measured.save()
