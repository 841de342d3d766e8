"""How `tools/check.py` ends a run: a hang is ended with its stack, and an accident of timing fails nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def check(tree: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the checks of one planted test in a tree of its own."""
    for name in ("tools/check.py", "tests/conftest.py", "pyproject.toml"):
        (tree / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    (tree / "tests/test_planted.py").write_text(source)
    environment |= {"PATH": "", "TEST_GRACE_S": "2"}
    command = [sys.executable, "tools/check.py", "tests/test_planted.py"]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("strict", "code"), [("", 0), ("1", 1)])
def test_a_test_that_passes_when_run_alone_fails_only_a_strict_run(tmp_path: Path, strict: str, code: int) -> None:
    done = check(tmp_path, PASSES_ALONE, STRICT=strict)
    assert done.returncode == code, done.stdout
    assert "passed only when run alone: " in done.stdout
    assert "tests/test_planted.py::test_needs_quiet" in done.stdout


def test_an_event_loop_that_never_ends_is_ended_with_its_stack(tmp_path: Path) -> None:
    done = check(tmp_path, NEVER_ENDS)
    assert done.returncode == 1
    assert "in test_never_ends" in done.stdout
    assert "crashed while running" in done.stdout
