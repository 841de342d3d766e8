"""Runs the short form of every benchmark, one after another. It takes some minutes.

    python -m benchmarks                    all
    python -m benchmarks relay peers        some

`python -m benchmarks.bars` measures the goals at full length, and prints what was reached.

Each prints a table, and its figures as one line of JSON. If one fails, the others still run, and the exit code is 1.
"""

import argparse
import subprocess
import sys
import time

SHORT: dict[str, tuple[list[str], ...]] = {
    "startup": ([],),
    "decode": ([],),
    "botapi_call": ([],),
    "live_store": ([],),
    "relay": ([], ["--tls", "--delay-ms", "20-40"], ["--redis"]),
    "match": ([], ["--redis", "--no-alone"]),
    "memory": ([], ["--redis"]),
    "broadcast": ([],),
    "checkout": ([],),
    "peers": ([],),
    "sql": ([],),
    "day": ([],),
    "media_memory": ([],),
    "bars": ([],),
    "farms": ([],),
    "safety_cost": ([],),
    "flat": ([],),
    "scale": ([],),
    "user_cache": ([],),
}
"""The arguments of each, in addition to `--short`."""


def run(name: str, options: list[str]) -> bool:
    """Run one in its own process, because some move to one core. Return whether it succeeded."""
    print(f"\n== {' '.join([name, *options])}", flush=True)
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", "--short", *options], check=False)
    print(f"-- {time.monotonic() - began:.0f} s", flush=True)
    return not done.returncode


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SHORT))
    names = parser.parse_args().names or list(SHORT)
    if unknown := [name for name in names if name not in SHORT]:
        parser.error(f"there is no benchmark {', '.join(unknown)}: take some of {', '.join(SHORT)}")
    failed = [" ".join([name, *options]) for name in names for options in SHORT[name] if not run(name, options)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
