"""How `tools/check.py` ends a run: it stops a hanging test and shows its stack, an accident of timing fails nothing,
and the last line names what failed."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.size import in_full

ROOT = Path(__file__).resolve().parents[2]

PASSES_ALONE = """
import os

def test_needs_quiet():
    assert "PYTEST_XDIST_WORKER" not in os.environ
"""

NEVER_ENDS = """
import asyncio
import pytest

@pytest.mark.timeout(1)
def test_never_ends():
    async def body():
        while True:
            try:
                await asyncio.sleep(60)
            except BaseException:
                pass
    asyncio.run(body())
"""


LONG = """
import pytest

@pytest.mark.long
def test_takes_long():
    raise AssertionError("it ran")

def test_is_quick():
    pass
"""


def check(
    tree: Path, source: str, what: str = "tests/test_planted.py", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the checks of one planted test in a tree of its own."""
    for name in ("tools/check.py", "tests/conftest.py", "tests/order.py", "tests/size.py", "pyproject.toml"):
        (tree / name).parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(ROOT / name, tree / name)
    (tree / "tests/test_planted.py").write_text(source)
    environment |= {"PATH": "", "TEST_GRACE_S": "2", "TEST_WORKERS": "1", "TEST_POSTGRES_URI": "none"}
    command = [sys.executable, "tools/check.py", what]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(("strict", "code"), in_full([("", 0), ("1", 1)], 0))
def test_a_test_that_passes_when_run_alone_fails_only_a_strict_run(tmp_path: Path, strict: str, code: int) -> None:
    done = check(tmp_path, PASSES_ALONE, STRICT=strict)
    assert done.returncode == code, done.stdout
    assert "passed only when run alone: tests/test_planted.py::test_needs_quiet" in done.stdout
    why = "failed: tests (1 test passed only when run alone, which STRICT=1 forbids)"
    assert (last_line(done) == why) == bool(strict), done.stdout


FAILS = """
def test_fails():
    raise AssertionError("it ran")
"""


def test_no_test_begins_when_the_time_of_the_run_is_up(tmp_path: Path) -> None:
    done = check(tmp_path, FAILS, TEST_UNTIL="1")
    assert done.returncode == 0, done.stdout
    assert last_line(done).startswith("1 skipped")
    assert re.search(r"^CPU time: \d+ s$", done.stdout, re.MULTILINE)


def test_a_failure_is_run_again_even_if_the_time_of_the_run_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    check = loaded()
    asked: list[dict[str, str]] = []

    def run(command: Any, **environment: str) -> Any:
        asked.append(environment)
        return check.Outcome(passed=False, output="1 failed", duration_s=1.0)

    monkeypatch.setenv("TEST_UNTIL", "1")
    monkeypatch.setattr(check, "run", run)
    monkeypatch.setattr(check, "failures", lambda folder: ["tests/test_planted.py::test_fails"])
    assert check.run_parallel([]).failed == ["tests (1 test)"]
    assert [environment.get("TEST_UNTIL") for environment in asked] == [None, ""]


def test_a_hanging_event_loop_is_stopped_and_its_stack_is_shown(tmp_path: Path) -> None:
    done = check(tmp_path, NEVER_ENDS)
    assert done.returncode == 1
    assert "in test_never_ends" in done.stdout
    assert "crashed while running" in done.stdout
    assert last_line(done) == "failed: tests (1 test)"


def test_the_last_line_names_every_step_that_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    check = loaded()
    fails = [sys.executable, "-c", "raise SystemExit('no')"]
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "STATIC", {"types": fails, "style": [sys.executable, "-c", ""]})
    monkeypatch.setattr(check, "PARALLEL", fails)
    monkeypatch.setattr(check, "PYTEST", fails)
    monkeypatch.setattr(check, "test_pure", lambda: check.Result(["coverage"], "3 passed in 1.0s"))
    assert check.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "failed: types, coverage, tests (no test failed, but pytest did)"


def loaded() -> Any:
    spec = spec_from_file_location("check_under_test", ROOT / "tools/check.py")
    assert spec is not None
    assert spec.loader is not None
    check = module_from_spec(spec)
    spec.loader.exec_module(check)
    return check


@pytest.mark.parametrize("has_room", [True, False])
def test_the_files_of_tests_are_in_memory_if_there_is_room_and_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_room: bool
) -> None:
    check = loaded()
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(check, "MEMORY", tmp_path)
    monkeypatch.setattr(check, "MEMORY_MIN_BYTES", 0 if has_room else 1 << 60)
    with check.files_in_memory():
        assert ("TMPDIR" in os.environ) == has_room
        assert [str(each) for each in tmp_path.iterdir()] == ([os.environ["TMPDIR"]] if has_room else [])
    assert "TMPDIR" not in os.environ
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_long_form_runs_only_on_request(tmp_path: Path) -> None:
    done = check(tmp_path, LONG)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout
    done = check(tmp_path, LONG, "tests/test_planted.py::test_takes_long")
    assert (done.returncode, "it ran" in done.stdout) == (1, True), done.stdout
    done = check(tmp_path, LONG, "long")
    assert (done.returncode, "it ran" in done.stdout, "1 failed" in done.stdout) == (1, True, True), done.stdout


def test_a_test_file_that_has_changed_is_compiled_again(tmp_path: Path) -> None:
    source, compiled = tmp_path / "test_it.py", tmp_path / "__pycache__/test_it.cpython-311-pytest-9.2.0.pyc"
    source.write_text("")
    assert not loaded().is_compiled(source)
    compiled.parent.mkdir()
    compiled.touch()
    assert loaded().is_compiled(source)
    os.utime(source, (0, compiled.stat().st_mtime + 1))
    assert not loaded().is_compiled(source)
