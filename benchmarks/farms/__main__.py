"""Measures how far farms are contained, and how many honest people notice anything.

python -m benchmarks.farms [--people 15000] [--farm NAME|all] [--accounts 60] [--hours 4] [--seed 1] [--held-out]
"""

import argparse
import json
import time

from benchmarks.farms.course import Course, Outcome
from simulated_people.farms import STYLES, Style

BEGINS_AT = 18 * 3600.0


def play(people: int, style: Style | None, accounts: int, hours: float, seed: int, contains: bool) -> Outcome:
    farms = [(style, accounts)] if style is not None else []
    until = BEGINS_AT + hours * 3600 if style is not None else 86_400.0
    return Course(people, farms, seed=seed, begins_at=BEGINS_AT, contains=contains, until=until).run()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.farms", description=__doc__)
    parser.add_argument("--people", type=int, default=15_000)
    parser.add_argument("--farm", default="all")
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    styles = STYLES
    for name, style in styles.items():
        if options.farm not in ("all", name):
            continue
        began = time.process_time()
        before = play(options.people, style, options.accounts, options.hours, options.seed, False)
        after = play(options.people, style, options.accounts, options.hours, options.seed, True)
        row = {"farm": name}
        for hour in range(int(options.hours)):
            since = BEGINS_AT + 3600 * hour
            was, now = before.contact(since, since + 3600), after.contact(since, since + 3600)
            row[f"h{hour + 1}"] = f"{was:.1%}->{now:.1%} cut {1 - now / was:.1%}"
        row |= {m: f"{after.share(m):.3%}" for m in ("links", "slowed", "asked")}
        row["apart"] = f"{sum(each.apart for each in after.farm)}/{len(after.farm)}"
        row["asked_farm"] = f"{sum('asked' in each.ever for each in after.farm)}"
        row["cpu"] = f"{time.process_time() - began:.0f}s"
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
