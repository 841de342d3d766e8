"""The other side of a measurement, in a process of its own: a Bot API server and the people who write through it.

Commands come one a line, answers go back as one JSON object a line:

    closed K     K people, in pairs; each writes again as soon as what they wrote has arrived
    open R       R messages a second in all, at the moments of a Poisson process
    pause        nobody writes
    reset        forget the latencies so far
    count        {"delivered": n}
    latency      {"n", "p50_ms", "p99_ms", "max_ms", "lost"}: from the moment a message was due to its arrival here

The moment it was *due*, not the one it was sent: a side that falls behind does not get to hide it.
"""

import argparse
import asyncio
import json
import os
import re
import sys
from random import Random
from time import perf_counter, time

import uvloop

from benchmarks.canned import Canned
from botapi_sandbox.service import make_world, running
from botapi_sandbox.world import Switches

FIRST_PERSON = 5_000_001
TICK_S = 0.001
_MARK = re.compile(r"#(\d+)#")
WORDS = "Do you remember the harbour at night, with all the lights?"


def people(pairs: int, bots: list[int]) -> list[tuple[int, int]]:
    """Everybody and their bot: partners are neighbours, on different bots."""
    return [(FIRST_PERSON + number, bots[number % len(bots)]) for number in range(2 * pairs)]


class Load:
    def __init__(self, everybody: list[tuple[int, int]]) -> None:
        self.everybody = everybody
        self.delivered = 0
        self._due: dict[int, float] = {}
        self._latencies: list[float] = []
        self._number = 0
        self._closed = False
        self._opened: asyncio.Task[None] | None = None
        self._rng = Random(1)

    def write(self, person: int, bot: int, words: str) -> None:
        raise NotImplementedError

    def arrived(self, person: int, words: str) -> None:
        found = _MARK.search(words)
        if found is None:
            return
        due = self._due.pop(int(found[1]), None)
        if due is None:
            return
        self.delivered += 1
        self._latencies.append(perf_counter() - due)
        if self._closed:
            # The recipient's partner wrote it, and writes again.
            self._say((person - FIRST_PERSON) ^ 1, perf_counter())

    def _say(self, index: int, due: float) -> None:
        self._number += 1
        self._due[self._number] = due
        person, bot = self.everybody[index]
        self.write(person, bot, f"#{self._number}# {WORDS}")

    def closed(self, in_flight: int) -> None:
        self._closed = True
        for index in range(min(in_flight, len(self.everybody))):
            self._say(index, perf_counter())

    def open(self, rate_per_s: float) -> None:
        self._opened = asyncio.get_running_loop().create_task(self._keep_rate(rate_per_s))

    async def _keep_rate(self, rate_per_s: float) -> None:
        due, index = perf_counter(), 0
        while True:
            due += self._rng.expovariate(rate_per_s)
            while (early_s := due - perf_counter()) > 0:
                await asyncio.sleep(max(TICK_S, early_s))
            self._say(index % len(self.everybody), due)
            index += 1

    def pause(self) -> None:
        self._closed = False
        if self._opened is not None:
            self._opened.cancel()
            self._opened = None

    def reset(self) -> None:
        self._latencies.clear()

    def latency(self) -> dict[str, float]:
        ordered = sorted(self._latencies)
        n = len(ordered)
        if not n:
            return {"n": 0}
        p50, p99, most = ordered[n // 2], ordered[min(n - 1, n * 99 // 100)], ordered[-1]
        return {"n": n, "p50_ms": p50 * 1e3, "p99_ms": p99 * 1e3, "max_ms": most * 1e3, "waiting": len(self._due)}


async def _canned(load: Load, bots: list[int], delay_s: tuple[float, float]) -> str:
    def delivered(person: int, body: bytes) -> None:
        load.arrived(person, body.decode())

    server = Canned(bots, delivered, delay_s)

    def write(person: int, bot: int, words: str) -> None:
        server.bots[bot].say(person, words, int(time()))

    load.write = write  # type: ignore[method-assign]
    return f"http://127.0.0.1:{await server.listen()}"


async def _answer_commands(load: Load) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command, _, argument = line.decode().strip().partition(" ")
        answer: dict[str, float] = {}
        match command:
            case "closed":
                load.closed(int(argument))
            case "open":
                load.open(float(argument))
            case "pause":
                load.pause()
            case "reset":
                load.reset()
            case "count":
                answer = {"delivered": load.delivered}
            case "latency":
                answer = load.latency()
        print(json.dumps(answer), flush=True)


async def _main(options: argparse.Namespace) -> None:
    if options.kind == "canned":
        bots = [1_000_001 + number for number in range(options.bots)]
        load = Load(people(options.pairs, bots))
        low, high = (float(each) / 1000 for each in options.delay_ms.split("-"))
        url = await _canned(load, bots, (low, high))
        tokens = [f"{bot}:sandbox-{'x' * 26}1" for bot in bots]
        print(json.dumps({"url": url, "tokens": tokens}), flush=True)
        await _answer_commands(load)
        return
    switches = Switches(limits=False, journal_length=1000, history_length=100)
    world = make_world(bots=options.bots, seed=1, switches=switches)
    bots = list(world.state.bots)
    load = Load(people(options.pairs, bots))
    for number, (_, bot) in enumerate(load.everybody):
        person = world.add_person(f"Person {number}")
        assert person.id == load.everybody[number][0], "the sandbox counts people from another number"
        world.chat(world.state.bots[bot], person.id).started = True
    load.write = world.phones.write  # type: ignore[assignment]

    def event(person: int, shown: dict[str, object]) -> None:
        message = shown.get("message")
        if shown["type"] == "message" and isinstance(message, dict) and not message["outgoing"]:
            # Not at once: whoever writes now would do so inside of the request that is being served.
            asyncio.get_running_loop().call_soon(load.arrived, person, str(message.get("text", "")))

    world.on_event(event)
    async with running(world) as sandbox:
        tokens = [bot.token for bot in world.state.bots.values()]
        print(json.dumps({"url": sandbox.url, "tokens": tokens}), flush=True)
        await _answer_commands(load)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["canned", "sandbox"])
    parser.add_argument("--bots", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--core", type=int)
    parser.add_argument("--delay-ms", default="0-0")
    given = parser.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    uvloop.run(_main(given))
