"""Each file of an installation is damaged in each way. A start ends with one sentence about it, or goes on."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm
from tests.cli.command import PASSERBY, TOKEN, environment

ROOT = Path(__file__).parents[2]
MODES_AND_KINDS = ("dangling", "circular", "unreadable", "read_only", "directory", "pipe")
NEEDED = ("passerby.db", "passerby.db-wal", "passerby.db-shm", "passerby.live", "passerby.live.lock", "passerby.key")
RESTORED = ("passerby.db", "passerby.db-wal", "passerby.db-shm", "passerby.live", "passerby.live.lock")
HELPFUL = {
    "run/passerby.flight": "without it, a start goes on with a warning",
    "run/passerby.crashes": "without it, a start goes on with a warning",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, tuple[str, bool]]]:
    done = warm.run(
        [sys.executable, "-m", "tests.cli.damaged_files", str(tmp_path_factory.mktemp("damaged"))],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, tuple[str, bool]]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("damage", MODES_AND_KINDS)
@pytest.mark.parametrize("name", NEEDED)
def test_a_file_that_cannot_be_used_is_named_with_a_remedy_and_left_alone(
    said: dict[str, dict[str, tuple[str, bool]]], name: str, damage: str
) -> None:
    sentence, is_untouched = said[name][damage]
    setting = "SECRET_KEY: " if name == "passerby.key" else "SQLITE_DB_PATH: "
    assert sentence.startswith(setting)
    assert name in sentence or (name == "passerby.db" and damage == "directory")
    assert "; " in sentence, "it says what to do"
    assert "\n" not in sentence
    assert is_untouched
    if damage in ("dangling", "circular"):
        assert "is a link that leads nowhere" in sentence
    assert "end the other program" not in sentence


@pytest.mark.parametrize("damage", ["empty", "scribbled", "too_short", "of_another"])
def test_a_key_file_with_another_content_ends_the_start_with_a_remedy_and_is_left_alone(
    said: dict[str, dict[str, tuple[str, bool]]], damage: str
) -> None:
    problem = "SECRET_KEY: is not the key that passerby.live was used with; set the old one"
    if damage != "of_another":
        problem = "SECRET_KEY: passerby.key contains no key; put the right passerby.key back"
    sentence, is_untouched = said["passerby.key"][damage]
    assert sentence.startswith(problem)
    assert "\n" not in sentence
    assert is_untouched


def test_a_link_that_leads_nowhere_is_told_apart_from_a_full_disk(
    said: dict[str, dict[str, tuple[str, bool]]],
) -> None:
    assert not [name for name in NEEDED if "make room" in said[name]["dangling"][0]]


@pytest.mark.parametrize("name", HELPFUL)
def test_notes_that_cannot_be_used_stop_no_start(said: dict[str, dict[str, tuple[str, bool]]], name: str) -> None:
    assert {damage: sentence for damage, (sentence, _) in said[name].items() if sentence and damage != "database"} == {}


@pytest.mark.parametrize("name", RESTORED)
def test_an_empty_file_stops_no_start(said: dict[str, dict[str, tuple[str, bool]]], name: str) -> None:
    """Its contents come from the other store, or are in doubt."""
    assert said[name]["empty"][0] == ""


@pytest.mark.parametrize("name", ["passerby.live", "passerby.live.lock", "passerby.key"])
def test_none_of_our_other_files_becomes_the_database(said: dict[str, dict[str, tuple[str, bool]]], name: str) -> None:
    sentence, is_untouched = said[name]["database"]
    assert "which is taken; write a name in .db" in sentence
    assert is_untouched


@pytest.mark.parametrize("damage", ["dangling", "circular"])
def test_a_run_directory_that_leads_nowhere_is_named(said: dict[str, dict[str, tuple[str, bool]]], damage: str) -> None:
    told = "RUN_DIR: the run directory run is a link that leads nowhere; remove it, or let it lead to a directory"
    assert said["run"][damage][0] == told


def test_too_few_open_files_are_allowed_or_said(tmp_path: Path) -> None:
    """The limit is raised if that is allowed."""
    done = subprocess.run(
        [*PASSERBY, "run"],
        cwd=tmp_path,
        env=environment(BOT_TOKENS=TOKEN, BOT_API_URL="http://127.0.0.1:1"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)),
    )
    assert done.returncode == 2, done.stderr
    told = "ulimit -n: files that this process may open: 20; allow 1024 or more (LimitNOFILE under systemd)"
    assert done.stderr.strip().splitlines()[-1] == told
