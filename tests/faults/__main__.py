"""`python -m tests.faults`: many kills, and the figures."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.faults.ordeal import Outcome, Plan, endure
from tests.faults.product import PASSERBY, planted


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
        "unresolved after quiet": len(verdict.unresolved),
        "duplicated": verdict.duplicated,
        "most duplicates in a chat for a kill": verdict.most_duplicates,
        "duplicates without a kill": len(verdict.unprovoked),
        "notices to spare": verdict.spare_notices,
        "written before the finding was told": verdict.ahead,
        "told otherwise than before": len(outcome.disagreements),
        "takeover, s": f"median {median(took):.2f}, worst {took[-1]:.2f}" if took else "none",
        "quiet after, s": round(outcome.quiet_s, 1),
        "passed": outcome.passed,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--planted", metavar="BUG", help="run the product with a bug put in; must fail")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs and database there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    command = planted(options.planted) if options.planted else PASSERBY
    plan = Plan(options.kills, options.people, seed=options.seed, command=command)
    with tempfile.TemporaryDirectory(prefix="passerby-faults-") as made:
        directory = options.keep or Path(made)
        directory.mkdir(parents=True, exist_ok=True)
        outcome = asyncio.run(endure(plan, directory))
    if options.json:
        print(json.dumps(figures(outcome)))
    else:
        for name, value in figures(outcome).items():
            print(f"{name:<40}{value}")
    verdict = outcome.verdict
    for name in ("lost", "misrouted", "reordered", "unresolved", "unprovoked"):
        for what in getattr(verdict, name)[:10]:
            print(f"{name}: {what}", file=sys.stderr)
    for what in outcome.disagreements[:10]:
        print(f"told otherwise: {what}", file=sys.stderr)
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
