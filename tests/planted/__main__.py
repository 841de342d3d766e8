"""Plant each bug of the list in a copy of the tree and run the tests of its area until one fails.

Not part of `make test`: the whole list takes hours on one core. `--only redis` tries some of it.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

from tests.planted.bug import Bug
from tests.planted.bugs import BUGS, SUITES
from tests.planted.tree import TOO_LONG, place_of, suites_for, trees


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--only", default="", help="bugs whose area or description has this word")
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried at a time")
    wanted = parser.parse_args()
    places = {bug: place_of(bug.old) for bug in BUGS if wanted.only in f"{bug.area}: {bug.breaks}"}
    for bug, place in places.items():
        if place is None:
            print(f"no longer there: {bug.breaks}\n    {bug.old.strip()}")
    there = [(bug, place) for bug, place in places.items() if place is not None]

    with trees(wanted.jobs) as free, ThreadPoolExecutor(wanted.jobs) as pool:

        def try_out(bug_there: tuple[Bug, Path]) -> bool:
            bug, place = bug_there
            tree, began_at = free.get(), monotonic()
            try:
                text = place.read_text("utf-8").replace(bug.old, bug.new)
                caught = tree.caught_by(place, text, suites_for(place, SUITES[bug.area]))
            finally:
                free.put(tree)
            verdict, by = ("caught  ", caught.rpartition("/")[2]) if caught else ("SURVIVED", "")
            print(f"{verdict} {monotonic() - began_at:4.0f} s  {bug.area}: {bug.breaks}  {by}", flush=True)
            return bool(caught) and TOO_LONG not in caught

        verdicts = list(pool.map(try_out, there))
    score, tried = Counter[str](), Counter[str]()
    for (bug, _), is_caught in zip(there, verdicts, strict=True):
        tried[bug.area] += 1
        score[bug.area] += is_caught
    for area, many in tried.items():
        print(f"{area:12} {score[area]:3} of {many}")
    print(f"{sum(verdicts)} of {len(there)} caught, {100 * sum(verdicts) / max(1, len(there)):.1f} %")
    return int(len(there) < len(places) or not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
