"""Directories that a Unix socket's path, of about a hundred characters, can lie in."""

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
