"""A process notices that its key is not the one that the live store was used with."""

import base64
from pathlib import Path

import pytest

from passerby.adapters.memory import FileLog
from passerby.bootstrap.files import check_key_mark
from passerby.settings import Settings, WrongSetting, former_keys

KEY, OTHER = bytes(32), bytes(range(32))


def opens(path: Path, key: bytes, previous: str = "") -> bool:
    log = FileLog(path)
    settings = Settings(secret_key_previous=previous)  # type: ignore[arg-type]
    try:
        check_key_mark(log, settings, key, former_keys(settings))
    except WrongSetting:
        return False
    finally:
        log.close()
    return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "passerby.live"


def test_a_new_key_beside_an_existing_live_store_is_refused(path: Path) -> None:
    assert opens(path, KEY)
    assert opens(path, KEY)
    assert not opens(path, OTHER)
    assert opens(path, KEY), "the refusal changed nothing"


def test_a_changed_key_is_accepted_with_the_former_key(path: Path) -> None:
    assert opens(path, KEY)
    assert opens(path, OTHER, base64.b64encode(KEY).decode())
    assert opens(path, OTHER)
    assert not opens(path, KEY)


def test_an_operator_can_say_that_the_former_key_is_lost(path: Path) -> None:
    assert opens(path, KEY)
    assert opens(path, OTHER, "lost")
    assert opens(path, OTHER)
