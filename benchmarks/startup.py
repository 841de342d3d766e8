"""Measures the time from `passerby run` to the first poll, and how much of it is imports.

    python -m benchmarks.startup [--short] [--redis]

A second start continues with the files of the first one, as after a deploy. The Bot API server gives fixed answers.
Python keeps compiled modules, as it does unless PYTHONDONTWRITEBYTECODE forbids it, and nothing is measured before they
exist. Without them, every start compiles our modules again, which takes half a second.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import ExitStack
from statistics import median
from subprocess import DEVNULL
from typing import Any

from benchmarks.processes import cpu_s
from benchmarks.sides import Side
from tests.contract.servers import free_port, start_postgres, start_valkey

LOOK_S = 0.005
WITH_COMPILED_MODULES = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def imports() -> dict[str, float]:
    """Seconds from the start of a process to its end: Python alone, the command, and all imports of `run`."""

    def run(code: str) -> float:
        took = []
        for _ in range(6):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, env=WITH_COMPILED_MODULES)
            took.append(time.perf_counter() - began)
        return median(took[1:])  # the first one may compile

    return {
        "python_s": run("pass"),
        "command_s": run("import passerby.cli, passerby.cli.process"),
        "everything_s": run("import passerby.cli, passerby.cli.serving, passerby.bootstrap.serving"),
    }


def starts(runs: int, redis_and_postgres: bool) -> dict[str, float]:
    """Wall seconds from the command to the first poll, and the CPU seconds of the process until then."""
    found: dict[str, list[float]] = {
        "first_start_s": [],
        "first_start_cpu_s": [],
        "start_again_s": [],
        "start_again_cpu_s": [],
    }
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="passerby-bench-") as directory, ExitStack() as servers:
            load_peer = Side("load_peer", "canned", "--pairs", 1)
            servers.callback(load_peer.end)
            environment = {
                "BOT_TOKENS": ",".join(load_peer.greeting["tokens"]),
                "BOT_API_URL": load_peer.greeting["url"],
                "RUN_DIR": f"{directory}/run",
                "METRICS_LISTEN": f"127.0.0.1:{free_port()}",
                "SQLITE_DB_PATH": f"{directory}/passerby.db",
            }
            if redis_and_postgres:
                environment["REDIS_URL"] = servers.enter_context(
                    start_valkey("--appendonly", "yes", "--appendfsync", "always")
                ).url
                environment["POSTGRES_URI"] = servers.enter_context(start_postgres()).uri
                environment["SECRET_KEY"] = b64encode(bytes(range(32))).decode()
            for which in ("first_start", "start_again"):
                wall_s, cpu_used_s = _start(load_peer, environment, directory)
                found[f"{which}_s"].append(wall_s)
                found[f"{which}_cpu_s"].append(cpu_used_s)
    return {name: median(each) for name, each in found.items()}


def _start(load_peer: Side, environment: dict[str, str], directory: str) -> tuple[float, float]:
    load_peer.ask("polled")
    began = time.perf_counter()
    command = [sys.executable, "-m", "passerby.cli", "run"]
    process = subprocess.Popen(
        command, cwd=directory, env=WITH_COMPILED_MODULES | environment, stdout=DEVNULL, stderr=DEVNULL
    )
    used = 0.0
    try:
        while not (at := load_peer.ask("polled")["at"]):
            if process.poll() is not None:
                raise RuntimeError("the command ended by itself")
            used = cpu_s(process.pid)
            time.sleep(LOOK_S)
        return at - began, used
    finally:
        process.terminate()
        process.wait(30)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.startup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--redis", action="store_true", help="on Redis and PostgreSQL")
    options = parser.parse_args(arguments)
    result = imports() | starts(2 if options.short else 5, options.redis)
    for name, seconds in result.items():
        print(f"{name:<16}{seconds:>8.2f}")
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
