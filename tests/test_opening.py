"""Log entries about the installation's key when a process opens its live store."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from passerby.adapters.memory import FileLog
from passerby.bootstrap.files import check_key_mark

KEY, OTHER = bytes(32), bytes(range(32))


def said(path: Path, key: bytes, *former: bytes) -> list[str]:
    log = FileLog(path)
    try:
        with capture_logs() as entries:
            check_key_mark(log, key, former)
        return [entry["event"] for entry in entries]
    finally:
        log.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "passerby.live"


def test_a_new_key_beside_an_existing_live_store_is_logged_once(path: Path) -> None:
    assert said(path, KEY) == []
    assert said(path, KEY) == []
    assert said(path, OTHER) == ["key.other"]
    assert said(path, OTHER) == []


def test_a_changed_key_with_the_former_key_named_logs_nothing(path: Path) -> None:
    assert said(path, KEY) == []
    assert said(path, OTHER, KEY) == []
    assert said(path, OTHER) == []
