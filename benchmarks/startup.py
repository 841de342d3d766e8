"""Measures the time from `passerby run` to the first update, and how much of it is imports.

    python -m benchmarks.startup [--short]

A second start continues with the files of the first one, as after a deploy. The Bot API server gives fixed answers.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.sides import Side


def imports() -> dict[str, float]:
    """Seconds from the start of a process to its end: Python alone, the command, and all imports of `run`."""

    def run(code: str) -> float:
        took = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            took.append(time.perf_counter() - began)
        return median(took)

    return {
        "python_s": run("pass"),
        "command_s": run("import passerby.cli.app"),
        "everything_s": run("import passerby.cli.app, passerby.bootstrap.serving"),
    }


def starts(runs: int) -> dict[str, float]:
    first: list[float] = []
    again: list[float] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="passerby-bench-") as directory:
            load_peer = Side("load_peer", "canned", "--pairs", 1)
            try:
                tokens = ",".join(load_peer.greeting["tokens"])
                where = ("--url", load_peer.greeting["url"], "--tokens", tokens, "--directory", Path(directory))
                for took in (first, again):
                    began = time.perf_counter()
                    product = Side("product", *where, "--pairs", 0)
                    took.append(time.perf_counter() - began)
                    product.end()
            finally:
                load_peer.end()
    return {"first_start_s": median(first), "start_again_s": median(again)}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.startup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    result = imports() | starts(2 if options.short else 5)
    for name, seconds in result.items():
        print(f"{name:<16}{seconds:>8.2f}")
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
