"""Plant each bug in a copy of the tree, run the suites of its area until one fails, and say which bugs got through.

Not part of `make test`: the whole takes about an hour of one core. `--only redis` takes some, `--jobs 2` two at a time.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

from tests.planted.bugs import BUGS, SUITES, Bug

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 600.0
"""A suite that takes so long hangs, and that is noticed, too."""


def place_of(bug: Bug, root: Path) -> Path | None:
    """The one file with this text; None where it is nowhere, or in several places: then the list has to follow."""
    sources = (file for kind in ("*.py", "*.lua") for file in (root / "src/passerby").rglob(kind))
    counts = {file: file.read_text("utf-8").count(bug.old) for file in sources}
    found = [file for file, count in counts.items() for _ in range(count)]
    return found[0] if len(found) == 1 else None


def copies(number: int) -> Iterator[Path]:
    for _ in range(number):
        root = Path(tempfile.mkdtemp(prefix="planted-"))
        for name in ("src", "tests", "tools", "docs", "deploy", "benchmarks", "pyproject.toml", "README.md"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy(source, root / name)
        yield root


def caught_by(bug: Bug, root: Path) -> str:
    """The test that failed; empty if all passed."""
    file = place_of(bug, root)
    assert file is not None, "that was looked at before"
    text = file.read_text("utf-8")
    file.write_text(text.replace(bug.old, bug.new), "utf-8")
    try:
        for suite in SUITES[bug.area]:
            if failure := failure_of(suite, root):
                return failure
        return ""
    finally:
        file.write_text(text, "utf-8")


def failure_of(suite: str, root: Path) -> str:
    words = [
        word for part in shlex.split(suite) for word in (sorted(map(str, root.glob(part))) if "*" in part else [part])
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, *words],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{words[0]} took too long"
    if done.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return found[1] if found else (done.stdout + done.stderr).strip().splitlines()[-1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--only", default="", help="bugs whose area or description has this word")
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried at a time")
    wanted = parser.parse_args()
    bugs = [bug for bug in BUGS if wanted.only in f"{bug.area} {bug.breaks}"]
    gone = [bug for bug in bugs if place_of(bug, ROOT) is None]
    for bug in gone:
        print(f"no longer there: {bug.breaks}\n    {bug.old.strip()}")
    free = SimpleQueue[Path]()
    for root in copies(wanted.jobs):
        free.put(root)

    def try_out(bug: Bug) -> bool:
        root, began_at = free.get(), monotonic()
        try:
            caught = caught_by(bug, root)
        finally:
            free.put(root)
        by = caught.rpartition("/")[2] if caught else ""
        print(f"{'caught  ' if caught else 'SURVIVED'} {monotonic() - began_at:4.0f} s  {bug.area}: {bug.breaks}  {by}")
        sys.stdout.flush()
        return bool(caught)

    there = [bug for bug in bugs if bug not in gone]
    with ThreadPoolExecutor(wanted.jobs) as pool:
        verdicts = list(pool.map(try_out, there))
    for _ in range(wanted.jobs):
        shutil.rmtree(free.get())
    score, tried = Counter[str](), Counter[str]()
    for bug, caught in zip(there, verdicts, strict=True):
        tried[bug.area] += 1
        score[bug.area] += caught
    for area, many in tried.items():
        print(f"{area:12} {score[area]:3} of {many}")
    print(f"{sum(verdicts)} of {len(there)} caught, {100 * sum(verdicts) / max(1, len(there)):.1f} %")
    return int(bool(gone) or not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
