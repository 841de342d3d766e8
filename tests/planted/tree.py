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
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[2]
NEEDED = ("src", "tests", "tools", "docs", "deploy", "benchmarks", "pyproject.toml", "README.md")
OPTIONS = ("-q", "-x", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider")
TIMEOUT_S = 600.0
TOO_LONG = "took too long"
"""Then nobody knows: on a busy machine it need not hang, so this does not count as caught."""


def namesakes(file: Path) -> str:
    """The suites that have a module's name: they are the likeliest to notice, and short."""
    return f"tests/**/test_{file.parent.name if file.stem == '__init__' else file.stem}*.py"


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
        """The first test that fails while the file, as it is named in the original tree, says this; or nothing."""
        here = self.root / file.relative_to(ROOT)
        before = here.read_text("utf-8")
        here.write_text(text, "utf-8")
        try:
            return next(filter(None, map(self._failure, suites)), "")
        finally:
            here.write_text(before, "utf-8")

    def does_import(self, file: Path, text: str) -> bool:
        """Whether a module can be imported at all when it says this: what cannot be is caught by anything."""
        here = self.root / file.relative_to(ROOT)
        before = here.read_text("utf-8")
        module = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
        here.write_text(text, "utf-8")
        try:
            return not self._run(["-c", f"import {module}"]).returncode
        finally:
            here.write_text(before, "utf-8")

    def _failure(self, suite: str) -> str:
        words = [
            word
            for part in shlex.split(suite)
            for word in (
                sorted(str(each.relative_to(self.root)) for each in self.root.glob(part)) if "*" in part else [part]
            )
        ]
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
    """So many copies, to be taken and put back."""
    with ExitStack() as stack:
        free = SimpleQueue[Tree]()
        for _ in range(number):
            free.put(Tree(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="planted-")))))
        yield free
