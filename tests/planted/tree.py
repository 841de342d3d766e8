"""A copy of the tree in which a bug is planted while the suites run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[2]
NEEDED = ("src", "tests", "tools", "docs", "deploy", "benchmarks", "pyproject.toml", "README.md")
OPTIONS = ("-q", "-x", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider")
TIMEOUT_S = 600.0
TOO_LONG = "took too long"
"""Not counted as caught: on a busy machine, slow tests do not prove that the bug made them hang."""


@cache
def sources() -> dict[Path, str]:
    """Every file that a bug may be planted in, with its text."""
    files = (file for kind in ("*.py", "*.lua") for file in (ROOT / "src/passerby").rglob(kind))
    return {file: file.read_text("utf-8") for file in files}


def place_of(text: str) -> Path | None:
    """The one file with this text. None if it is nowhere or in several places: then the list must follow."""
    found = [file for file, source in sources().items() for _ in range(source.count(text))]
    return found[0] if len(found) == 1 else None


def words_of(root: Path, suite: str) -> list[str]:
    """The words of a suite as pytest takes them, with its patterns resolved."""
    return [
        word
        for part in shlex.split(suite)
        for word in (sorted(str(each.relative_to(root)) for each in root.glob(part)) if "*" in part else [part])
    ]


def namesakes(file: Path) -> str:
    """The tests named after a module. They are short, and the most likely to catch a bug in it."""
    return f"tests/**/test_{file.parent.name if file.stem == '__init__' else file.stem}*.py"


def suites_for(file: Path, area_suites: tuple[str, ...]) -> tuple[str, ...]:
    """The suites to run for a bug in a module, the likeliest first: those named after it, those of its folder, all."""
    layer = file.relative_to(ROOT / "src/passerby").parent
    mirror = ROOT / "tests" / layer
    beside = (f"tests/{layer}",) if layer.parts[:1] != ("adapters",) and mirror.is_dir() else ()
    return (namesakes(file), *beside, *area_suites)


class Tree:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._environment = os.environ | {"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        for name in NEEDED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, root / name)

    def caught_by(self, file: Path, text: str, suites: tuple[str, ...]) -> str:
        """Give `file` of the original tree this text in the copy. Returns the first test that fails; "" if all pass."""
        here = self.root / file.relative_to(ROOT)
        before = here.read_text("utf-8")
        here.write_text(text, "utf-8")
        try:
            return next(filter(None, map(self._failure, suites)), "")
        finally:
            here.write_text(before, "utf-8")

    def does_import(self, file: Path, text: str) -> bool:
        """Whether the module can be imported with this text. If not, any test would catch the bug."""
        here = self.root / file.relative_to(ROOT)
        before = here.read_text("utf-8")
        module = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
        here.write_text(text, "utf-8")
        try:
            return not self._run(["-c", f"import {module}"]).returncode
        finally:
            here.write_text(before, "utf-8")

    def _failure(self, suite: str) -> str:
        words = words_of(self.root, suite)
        if not words:
            return ""
        try:
            done = self._run(["-m", "pytest", *OPTIONS, *words])
        except subprocess.TimeoutExpired:
            return f"{TOO_LONG}: {words[0]}"
        if done.returncode in (0, 5):  # 5: there are no such tests
            return ""
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        return found[1] if found else (done.stdout + done.stderr).strip().splitlines()[-1]

    def _run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )


@contextmanager
def trees(number: int) -> Iterator[SimpleQueue[Tree]]:
    """A queue of this many copies. Take one, and put it back."""
    with ExitStack() as stack:
        free = SimpleQueue[Tree]()
        for _ in range(number):
            free.put(Tree(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="planted-")))))
        yield free
