"""Measures how far farms are contained, and how many honest people notice anything.

    python -m benchmarks.farms [--people 15000] [--accounts 60] [--hours 2] [--seed 1]
        [--held-out | --fresh] [--plot FILE.svg]
    python -m benchmarks.farms --curve FILE.svg [--people 5000] [--accounts 40]

Each farm begins at 18:00 and is played twice: with the measures and without. Then a whole day without any farm shows
what honest people notice. Prints a table and JSON.
"""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.farms.course import Course, Outcome
from benchmarks.farms.curve import draw_curve, points
from benchmarks.farms.fresh import FRESH
from benchmarks.farms.held_out import HELD_OUT
from benchmarks.farms.plot import draw
from simulated_people.farms import STYLES, Style

BEGINS_AT = 18 * 3600.0
BEFORE_S = 3600.0
STEP_S = 600.0
MEASURES = ("links", "slowed", "apart", "asked")


def play(people: int, style: Style | None, accounts: int, until: float, seed: int, *, contains: bool) -> Outcome:
    farms = [(style, accounts)] if style is not None else []
    since = BEGINS_AT - BEFORE_S if farms else 0.0
    return Course(people, farms, seed=seed, begins_at=BEGINS_AT, contains=contains, until=until, since=since).run()


def measured(people: int, style: Style, accounts: int, hours: float, seed: int) -> dict[str, Any]:
    """One farm: its contact with honest people by ten minutes, and who noticed what."""
    until = BEGINS_AT + hours * 3600
    without = play(people, style, accounts, until, seed, contains=False)
    with_ = play(people, style, accounts, until, seed, contains=True)
    steps = [BEGINS_AT + STEP_S * step for step in range(int(hours * 3600 / STEP_S))]
    later = BEGINS_AT + 3600
    return {
        "farm": style.name,
        "without": [without.contact(step, step + STEP_S) for step in steps],
        "with": [with_.contact(step, step + STEP_S) for step in steps],
        "first_hour": cut(without, with_, BEGINS_AT, later),
        "after_an_hour": cut(without, with_, later, until),
        "apart": sum(each.apart for each in with_.farm),
        "asked": sum("asked" in each.ever for each in with_.farm),
        "accounts": len(with_.farm),
        "honest": {measure: with_.share(measure) for measure in MEASURES},
    }


def cut(without: Outcome, with_: Outcome, since: float, until: float) -> float:
    """The share of contacts that the measures prevent."""
    before = without.contact(since, until)
    return 1 - with_.contact(since, until) / before if before else 0.0


def show(rows: list[dict[str, Any]], calm: Mapping[str, float]) -> None:
    """The Markdown table in docs/explanation/safety.md."""
    print("| farm | contact cut in the first hour | after it | set apart | asked | honest people: asked | slowed |")
    print("|---|" + "--:|" * 6)
    for row in rows:
        honest = row["honest"]
        print(
            f"| {row['farm']} | {row['first_hour']:.0%} | {row['after_an_hour']:.0%} "
            f"| {row['apart']} of {row['accounts']} | {row['asked']} | {honest['asked']:.3%} | {honest['slowed']:.3%} |"
        )
    print(f"| none, a whole day | – | – | – | – | {calm['asked']:.3%} | {calm['slowed']:.3%} |", flush=True)


CURVES = ("templates", "human-timed", "sparing", "fresh numbers", "two-faced", "patient", "one in five")


def curves(options: argparse.Namespace) -> dict[str, Any]:
    found = {}
    for name in CURVES:
        style = {**STYLES, **HELD_OUT}[name]
        found[name] = points(options.people, style, options.accounts, BEGINS_AT, options.hours, options.seed)
        print(json.dumps({name: found[name]}), flush=True)
    options.curve.write_text(draw_curve(found))
    return found


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.farms", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=15_000)
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", action="store_true", help="farms that the weights were not chosen with")
    parser.add_argument("--fresh", action="store_true", help="farms that were written last, and not tuned for")
    parser.add_argument("--farm", help="only this one")
    parser.add_argument("--no-day", action="store_true", help="without the day that has no farm")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--curve", type=Path, help="only what other thresholds would do")
    parser.add_argument("--short", action="store_true", help="one farm among few people, to see that it works")
    options = parser.parse_args(arguments)
    if options.short:
        options.people, options.accounts, options.hours, options.farm = 300, 10, 0.5, next(iter(STYLES))
        options.no_day = True
    began = time.process_time()
    if options.curve:
        return {"curves": curves(options), "cpu_s": time.process_time() - began}
    styles = FRESH if options.fresh else HELD_OUT if options.held_out else STYLES
    rows = []
    for name, style in styles.items():
        if options.farm in (None, name):
            rows.append(measured(options.people, style, options.accounts, options.hours, options.seed))
            print(json.dumps(rows[-1]), flush=True)
    noticed = dict.fromkeys(MEASURES, float("nan"))
    if not options.no_day:
        calm = play(options.people, None, 0, 86_400.0, options.seed, contains=True)
        noticed = {measure: calm.share(measure) for measure in MEASURES}
    show(rows, noticed)
    if options.plot:
        options.plot.write_text(draw(rows, STEP_S))
    return {"farms": rows, "calm": noticed, "cpu_s": time.process_time() - began}


if __name__ == "__main__":
    main()
