"""A day in one pool: who waits how long, and how well those who are paired suit each other.

    python -m benchmarks.day [--users 15000] [--short] [--plot PATH]

Simulated people come over a day (more in the evening), each two or three times: seven of ten are men, most speak one of
three languages, a third name interests, one in seven wants women only and one in thirty men only, some limit the age.
They lose patience. Pairing is the product's own (`domain.matching`), looked at whenever it says so; beside it, the same
people in the same run are paired first come, first served, with hard wishes kept and nothing else looked at. Chats last
mostly a minute, with a long tail; who is done may search again.

Reported for each group: waiting p50 and p95 of those who were paired, the share paired within 10, 30 and 60 s of those
who came, and how many of the pairs share a language and an interest (of those where both named any).
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from math import pi, sin
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any, NamedTuple

from benchmarks.skewed import Somebody, somebody
from passerby.domain.ages import ADULTS
from passerby.domain.lifecycle import AT_ONCE_S, MET_FOR_S, RECENT_KEPT, SKIPPED_FOR_S
from passerby.domain.matching import Pair, Pool
from passerby.domain.wishes import WIDEST_S, common, compatible
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Met, Ticket

DAY_S = 86_400.0
LOOK_S = 0.02
GROUPS = ("everybody", "men", "women", "wants women", "wants an age", "speaks fa or pt only", "VIP")


class Wait(NamedTuple):
    """One search: by whom, for how long, and the partner; None where patience ended first."""

    who: Somebody
    wait_s: float
    partner: Somebody | None


def arrivals(people: list[Somebody], rng: Random) -> list[tuple[float, Somebody]]:
    """Over a day, with three times as many in the evening as at dawn."""
    found = []
    for each in people:
        for _ in range(rng.choices((1, 2, 3, 5), (45, 30, 15, 10))[0]):
            while True:
                at = rng.uniform(0, DAY_S)
                if rng.random() < 0.5 + 0.5 * sin(2 * pi * (at / DAY_S - 0.55)) * 0.75 + 0.1:
                    break
            found.append((at, each))
    return sorted(found, key=lambda one: (one[0], one[1].person))


class FirstCome:
    """Pairing as the field does it at best: hard wishes kept, the longest wait first, nothing else looked at."""

    def __init__(self) -> None:
        self._waiting: dict[PersonId, Ticket] = {}
        self._new: list[Ticket] = []

    def add(self, ticket: Ticket) -> None:
        self._new.append(ticket)

    def remove(self, person: PersonId) -> None:
        self._waiting.pop(person, None)
        self._new = [each for each in self._new if each.person != person]

    def next_at(self) -> float | None:
        return float("-inf") if self._new else None

    def pairs(self, now: float) -> list[Pair]:
        found = []
        for one in sorted(self._new, key=lambda each: (each.since, each.person)):
            other = next((each for each in self._waiting.values() if compatible(one, each)), None)
            if other is None:
                self._waiting[one.person] = one
            else:
                del self._waiting[other.person]
                found.append(Pair(other, one))
        self._new.clear()
        return found


def live(coming: list[tuple[float, Somebody]], pool: Any, seed: int) -> list[Wait]:
    """Let a day pass. Every search ends in a pair or in impatience."""
    rng = Random(seed)
    events: list[tuple[float, int, str, Any]] = []
    counter = 0

    def at(when: float, what: str, about: Any) -> None:
        nonlocal counter
        counter += 1
        heappush(events, (when, counter, what, about))

    for when, who in coming:
        at(when, "come", who)
    waits: list[Wait] = []
    waiting: dict[PersonId, tuple[Somebody, float]] = {}
    busy: set[PersonId] = set()
    recent: dict[PersonId, tuple[Met, ...]] = defaultdict(tuple)
    looks_at: float | None = None
    while events:
        now, _, what, about = heappop(events)
        if what == "come" and about.person not in busy:
            busy.add(about.person)
            waiting[about.person] = (about, now)
            pool.add(_ticket(about, now, recent[about.person]))
            at(now + about.patience_s, "give up", (about, now))
        elif what == "give up":
            who, since = about
            if waiting.get(who.person) == (who, since):
                del waiting[who.person]
                busy.discard(who.person)
                pool.remove(who.person)
                waits.append(Wait(who, now - since, None))
        elif what == "part":
            for who, partner, opened_at, leaver in about:
                skipped = leaver and now - opened_at < AT_ONCE_S
                recent[who.person] = (Met(partner.person, now, skipped), *recent[who.person])[:RECENT_KEPT]
                busy.discard(who.person)
                if rng.random() < 0.75:
                    at(now + rng.uniform(0.5, 4), "come", who)
        elif what == "look":
            looks_at = None
            for pair in pool.pairs(now):
                sides = [waiting.pop(ticket.person) for ticket in (pair.first, pair.second)]
                for (who, since), (partner, _) in (sides, sides[::-1]):
                    waits.append(Wait(who, now - since, partner))
                alike = bool(common(pair.first, pair.second).languages)
                lasts_s = rng.lognormvariate(4.2 if alike else 2.7, 1.3)
                (one, _), (other, _) = sides
                at(now + lasts_s, "part", ((one, other, now, True), (other, one, now, False)))
        due = pool.next_at()
        if due is not None:
            due = max(due, now + LOOK_S)
            if looks_at is None or due < looks_at - LOOK_S:
                looks_at = due
                at(due, "look", None)
    return waits


def _ticket(who: Somebody, now: float, recent: tuple[Met, ...]) -> Ticket:
    lately = tuple(met for met in recent if now - met.at < (SKIPPED_FOR_S if met.skipped else MET_FOR_S))
    return Ticket(
        who.person, ADULTS, now, who.gender, who.age, lately, (), who.languages, who.interests, who.wants, who.vip
    )


def _is_in(who: Somebody, group: str) -> bool:
    return {
        "everybody": True,
        "men": who.gender is Gender.MALE,
        "women": who.gender is Gender.FEMALE,
        "wants women": who.wants.genders == (Gender.FEMALE,),
        "wants an age": who.wants.age_min is not None,
        "speaks fa or pt only": who.languages in (("fa",), ("pt",)),
        "VIP": who.vip,
    }[group]


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def report(waits: Iterable[Wait]) -> dict[str, dict[str, float]]:
    rows = {}
    for group in GROUPS:
        of = [wait for wait in waits if _is_in(wait.who, group)]
        paired = [wait for wait in of if wait.partner is not None]
        both = [(wait.who, wait.partner) for wait in paired if wait.partner is not None]
        named = [(one, other) for one, other in both if one.interests and other.interests]
        rows[group] = {
            "searches": len(of),
            "p50_s": _percentile([wait.wait_s for wait in paired], 0.5),
            "p95_s": _percentile([wait.wait_s for wait in paired], 0.95),
            **{
                f"within_{limit}_s": mean(wait.partner is not None and wait.wait_s <= limit for wait in of)
                for limit in (10, 30, 60)
            },
            "same_language": mean(bool({*one.languages} & {*other.languages}) for one, other in both),
            "same_interest": mean(bool({*one.interests} & {*other.interests}) for one, other in named)
            if named
            else 0.0,
        }
    return rows


def show(name: str, rows: dict[str, dict[str, float]]) -> None:
    print(f"\n{name}")
    print(
        f"{'group':<22}{'searches':>9}{'p50 s':>8}{'p95 s':>8}{'≤10 s':>8}{'≤30 s':>8}{'≤60 s':>8}"
        f"{'language':>10}{'interest':>10}"
    )
    for group, row in rows.items():
        print(
            f"{group:<22}{row['searches']:>9.0f}{row['p50_s']:>8.1f}{row['p95_s']:>8.1f}"
            f"{row['within_10_s']:>8.0%}{row['within_30_s']:>8.0%}{row['within_60_s']:>8.0%}"
            f"{row['same_language']:>10.0%}{row['same_interest']:>10.0%}"
        )


def plot(results: dict[str, list[Wait]], path: Path) -> None:
    """How many of those who came were paired by when, as a picture."""
    width, height, left, bottom = 560, 260, 48, 32
    until_s = 60.0
    lines = []
    colours = ("#1f6feb", "#8b949e")
    for (name, waits), colour in zip(results.items(), colours, strict=True):
        taken = sorted(wait.wait_s for wait in waits if wait.partner is not None)
        points = []
        for second in range(61):
            share = sum(1 for wait_s in taken if wait_s <= second * until_s / 60) / len(waits)
            points.append(
                f"{left + second * (width - left - 12) / 60:.1f},{height - bottom - share * (height - bottom - 16):.1f}"
            )
        label_y = 40 if colour == colours[0] else 60
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(points)}"/>')
        lines.append(f'<text x="{width - 190}" y="{height - bottom - label_y}" fill="{colour}">{name}</text>')
    grid = []
    for share in (0, 25, 50, 75, 100):
        y = height - bottom - share / 100 * (height - bottom - 16)
        grid.append(
            f'<line x1="{left}" x2="{width - 12}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8b949e" stroke-opacity=".3"/>'
        )
        grid.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#8b949e">{share} %</text>')
    for second in range(0, 61, 10):
        x = left + second * (width - left - 12) / 60
        grid.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle" fill="#8b949e">{second} s</text>')
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" '
        f'role="img" aria-label="Share of searches that were paired, by waiting time">{"".join(grid + lines)}</svg>\n',
        "utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=15_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    rng = Random(options.seed)
    people = [somebody(number, rng) for number in range(1, (1500 if options.short else options.users) + 1)]
    coming = arrivals(people, rng)
    makers: dict[str, Callable[[], Any]] = {"passerby": Pool, "first come": FirstCome}
    results = {name: live(coming, make(), options.seed) for name, make in makers.items()}
    rows = {name: report(waits) for name, waits in results.items()}
    for name in rows:
        show(name, rows[name])
    print(f"\nsoft wishes give way within {WIDEST_S:.0f} s")
    if options.plot is not None:
        plot(results, options.plot)
    print(json.dumps({"users": len(people), "rows": rows}))


if __name__ == "__main__":
    main()
