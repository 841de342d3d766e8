"""Fault tests, with figures.

python -m tests.faults                      many kills of one process that stores everything itself
python -m tests.faults CASE [--seed N]      one fault of a fleet on Redis and PostgreSQL
python -m tests.faults --all [--quick]      all faults, as a table
python -m tests.faults torn-log --times 100 a fault in which a store loses data, 100 times
"""

import argparse
import asyncio
import json
import sys
import tempfile
import traceback
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from statistics import median

from simulated_people.verdict import BREACHES, Verdict
from tests.faults.cases import CASES
from tests.faults.product import PASSERBY, planted
from tests.faults.run import Outcome, Plan, run_plan
from tests.faults.stage import Report, play


def figures(outcome: Outcome) -> dict[str, object]:
    verdict = outcome.verdict
    took = sorted(outcome.takeovers_s)
    hand = outcome.in_hand
    return {
        "kills with work in hand": outcome.kills,
        "kills without": outcome.idle_kills,
        "of both, during a start": outcome.early_kills,
        "stops (SIGTERM)": outcome.stops,
        "updates in hand at a kill": f"{min(hand)} to {max(hand)}, median {median(hand):g}" if hand else "none",
        "carried over a kill": verdict.carried_over,
        "sent": verdict.sent,
        "delivered": verdict.delivered,
        "refused visibly": verdict.refused,
        "lost": len(verdict.lost),
        "misrouted": len(verdict.misrouted),
        "reordered": len(verdict.reordered),
        "one chat reaches two people": len(verdict.split),
        "arrived after the end": len(verdict.after_the_end),
        "unresolved after quiet": len(verdict.unresolved),
        "duplicated": verdict.duplicated,
        "most duplicates in a chat for a kill": verdict.most_duplicates,
        "duplicates without a kill": len(verdict.unprovoked),
        "notices to spare": verdict.spare_notices,
        "written before the finding was told": verdict.ahead,
        "told otherwise than before": len(outcome.disagreements),
        "updates put aside": outcome.put_aside,
        "takeover, s": f"median {median(took):.2f}, worst {took[-1]:.2f}" if took else "none",
        "quiet after, s": round(outcome.quiet_s, 1),
        "passed": outcome.passed,
    }


def summary(report: Report) -> dict[str, object]:
    verdict = report.verdict
    return {
        "case": report.case,
        "seed": report.seed,
        "faults": report.faults,
        "sent": verdict.sent,
        "delivered": verdict.delivered,
        "refused visibly": verdict.refused,
        "of them by a lost connection": verdict.cut_off,
        "carried over a fault": verdict.carried_over,
        "lost": len(verdict.lost),
        "misrouted": len(verdict.misrouted),
        "reordered": len(verdict.reordered),
        "one chat reaches two people": len(verdict.split),
        "arrived after the end": len(verdict.after_the_end),
        "unresolved after quiet": len(verdict.unresolved),
        "duplicated": verdict.duplicated,
        "most duplicates in a chat for a fault": verdict.most_duplicates,
        "duplicates without a fault": len(verdict.unprovoked),
        "told again of a lost connection": len(verdict.told_again),
        "told otherwise than before": len(report.disagreements),
        "worst takeover, s": round(max(report.takeovers_s), 2) if report.takeovers_s else None,
        "quiet after, s": round(report.quiet_s, 1),
        "took, s": round(report.took_s),
        "evidence": report.evidence,
        "wrong": report.wrong,
    }


def print_breaches(verdict: Verdict, disagreements: Iterable[str]) -> None:
    for name in BREACHES:
        for what in getattr(verdict, name)[:10]:
            print(f"{name}: {what}", file=sys.stderr)
    for what in islice(disagreements, 10):
        print(f"told otherwise: {what}", file=sys.stderr)


def reason(error: BaseException) -> str:
    """Return the message of the first error in a group. The other tasks were cancelled because of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


def play_one(name: str, seed: int, *, quick: bool, keep: Path | None, times: int | None = None) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="passerby-faults-") as made:
        directory = (keep or Path(made)) / name
        directory.mkdir(parents=True, exist_ok=True)
        try:
            report = asyncio.run(play(CASES[name], directory, seed=seed, quick=quick, times=times))
        except Exception as error:  # noqa: BLE001  # the others are still to be played
            traceback.print_exception(error)
            return {"case": name, "seed": seed, "wrong": {"not carried through": reason(error)}}
    print_breaches(report.verdict, report.disagreements)
    for what in report.apart[:10]:
        print(f"differs: {what}", file=sys.stderr)
    return summary(report)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("case", nargs="*", choices=[[], *CASES], help="faults of a fleet")
    parser.add_argument("--all", action="store_true", help="every fault of a fleet")
    parser.add_argument("--quick", action="store_true", help="the short form")
    parser.add_argument("--times", type=int, help="how often a store loses something")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--planted", metavar="BUG", help="run the product with a bug put in; must fail")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs and database there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.case or options.all:
        return fleets(options)
    command = planted(options.planted) if options.planted else PASSERBY
    plan = Plan(options.kills, options.people, seed=options.seed, command=command)
    with tempfile.TemporaryDirectory(prefix="passerby-faults-") as made:
        directory = options.keep or Path(made)
        directory.mkdir(parents=True, exist_ok=True)
        outcome = asyncio.run(run_plan(plan, directory))
    show(figures(outcome), as_json=options.json)
    print_breaches(outcome.verdict, outcome.disagreements)
    return 0 if outcome.passed else 1


def fleets(options: argparse.Namespace) -> int:
    reports = []
    for name in CASES if options.all else options.case:
        report = play_one(name, options.seed, quick=options.quick, keep=options.keep, times=options.times)
        show(report, as_json=options.json)
        reports.append(report)
    if options.all:
        print(table(reports), end="", flush=True)
    return 1 if any(report["wrong"] for report in reports) else 0


COLUMNS = ("sent", "lost", "misrouted", "reordered", "unresolved after quiet", "duplicated", "worst takeover, s")


def table(reports: Iterable[dict[str, object]]) -> str:
    lines = ["| fault | " + " | ".join(COLUMNS) + " | what was seen of it |", "|---" * (len(COLUMNS) + 2) + "|"]
    for report in reports:
        case = CASES[str(report["case"])]
        evidence = report.get("evidence") or report["wrong"]
        assert isinstance(evidence, dict), "evidence has names"
        figures = [str(report.get(column, "-")) for column in COLUMNS]
        seen = "; ".join(f"{name}: {value}" for name, value in evidence.items())
        lines.append(f"| {case.fault}: {case.how} (`{case.name}`) | {' | '.join(figures)} | {seen} |")
    return "\n".join(lines) + "\n"


def show(found: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found), flush=True)
        return
    for name, value in found.items():
        print(f"{name:<40}{value}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
