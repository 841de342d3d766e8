"""Measures what pairing costs: the pure function alone, and everybody searching at once through the whole app.

    python -m benchmarks.match [--short]
    python -m benchmarks.match --redis --no-alone    only everybody at once, over Redis and PostgreSQL

*Alone*: n tickets of three kinds. Everybody fits everybody; or a tenth of the people have just met somebody who also
waits; or filters, languages and interests are as uneven as those of real people. Also a newcomer to a crowd that fits
nobody. *Together*: 1,000 or 15,000 idle people on four bots press Find at the same moment. The time runs until the last
"Partner found". Budgets are raised out of the way. The product is on one core, the people and the stores on another.
"""

import argparse
import json
import time
from random import Random
from statistics import median
from typing import Any

from benchmarks.sides import Shape, sides
from benchmarks.skewed import somebody
from passerby.domain.ages import ADULTS
from passerby.domain.matching.match import Pool, match
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Met, Preferences, Ticket

CROWDS = ("suit each other", "a tenth just met", "skewed filters")
DAY_S = 86_400.0
SETTLE_S = 2.0
PATIENCE_S = 180.0


def tickets(count: int, rng: Random, crowd: str) -> list[Ticket]:
    """People who wait: see CROWDS. Uneven ones come from `benchmarks.skewed`, with filters, languages and interests."""
    if crowd == "skewed filters":
        return [
            Ticket(
                who.person,
                ADULTS,
                rng.uniform(0, 600),
                who.gender,
                who.age,
                languages=who.languages,
                interests=who.interests,
                wants=who.wants,
                vip=who.vip,
            )
            for who in (somebody(number, rng) for number in range(1, count + 1))
        ]
    met = crowd == "a tenth just met"
    return [
        Ticket(
            PersonId(number),
            ADULTS,
            rng.uniform(0, 600),
            rng.choice(list(Gender)),
            rng.randint(18, 80),
            (Met(PersonId(rng.randrange(count)), 0.0),) if met and rng.random() < 0.1 else (),
        )
        for number in range(count)
    ]


def alone(count: int, crowd: str, *, runs: int) -> dict[str, Any]:
    waiting = tickets(count, Random(count), crowd)
    took = []
    for _ in range(runs):
        began = time.process_time()
        pairs = match(waiting, DAY_S)
        took.append(time.process_time() - began)
        assert crowd == "skewed filters" or len(pairs) == count // 2, "somebody who suits somebody was left waiting"
    each_us = median(took) / count * 1e6
    return {
        "tickets": count,
        "crowd": crowd,
        "paired": 2 * len(pairs),
        "total_ms": median(took) * 1e3,
        "us_per_ticket": each_us,
    }


def trickling(count: int, *, comes: int) -> dict[str, Any]:
    """Measure the cost of a round for each of `comes` newcomers, who come one by one to people who wait and cannot be
    paired."""
    rng = Random(count)
    pool = Pool()
    for who in (somebody(number, rng) for number in range(1, count + 1)):
        wants = Preferences((Gender.FEMALE,), *(18 + who.person % 60,) * 2)
        pool.add(Ticket(who.person, ADULTS, 0.0, Gender.MALE, who.age, languages=who.languages, wants=wants))
    pool.pairs(DAY_S)
    began = time.process_time()
    for number in range(comes):
        who = somebody(count + 1 + number, rng)
        wants = Preferences((Gender.MALE,), who.age, who.age)
        pool.add(Ticket(who.person, ADULTS, DAY_S, who.gender, who.age, languages=who.languages, wants=wants))
        pool.pairs(DAY_S + 60)
    return {"waiting": count, "us_per_newcomer": (time.process_time() - began) / comes * 1e6}


def together(count: int, *, redis: bool) -> dict[str, Any]:
    """Everybody presses Find at the same moment, until everybody is told about a partner."""
    with sides(Shape(pairs=count // 2, redis=redis, idle=True)) as found:
        time.sleep(SETTLE_S)
        ours, stores = found.usage(), found.stores_s()
        found.load_peer.ask("search 0")
        give_up_at = time.monotonic() + PATIENCE_S
        while (seen := found.load_peer.ask("count"))["found"] < count:
            assert time.monotonic() < give_up_at, f"after {PATIENCE_S:g} s {seen['found']} of {count} had a partner"
            time.sleep(0.05)
        ours_then, stores_then = found.usage(), found.stores_s()
        assert not seen["found_twice"], "somebody was paired twice"
        spent_s = sum(ours_then[name] - ours[name] for name in ("user_s", "system_s"))
        return {
            "searching_at_once": count,
            "redis": redis,
            "all_told_after_s": seen["found_in_s"],
            "sends_per_person": seen["notices"] / count,
            "cpu_us_per_person": spent_s / count * 1e6,
            "stores_us_per_person": (sum(stores_then.values()) - sum(stores.values())) / count * 1e6,
        }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.match", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--no-alone", action="store_true")
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {} if options.no_alone else lonely(options.short)
    everybody = []
    for count in (1_000,) if options.short else (1_000, 15_000):
        took = [together(count, redis=options.redis) for _ in range(1 if options.short else 3)]
        row = sorted(took, key=lambda each: float(each["all_told_after_s"]))[len(took) // 2]
        everybody.append(row)
        where = "over Redis and PostgreSQL" if options.redis else "embedded"
        cost = f"{row['cpu_us_per_person']:.0f} µs of CPU a person"
        if options.redis:
            cost += f", {row['stores_us_per_person']:.0f} in the stores"
        print(f"{count} searching at once, {where}: all told after {row['all_told_after_s']:.2f} s; {cost}")
    result["together"] = everybody
    print(json.dumps(result))
    return result


def lonely(short: bool) -> dict[str, Any]:
    """The pure function alone."""
    sizes = (1_000, 10_000) if short else (1_000, 10_000, 100_000, 1_000_000)
    rows = [alone(size, crowd, runs=3 if size < 1_000_000 else 1) for crowd in CROWDS for size in sizes]
    print(f"{'tickets':>10}  {'crowd':<18}{'paired':>10}{'total ms':>12}{'µs a ticket':>14}")
    for row in rows:
        print(
            f"{row['tickets']:>10}  {row['crowd']:<18}{row['paired']:>10}"
            f"{row['total_ms']:>12.1f}{row['us_per_ticket']:>14.2f}"
        )
    alike = trickling(10_000 if short else 100_000, comes=1_000)
    print(f"{alike['waiting']} wait without a partner: a newcomer costs {alike['us_per_newcomer']:.0f} µs")
    return {"alone": rows, "newcomer": alike}


if __name__ == "__main__":
    main()
