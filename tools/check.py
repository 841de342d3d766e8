"""Every check and every test, a line a step: what `make test` runs.

    tools/check.py            all of it
    tools/check.py lint       style, types, layers and generated pages only
    tools/check.py PATH...    these tests only, without the demand on coverage

A step that passes prints its time, one that fails its whole output. The last line is pytest's own.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CODE = ["src", "tests", "benchmarks", "tools"]

STATIC: dict[str, list[str | Path]] = {
    # The slow one first, so that the others share the second core meanwhile.
    "types": [BIN / "mypy", "--no-error-summary", "src", "tools"],
    "format": [BIN / "ruff", "format", "--check", "-q", *CODE],
    "style": [BIN / "ruff", "check", "-q", *CODE],
    "layers": [BIN / "lint-imports", "--no-logo"],
    "reference": [sys.executable, "tools/reference.py", "--check"],
}

PURE = ["tests/kernel", "tests/domain", "tests/features"]
# Much of the time goes by waiting for real servers, so more of them than there are cores.
WORKERS = min(4, 2 * (os.cpu_count() or 2))
PYTEST: list[str | Path] = [sys.executable, "-m", "pytest", "-n", str(WORKERS), "--dist", "worksteal"]


class Outcome(NamedTuple):
    passed: bool
    output: str
    duration_s: float


def run(command: list[str | Path], **environment: str) -> Outcome:
    started = perf_counter()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(done.returncode == 0, done.stdout, perf_counter() - started)


def report(step: str, outcome: Outcome) -> bool:
    print(f"{'ok  ' if outcome.passed else 'FAIL'} {step:<10}{outcome.duration_s:6.1f} s", flush=True)
    if not outcome.passed:
        print(outcome.output, flush=True)
    return outcome.passed


def check_statically() -> bool:
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        steps = {pool.submit(run, command): step for step, command in STATIC.items()}
        # A list: every step is reported, not only those before the first that fails.
        outcomes = [report(steps[future], future.result()) for future in as_completed(steps)]
    return all(outcomes)


def test(paths: list[str]) -> tuple[bool, str]:
    """Run the tests; return whether all is well and pytest's last line."""
    if paths:
        outcome = run([*PYTEST, *paths])
        return report("tests", outcome), last_line(outcome)
    with ThreadPoolExecutor(max_workers=1) as beside:
        # In one process, so the others share the second core meanwhile.
        pure = beside.submit(test_pure)
        outcome = run([*PYTEST, *(f"--ignore={folder}" for folder in PURE)])
        passed, summary = pure.result()
    return report("tests", outcome) and passed, f"{summary}\n{last_line(outcome)}"


def test_pure() -> tuple[bool, str]:
    """The pure layers, watched. Tracing doubles the time of what it watches, so only they are: they alone must reach
    every branch of them. What hypothesis draws must not decide whether they do."""
    with tempfile.TemporaryDirectory(prefix="passerby-coverage-") as folder:
        data = f"--data-file={folder}/coverage"
        watched = run([BIN / "coverage", "run", data, "-m", "pytest", "--hypothesis-seed=0", *PURE])
        passed = report("pure", watched)
        if passed:
            passed = report("coverage", run([BIN / "coverage", "report", data, "--fail-under=100", "--precision=2"]))
    return passed, last_line(watched)


def last_line(outcome: Outcome) -> str:
    return outcome.output.rstrip().rpartition("\n")[2]


def main(arguments: list[str]) -> int:
    if arguments == ["lint"]:
        return 0 if check_statically() else 1
    clean = bool(arguments) or check_statically()
    passed, summary = test(arguments)
    if not clean:
        print("FAIL before the tests: see above")
    print(summary)
    return 0 if clean and passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
