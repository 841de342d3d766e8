"""How often is a person who writes in the live store, the user cache? A day with people who come back is simulated.

    python -m benchmarks.user_cache [--people 1500] [--visits 2.0] [--seed 1]
    python -m benchmarks.user_cache --short                           200 people, only the three busiest hours

The product's own worker runs in virtual time over the memory store. Everybody visits at times of the day as in
`passerby.loadtest.day`, and behaves there as in the load test: searches, writes, goes on or leaves. A person who was
idle for ten minutes leaves the live store, and comes back from the records at the next visit. Printed: the share of
people that the live store had when they were looked up, newcomers not counted. Below 95 % is a failure.
"""

import argparse
import asyncio
import json
import sys
from random import Random
from typing import Any

from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Chatting, Idle
from passerby.loadtest.day import HOUR_S, HOURS
from passerby.ops.slow.processes import HIT_RATE
from passerby.telemetry import metrics
from simulated_people.habits import Habits, Leaving
from tests.runtime.alerting.stage import WatchedHouse, clean_metrics
from tests.runtime.virtual import run
from tests.runtime.world import somebody, written

FIRST = 50_000
WHOLE_DAY = range(len(HOURS))
EVENING = range(19, 22)
LOOK_S = 1.0
"""How often a person looks whether they have a partner."""


class Visitor:
    """One person, who visits during the day."""

    def __init__(self, house: WatchedHouse, person: PersonId, rng: Random) -> None:
        self._house = house
        self._person = person
        self._bot = house.telegram.bots[person % len(house.telegram.bots)]
        self._rng = rng
        self._habits = Habits()
        house.records.disk.people[person] = somebody(person, bot=self._bot)

    async def live(self, visits: list[float]) -> None:
        for at in visits:
            await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
            await self._visit()

    async def _visit(self) -> None:
        self._say("/search")
        for _ in range(self._habits.visit(self._rng)):
            if not await self._finds_somebody():
                break
            if await self._chats() is not Leaving.NEXT and self._rng.random() > self._habits.searches_on:
                break
            await asyncio.sleep(self._habits.between_chats(self._rng))
            self._say("/next")
        self._say("/stop")

    async def _finds_somebody(self) -> bool:
        patience = self._habits.patience(self._rng)
        for _ in range(int(patience / LOOK_S) + 1):
            await asyncio.sleep(LOOK_S)
            if await self._is_chatting():
                return True
        return False

    async def _chats(self) -> Leaving:
        """Write until they have had enough, or the partner is gone."""
        left_s = self._habits.willing(self._rng)
        while left_s > 0:
            pause = self._habits.pause(self._rng)
            await asyncio.sleep(pause)
            left_s -= pause
            if not await self._is_chatting():
                return Leaving.STOP
            self._say("hello")
        return self._habits.leaving(self._rng)

    def _say(self, text: str) -> None:
        self._house.happens(written(self._person, text), self._bot)

    async def _is_chatting(self) -> bool:
        facts = await self._house.store.load(self._person)
        return facts is not None and isinstance(facts.me.state, Chatting)


def moments(rng: Random, visits: float, hours: range) -> list[float]:
    """When a person visits, at least once, in seconds after the beginning of the first hour: `visits` on average."""
    count = 1 + (int(rng.expovariate(1 / (visits - 1)) + 0.5) if visits > 1 else 0)
    chosen = rng.choices(hours, [HOURS[hour] for hour in hours], k=count)
    return sorted((hour - hours[0] + rng.random()) * HOUR_S for hour in chosen)


async def live(people: int, visits: float, seed: int, hours: range = WHOLE_DAY) -> dict[str, Any]:
    rng = Random(seed)
    house = WatchedHouse()
    persons = [PersonId(FIRST + number) for number in range(people)]
    days = [moments(rng, visits, hours) for _ in persons]
    visits = [
        Visitor(house, person, Random(rng.getrandbits(64))).live(each)
        for person, each in zip(persons, days, strict=True)
    ]
    await house.app.start()
    await asyncio.gather(*visits)
    await asyncio.sleep(60)
    found = {outcome: int(metrics.LOOKUPS.total(outcome=outcome)) for outcome in ("live", "records")}
    await house.app.stop(60.0)
    assert all(isinstance(each.state, Idle) for each in house.records.disk.people.values()), "the day is over"
    return {
        "people": people,
        "visits": sum(map(len, days)),
        "updates": int(metrics.UPDATES.total()),
        "pairs": int(metrics.PAIRS.total()),
        **found,
        "hit_rate": round(found["live"] / sum(found.values()), 4),
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.user_cache",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--visits", type=float, default=2.0, help="by each person, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true")
    args = parser.parse_args(arguments)
    people, hours = (200, EVENING) if args.short else (args.people, WHOLE_DAY)
    with clean_metrics():
        found = run(live(people, args.visits, args.seed, hours))
    looked_up = found["live"] + found["records"]
    print(", ".join(f"{found[name]:,} {name}" for name in ("people", "visits", "pairs", "updates")))
    print(
        f"in the live store: {found['hit_rate']:.1%} of {looked_up:,} people who were looked up ({HIT_RATE:.0%} wanted)"
    )
    print(json.dumps(found))
    if found["hit_rate"] < HIT_RATE:
        sys.exit("failed")
    return found


if __name__ == "__main__":
    main()
