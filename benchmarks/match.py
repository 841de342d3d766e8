"""What pairing costs: the pure function alone, and everybody searching at once through the whole app.

    python -m benchmarks.match [--short]

*Alone*: n tickets of three kinds: everybody suits everybody; a tenth of the people have just met somebody who waits
too; skewed filters, languages and interests, as people have them. And a newcomer to a crowd that waits in vain.
*Together*: 1,000 idle people on four bots press Find within the same instant; from there to the last of the 1,000
"Partner found", with budgets raised out of the way.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from pydantic import SecretStr

from benchmarks.canned import Canned
from benchmarks.opposite import FIRST_PERSON, people
from benchmarks.skewed import somebody
from passerby import logs
from passerby.domain.ages import ADULTS
from passerby.domain.matching import Pool, match
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Met, Preferences, Ticket

CROWDS = ("suit each other", "a tenth just met", "skewed filters")
DAY_S = 86_400.0


def tickets(count: int, rng: Random, crowd: str) -> list[Ticket]:
    """People as they wait: see CROWDS. Skewed ones are `benchmarks.skewed`'s, with filters, languages and interests."""
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
    """Those who wait stay and cannot be paired; `comes` more come one by one: what a look costs each of them."""
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


async def together(count: int, directory: Path) -> dict[str, Any]:
    """In one process with the canned server: the time is what both need together."""
    from passerby.bootstrap import serve
    from passerby.settings import Settings

    bots = [1_000_001 + number for number in range(4)]
    everybody = people(count // 2, bots)
    partner_found, all_found = set[int](), asyncio.Event()
    found_twice = 0
    began = 0.0

    def delivered(person: int, body: bytes) -> None:
        nonlocal found_twice
        if b"Partner found" in body:
            found_twice += person in partner_found
            partner_found.add(person)
            if len(partner_found) == count:
                all_found.set()

    server = Canned(bots, delivered)
    url = f"http://127.0.0.1:{await server.listen()}"
    settings = Settings(
        bot_tokens=tuple(SecretStr(f"{bot}:sandbox-{'x' * 26}1") for bot in bots),
        bot_api_url=url,
        sqlite_db_path=directory / "passerby.db",
        bot_rate_per_s=100_000,
        chat_rate_per_s=100_000,
        chat_burst=100_000,
        shutdown_timeout_s=1,
    )
    from benchmarks.product import prepare_idle

    await prepare_idle(settings, everybody)
    ready, stop = asyncio.Event(), asyncio.Event()
    serving = asyncio.ensure_future(serve(settings, on_ready=ready.set, stop=stop))
    await ready.wait()
    began = time.perf_counter()
    for person, bot in everybody:
        server.bots[bot].say(person, "/search", int(time.time()))
    async with asyncio.timeout(60):
        await all_found.wait()
    took = time.perf_counter() - began
    stop.set()
    await serving
    assert min(partner_found) == FIRST_PERSON
    assert found_twice == 0, "somebody was paired twice"
    return {"searching_at_once": count, "all_told_after_s": took, "us_per_person": took / count * 1e6}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.match", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    logs.set_up("warning", "console")
    sizes = (1_000, 10_000) if options.short else (1_000, 10_000, 100_000, 1_000_000)
    rows = [alone(size, crowd, runs=3 if size < 1_000_000 else 1) for crowd in CROWDS for size in sizes]
    print(f"{'tickets':>10}  {'crowd':<18}{'paired':>10}{'total ms':>12}{'µs a ticket':>14}")
    for row in rows:
        print(
            f"{row['tickets']:>10}  {row['crowd']:<18}{row['paired']:>10}"
            f"{row['total_ms']:>12.1f}{row['us_per_ticket']:>14.2f}"
        )
    alike = trickling(10_000 if options.short else 100_000, comes=1_000)
    print(f"{alike['waiting']} waiting in vain: a newcomer costs {alike['us_per_newcomer']:.0f} µs")
    everybody = []
    for count in (1_000,) if options.short else (1_000, 15_000):
        took = []
        for _ in range(3):
            with tempfile.TemporaryDirectory(prefix="passerby-bench-") as directory:
                took.append(asyncio.run(together(count, Path(directory))))
        row = sorted(took, key=lambda each: float(each["all_told_after_s"]))[1]
        everybody.append(row)
        print(f"{count} searching at once: all told after {row['all_told_after_s']:.2f} s (both sides on one core)")
    result = {"alone": rows, "newcomer": alike, "together": everybody}
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    main()
