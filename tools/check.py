"""Every check and the tests, one line per step: what `make test` and `make test-all` run.

    tools/check.py            style, types, layers, generated pages, and every test except the long forms
    tools/check.py lint       style, types, layers and generated pages only
    tools/check.py long       the long forms only: more seeds, every fault, every language's walk;
                              not what is marked as a known fault
    tools/check.py seeds      of the long forms, those that chance cannot fail
    tools/check.py PATH...    these tests only, without the demand on coverage

A step that passes prints its time, one that fails prints its whole output. The tests also print their CPU time. If
anything failed, the last line names the steps: `failed: style, tests (3 tests)`. The machine may be busy, so a few
tests that fail are run once more, alone; if they pass then, the run passes and says so. With STRICT=1 it fails.

The order of the tests and what hypothesis draws are the same in every run, so that chance fails no run. TEST_SEED=7
is another order, with other draws; TEST_SEED=random takes a new one and prints it.

TEST_UNTIL=1800000000 (Unix seconds) skips the tests that would begin later. The last line says how many these were.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from time import perf_counter
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CODE = ["src", "tests", "benchmarks", "tools"]
Command = list[str | Path]

STATIC: dict[str, Command] = {
    # The slow one first, so that the others share the second core meanwhile.
    "types": [BIN / "mypy", "--no-error-summary", "src", "tools"],
    "format": [BIN / "ruff", "format", "--check", "-q", *CODE],
    "style": [BIN / "ruff", "check", "-q", *CODE],
    "layers": [BIN / "lint-imports", "--no-logo"],
    "reference": [sys.executable, "tools/reference.py", "--check"],
}

PURE = ["tests/kernel", "tests/domain", "tests/features"]
SEEDED = [f"tests/{each}" for each in ("simulation", "scenario", "leaks", "fuzz")] + PURE
"""Their long forms are as certain as their short ones: seeds and a virtual clock decide everything. A test that fails
prints its seed or its name, with which it can be run again."""
LONG = "(long or sized) and not known_fault"
# Tests often wait for real servers, so there are more processes than cores.
WORKERS = int(os.environ.get("TEST_WORKERS", min(4, 1 + (os.cpu_count() or 2))))
PYTEST: Command = [sys.executable, "-m", "pytest"]
PARALLEL: Command = [*PYTEST, "-n", str(WORKERS), "--dist", "worksteal"]
SHOWN_SLOWEST = 10
RETRIED_MAX = 5
"""More failures than this are no accident of timing."""
STEP_MAX_S = 3600.0
"""A test that hangs is ended by its own bound (`tests/conftest.py`); this is for pytest itself."""
MEMORY = Path("/dev/shm")
MEMORY_MIN_BYTES = 4 << 30
"""The tests' files need far less; a container may offer only 64 MiB."""


class Outcome(NamedTuple):
    passed: bool
    output: str
    duration_s: float


def run(command: Command, **environment: str) -> Outcome:
    """Run it in a process group of its own. Past `STEP_MAX_S` the group is told to show its stacks, and killed."""
    started = perf_counter()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment_of_steps(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(STEP_MAX_S)
        except subprocess.TimeoutExpired:
            output.write(f"\nnot done after {STEP_MAX_S:.0f} s: ended\n")
        finally:
            end(process)
        output.seek(0)
        return Outcome(process.returncode == 0, output.read(), perf_counter() - started)


def environment_of_steps() -> dict[str, str]:
    """Compiled code is kept from run to run, even if PYTHONDONTWRITEBYTECODE is set. It saves a tenth of the CPU time:
    pytest compiles every test file in every process, and the tests start hundreds of processes."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def files_in_memory() -> Iterator[None]:
    """Keep the tests' files in memory, if there is room for them. The servers and the product sync every commit, and a
    sync of a disk takes milliseconds."""
    try:
        has_room = shutil.disk_usage(MEMORY).free > MEMORY_MIN_BYTES and os.access(MEMORY, os.W_OK)
    except OSError:
        has_room = False
    if not has_room or "TMPDIR" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="psr-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        # PostgreSQL may run as another user, whose directory is inside this one.
        Path(folder).chmod(0o711)
        os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            del os.environ["TMPDIR"]


def end(process: "subprocess.Popen[bytes]") -> None:
    """End it, and whatever it left running in its group."""
    for sign in (signal.SIGABRT, signal.SIGKILL) if process.poll() is None else (signal.SIGKILL,):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            # Long enough to write the stacks: pytest's faulthandler does so at SIGABRT.
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


class Result(NamedTuple):
    failed: list[str]
    """The steps that failed, each with a few words on why."""
    summary: str
    """pytest's last lines."""


def report(step: str, outcome: Outcome) -> bool:
    print(f"{'ok  ' if outcome.passed else 'FAIL'} {step:<10}{outcome.duration_s:6.1f} s", flush=True)
    if not outcome.passed:
        print(outcome.output, flush=True)
    return outcome.passed


def check_statically() -> list[str]:
    """Return the steps that failed."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        steps = {pool.submit(run, command): step for step, command in STATIC.items()}
        return [steps[future] for future in as_completed(steps) if not report(steps[future], future.result())]


def test_everything() -> Result:
    """The tests of the pure layers need one core, and run beside everything else. The others often wait for servers."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        pure = beside.submit(test_pure)
        static = check_statically()
        compile_tests()
        rest = run_parallel(["-o", "pure_ran=true"])
        first = pure.result()
    return Result(static + first.failed + rest.failed, f"{first.summary}\n{rest.summary}")


def compile_tests() -> None:
    """Let pytest compile all test files once, while the other core has the pure layers. Otherwise each of the processes
    does it: half of the time that they need to collect the tests."""
    if all(is_compiled(path) for path in (ROOT / "tests").rglob("test_*.py")):
        return
    run([*PYTEST, "--collect-only", "-qq", "-p", "no:cacheprovider", "-o", "pure_ran=true"])


def is_compiled(test: Path) -> bool:
    written = test.stat().st_mtime
    return any(each.stat().st_mtime >= written for each in test.parent.glob(f"__pycache__/{test.stem}.*-pytest-*.pyc"))


def run_parallel(arguments: list[str], step: str = "tests", **environment: str) -> Result:
    """Run tests beside one another. The few that fail are run again alone, for the machine may have been too busy."""
    with files_in_memory(), tempfile.TemporaryDirectory(prefix="passerby-pytest-") as folder:
        same = [*seeds(), "-o", f"cache_dir={folder}"]
        before_s = cpu_of_children_s()
        outcome = run([*PARALLEL, f"--durations={SHOWN_SLOWEST}", *same, *arguments], **environment)
        passed = report(step, outcome)
        print(f"CPU time: {cpu_of_children_s() - before_s:.0f} s", flush=True)
        print(slowest(outcome), flush=True)
        if passed:
            return Result([], last_line(outcome))
        failed = failures(Path(folder))
        why = count(failed) if failed else "no test failed, but pytest did"
        # There is always time to run a failure again: as a skipped test it would count as passed.
        again = {**environment, "TEST_UNTIL": ""}
        if 0 < len(failed) <= RETRIED_MAX and report("alone", run([*PYTEST, *same, *failed], **again)):
            print(f"passed only when run alone: {', '.join(failed)}", flush=True)
            if os.environ.get("STRICT", "") in {"", "0"}:
                return Result([], last_line(outcome))
            why += " passed only when run alone, which STRICT=1 forbids"
        return Result([f"{step} ({why})"], last_line(outcome))


def cpu_of_children_s() -> float:
    """The CPU time of all processes that have ended. A busy machine changes it much less than the time that passes."""
    spent = os.times()
    return spent.children_user + spent.children_system


def seeds() -> list[str]:
    seed = os.environ.get("TEST_SEED", "0")
    if seed == "random":
        seed = str(SystemRandom().randrange(2**32))
        print(f"TEST_SEED={seed}", flush=True)
    return [f"--randomly-seed={seed}", f"--hypothesis-seed={seed}"]


def count(failed: list[str]) -> str:
    return f"{len(failed)} test{'s' if len(failed) > 1 else ''}"


def failures(cache: Path) -> list[str]:
    """The node ids of what failed, by pytest's own account."""
    try:
        return sorted(json.loads((cache / "v/cache/lastfailed").read_text()))
    except FileNotFoundError:
        return []


def slowest(outcome: Outcome) -> str:
    """The table of the slowest tests in pytest's output."""
    lines = outcome.output.splitlines()
    starts = [index for index, line in enumerate(lines) if line.startswith("=") and "slowest" in line]
    if not starts:
        return ""
    rows = lines[starts[-1] + 1 : starts[-1] + 1 + SHOWN_SLOWEST]
    return "\n".join(["slowest:", *(f"  {row}" for row in rows if row[:1].isdigit())])


def test_pure() -> Result:
    """The pure layers, watched. Tracing doubles the time of what it watches, so only they are: they alone must reach
    every branch of them.

    The draws of hypothesis must not decide whether they do, and they differ from machine to machine. So here it draws
    almost nothing; the other step runs the same tests with all draws."""
    with tempfile.TemporaryDirectory(prefix="passerby-coverage-") as folder:
        data = f"--data-file={folder}/coverage"
        same = ["--randomly-seed=0", "--hypothesis-seed=0", "-o", f"cache_dir={folder}"]
        watched = run([BIN / "coverage", "run", data, "-m", "pytest", *same, *PURE], TEST_EXAMPLES="2")
        failed = []
        if not report("pure", watched):
            failed = [f"pure ({count(failures(Path(folder)))})"]
        elif not report("coverage", run([BIN / "coverage", "report", data, "--fail-under=100", "--precision=2"])):
            failed = ["coverage"]
    return Result(failed, last_line(watched))


def last_line(outcome: Outcome) -> str:
    return outcome.output.rstrip().rpartition("\n")[2]


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            result = test_everything()
        case ["lint"]:
            result = Result(check_statically(), "")
        case ["long"]:
            result = run_parallel(["-m", LONG], "long forms", TEST_SIZE="long")
        case ["seeds"]:
            result = run_parallel(["-m", LONG, *SEEDED], "seeds", TEST_SIZE="long")
        case _:
            result = run_parallel(arguments)
    if result.summary:
        print(result.summary)
    if result.failed and arguments in (["long"], ["seeds"]):
        print("to run one again: TEST_SIZE=long .venv/bin/python -m pytest -n 0 'PATH::TEST', with the same TEST_SEED")
    if result.failed:
        print(f"failed: {', '.join(result.failed)}")
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
