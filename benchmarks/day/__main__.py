"""Simulates a day of pairing: how long people wait, how many find somebody, and how well they fit.

    python -m benchmarks.day [--people 15000] [--seed 1] [--plot FILE.svg]

The same people come on the same day three times: paired by Passerby, by Passerby with less patience, and first come,
first served (the person who waited longest gets the next one whom the hard wishes of both allow). Prints a table and
JSON.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.day.course import FirstCome, Ours, Pairing, Search, meets_soft_wishes, run
from benchmarks.day.habits import people
from benchmarks.day.plot import draw
from passerby.domain.karma import shade
from passerby.domain.matching.wishes import common, has_met
from passerby.kernel.participant import Gender

GROUPS: dict[str, Callable[[Search], bool]] = {
    "everybody": lambda search: True,
    "men": lambda search: search.ticket.gender is Gender.MALE,
    "women": lambda search: search.ticket.gender is Gender.FEMALE,
    "VIPs without a filter": lambda search: search.ticket.vip and not search.ticket.wants.genders,
    "men who want women": lambda search: search.ticket.gender is Gender.MALE and bool(search.ticket.wants.genders),
    "rare language (tr, de)": lambda search: not set(search.ticket.languages) & {"ru", "en", "es", "pt", "fa"},
    "only my languages": lambda search: not search.ticket.wants.other_languages,
    "poorly rated": lambda search: shade(search.ticket.karma) > 0,
    "at night (2 to 6)": lambda search: 2 <= search.ticket.since / 3600 % 24 < 6,
}


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def share(values: list[bool]) -> float:
    return mean(values) if values else float("nan")


def figures(searches: list[Search]) -> dict[str, float]:
    """Waits are of searches that found somebody. Shares are of all searches, including those that were given up."""
    found = [each for each in searches if each.partner is not None]
    waits = [each.waited_s for each in found]
    return {
        "searches": len(searches),
        "p50_s": quantile(waits, 0.5),
        "p95_s": quantile(waits, 0.95),
        **{f"within_{s}_s": share([e.partner is not None and e.waited_s <= s for e in searches]) for s in (10, 30, 60)},
        "found": share([each.partner is not None for each in searches]),
    }


def quality(searches: list[Search]) -> dict[str, float]:
    found = [(each, each.partner) for each in searches if each.partner is not None]
    named = [(each, other) for each, other in found if each.ticket.interests]
    rated_well = [(each, other) for each, other in found if shade(each.ticket.karma) == 0]
    by_person: dict[int, list[float]] = {}
    for each, _ in found:
        by_person.setdefault(each.ticket.person, []).append(each.waited_s)
    means = sorted(mean(waits) for waits in by_person.values() if len(waits) >= 3)
    total = sum(means)
    gini = sum((2 * rank - len(means) - 1) * wait for rank, wait in enumerate(means, 1)) / (len(means) * total)
    return {
        "all_soft_wishes_met": share([meets_soft_wishes(each) for each, _ in found]),
        "common_language": share([bool(common(each.ticket, other).languages) for each, other in found]),
        "common_interest_of_those_who_named_any": share(
            [bool(common(each.ticket, other).interests) for each, other in named]
        ),
        "met_lately": share([has_met(each.ticket, other.person) for each, other in found]),
        "poorly_rated_partner_of_the_others": share([shade(other.karma) > 0 for _, other in rated_well]),
        "worst_mean_wait_of_99_in_100_s": quantile(means, 0.99),
        "gini_of_mean_waits": gini,
    }


def day(count: int, seed: int, pairing: Pairing) -> tuple[dict[str, Any], list[Search]]:
    everybody = people(count, seed)
    began = time.process_time()
    searches = run(everybody, pairing)
    return {
        "groups": {name: figures([each for each in searches if belongs(each)]) for name, belongs in GROUPS.items()},
        "quality": quality(searches),
        "cpu_s": time.process_time() - began,
    }, searches


def show(results: dict[str, dict[str, Any]]) -> None:
    """The Markdown tables in docs/explanation/matching.md."""
    print("| who | pairing | searches | p50 s | p95 s | within 10 s | 30 s | 60 s | found |\n|---|---|" + "--:|" * 7)
    for group in GROUPS:
        for name, result in results.items():
            row = result["groups"][group]
            shares = " | ".join(f"{row[key]:.0%}" for key in ("within_10_s", "within_30_s", "within_60_s", "found"))
            print(f"| {group} | {name} | {row['searches']:,} | {row['p50_s']:.1f} | {row['p95_s']:.1f} | {shares} |")
    print(f"\n| | {' | '.join(results)} |\n|---|{'--:|' * len(results)}")
    for key in next(iter(results.values()))["quality"]:
        values = [result["quality"][key] for result in results.values()]
        words = [
            f"{each:.1f} s" if key.endswith("_s") else f"{each:.3g}" if "gini" in key else f"{each:.1%}"
            for each in values
        ]
        print(f"| {key.removesuffix('_s').replace('_', ' ')} | {' | '.join(words)} |")


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.day", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=15_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="2,000 people")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args(arguments)
    count = 2_000 if options.short else options.people
    results, courses = {}, {}
    pairings: dict[str, Pairing] = {"Passerby": Ours(), "PATIENCE=0.3": Ours(0.3), "first come": FirstCome()}
    for name, pairing in pairings.items():
        results[name], courses[name] = day(count, options.seed, pairing)
    show(results)
    if options.plot:
        options.plot.write_text(draw(courses))
    print(json.dumps(results))
    return results


if __name__ == "__main__":
    main()
