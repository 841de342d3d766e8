"""Temporary directories with short paths. The path of a Unix socket may have about a hundred characters."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def run_path() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="psr-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
