"""Measures how much a broadcast slows chats: the latency of relays without and with one, in turns, in one run.

    python -m benchmarks.broadcast                    to 100,000 people, on the memory store and SQLite
    python -m benchmarks.broadcast --short
    python -m benchmarks.broadcast --bots 20 --rate 300 --window-s 20

Budgets are those that a bot really has. People in chats write at a given rate (an open loop), and latency counts from
the moment a message was due. The broadcast goes to other people, through the same bots. It is paused and resumed
between windows, so both kinds of windows see the same machine. Their ratio counts; the figures depend on the machine.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from benchmarks.relay import WARM_S
from benchmarks.sides import Shape, Sides, sides
from passerby.adapters.sql import SqlBroadcasts, SqlRecords, SqlStaff
from passerby.domain.broadcasts.actions import plain
from passerby.kernel.broadcast import Broadcast, BroadcastState, Variant
from passerby.kernel.ids import BotId, PersonId, UpdateRef
from passerby.kernel.participant import Gender, Participant, Profile
from passerby.kernel.staff import AuditNote, StaffDecision
from passerby.ports.facts import PersonChanged
from passerby.ports.records import RecordsLost

BAR = 1.10
"""A broadcast may move the 99th percentile by less than a tenth."""
FIRST_READER = 50_000_001
AT_A_TIME = 5_000
START_S = 60.0
TRIES = 10


class Office:
    """The records of the product that is measured, opened by a second program."""

    def __init__(self, directory: Path) -> None:
        self._database = directory / "passerby.db"

    def do(self, work: Callable[[SqlRecords], Awaitable[None]]) -> None:
        async def run() -> None:
            records = SqlRecords.at(self._database)
            try:
                for tries_left in range(TRIES - 1, -1, -1):
                    try:
                        return await work(records)
                    except RecordsLost:  # on a busy machine, the product may hold SQLite's lock for long
                        if not tries_left:
                            raise
            finally:
                await records.aclose()

        asyncio.run(run())

    def fill(self, people: int, bots: list[BotId]) -> None:
        """Add people who are in no chat, and a broadcast to them that begins at once."""
        now = time.time()
        profile = Profile(consented_at=now, age=25, age_given_at=now, gender=Gender.UNSAID, language="xx")

        async def work(records: SqlRecords) -> None:
            for first in range(0, people, AT_A_TIME):
                numbers = range(first, min(people, first + AT_A_TIME))
                readers = (_reader(number, bots[number % len(bots)], profile, now) for number in numbers)
                facts = [(first + place, PersonChanged(each, now)) for place, each in enumerate(readers, 1)]
                await records.apply("benchmark", facts)
            message = (Variant(plain("The harbour is closed on Friday.")),)
            made = Broadcast(1, BroadcastState.STARTING, 0, now, variants=message, canary=False)
            decision = StaffDecision(notes=(AuditNote("broadcast.made"),), broadcasts=(made,))
            await SqlStaff(records.engine).decide(None, UpdateRef(BotId(0), 1), lambda facts: decision, now)

        self.do(work)

    def turn(self, state: BroadcastState) -> None:
        """Pause or resume the broadcast."""

        def change(newest: Broadcast, number: int) -> tuple[Broadcast, ...]:
            assert newest.started_at is not None, "it has not begun"
            return (msgspec.structs.replace(newest, state=state),)

        async def work(records: SqlRecords) -> None:
            note = AuditNote("broadcast.turned")
            assert await SqlBroadcasts(records.engine).change(1, change, note, time.time())

        self.do(work)


def _reader(number: int, bot: BotId, profile: Profile, now: float) -> Participant:
    return Participant(PersonId(FIRST_READER + number), 1, bot, (bot,), profile, seen_at=now)


def window(found: Sides, window_s: float) -> dict[str, float]:
    time.sleep(WARM_S)
    found.load_peer.ask("reset")
    before = found.load_peer.ask("count")["notices"]
    time.sleep(window_s)
    copies = found.load_peer.ask("count")["notices"] - before
    return found.load_peer.ask("latency") | {"copies_per_s": copies / window_s}


def measure(shape: Shape, people: int, rate_per_s: float, *, window_s: float, runs: int) -> dict[str, Any]:
    with sides(shape) as found:
        office = Office(found.directory)
        office.fill(people, [BotId(int(each.partition(":")[0])) for each in found.load_peer.greeting["tokens"]])
        give_up_at = time.monotonic() + START_S
        while not found.load_peer.ask("count")["notices"]:
            assert time.monotonic() < give_up_at, "the broadcast does not begin"
            time.sleep(0.2)
        found.load_peer.ask(f"open {rate_per_s}")
        quiet, busy = [], []
        for _ in range(runs):
            office.turn(BroadcastState.PAUSED)
            quiet.append(window(found, window_s))
            office.turn(BroadcastState.RUNNING)
            busy.append(window(found, window_s))
        found.load_peer.ask("pause")
    assert all(each["copies_per_s"] > 0 for each in busy), "the broadcast stands still"

    def middle(windows: list[dict[str, float]], name: str) -> float:
        return median(each[name] for each in windows)

    ratios = [one["p99_ms"] / other["p99_ms"] for one, other in zip(busy, quiet, strict=True)]
    return {
        "people": people,
        "relays_per_s": rate_per_s,
        "copies_per_s": round(middle(busy, "copies_per_s"), 1),
        **{f"quiet_{name}": round(middle(quiet, name), 2) for name in ("p50_ms", "p99_ms")},
        **{f"busy_{name}": round(middle(busy, name), 2) for name in ("p50_ms", "p99_ms")},
        "p99_ratio": round(median(ratios), 3),
        "p99_ratios": [round(each, 3) for each in ratios],
    }


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broadcast", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--bots", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--rate", type=float, default=150)
    parser.add_argument("--delay-ms", default="20-40")
    parser.add_argument("--window-s", type=float, default=15)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    if options.short:
        options.people, options.window_s, options.runs = 5_000, 4.0, 3
    shape = Shape(bots=options.bots, pairs=options.pairs, delay_ms=options.delay_ms, shipped=True)
    found = measure(shape, options.people, options.rate, window_s=options.window_s, runs=options.runs)
    print(f"relays: {found['relays_per_s']:g}/s, copies of the broadcast: {found['copies_per_s']:g}/s")
    for kind in ("quiet", "busy"):
        print(f"{kind:>6}: p50 {found[f'{kind}_p50_ms']:.1f} ms, p99 {found[f'{kind}_p99_ms']:.1f} ms")
    print(f"p99 with a broadcast / without: {found['p99_ratio']:.2f} (bar: below {BAR:.2f})")
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
