"""The other side of a measurement, in a process of its own: a Bot API server and the people who write through it.

Each line of stdin is a command. Each answer is one JSON object on a line:

    closed K     K people, in pairs; each writes again as soon as their last message has arrived
    open R       R messages a second in all, at the times of a Poisson process
    buy R        R checkouts a second in all, at the times of a Poisson process; 0: no more
    bought       the latencies of the answered checkouts, like `latency`, with {"refused"}; it forgets them
    search R     everybody asks for a partner, R a second; 0: all at once
    hooks U B:P:S,…  send updates to the webhooks below U: those of bot B to path P, with secret S
    pause        nobody writes
    reset        forget the latencies so far
    count        {"delivered", "notices", "found", "found_twice", "found_in_s"}: messages of people and of the product
                 so far, people who were told of a partner, and how long after the search began the last of them was
    polled       {"at"}: when the first bot was polled first, by `perf_counter`; 0 if it was not. Then it starts over
    latency      {"n", "p50_ms", "p99_ms", "p999_ms", "max_ms", "waiting"}: from the moment a message was due to its
                 arrival here

Latency counts from the moment a message was *due*, not from the moment it was sent. So a side that is late cannot hide
it.
"""

import argparse
import asyncio
import json
import os
import re
import ssl
import sys
from random import Random
from time import perf_counter, time

import uvloop

from benchmarks.canned import Canned
from benchmarks.hooks import Hook
from botapi_sandbox.service import make_world, running
from botapi_sandbox.world import Switches

FIRST_PERSON = 5_000_001
TICK_S = 0.001
_MARK = re.compile("~([a-j]+)~")
"""JSON and forms leave a tilde unchanged. Digits are spelt out: few messages have any, and they cost the search for
addresses more while two people have just met."""
_SPELL, _READ = str.maketrans("0123456789", "abcdefghij"), str.maketrans("abcdefghij", "0123456789")
FOUND = "Partner found"
WORDS = "Do you remember the harbour at night, with all the lights?"


PLAN, STARS = "week=7d:75", 75


def order_of(person: int) -> str:
    """The payload of the invoice that somebody got before the start."""
    return f"order-{person}"


def people(pairs: int, bots: list[int]) -> list[tuple[int, int]]:
    """All people and their bots. Partners are neighbours, on different bots."""
    return [(FIRST_PERSON + number, bots[number % len(bots)]) for number in range(2 * pairs)]


class Load:
    def __init__(self, everybody: list[tuple[int, int]]) -> None:
        self.everybody = everybody
        self.delivered = 0
        self.notices = 0
        self._found = set[int]()
        self._found_twice = 0
        self._searched_at = self._found_at = 0.0
        self._due: dict[int, float] = {}
        self._latencies: list[float] = []
        self._number = 0
        self._closed = False
        self._opened: asyncio.Task[None] | None = None
        self._buying: asyncio.Task[None] | None = None
        self.asked: dict[int, float] = {}
        self._answered: list[float] = []
        self._refused = 0
        self._query = 0
        self._rng = Random(1)

    def write(self, person: int, bot: int, words: str) -> None:
        raise NotImplementedError

    def ask(self, person: int, bot: int, query: int) -> None:
        raise NotImplementedError

    def hook(self, url: str, endpoints: str) -> None:
        raise NotImplementedError

    def polled(self) -> dict[str, float]:
        raise NotImplementedError

    def arrived(self, person: int, words: str) -> None:
        found = _MARK.search(words)
        if found is None:
            self.notices += 1
            if FOUND in words:
                self._found_twice += person in self._found
                self._found.add(person)
                self._found_at = perf_counter()
            return
        due = self._due.pop(int(found[1].translate(_READ)), None)
        if due is None:
            return
        self.delivered += 1
        self._latencies.append(perf_counter() - due)
        if self._closed:
            # The recipient's partner wrote this message, and writes again.
            self._say((person - FIRST_PERSON) ^ 1, perf_counter())

    def _say(self, index: int, due: float) -> None:
        self._number += 1
        self._due[self._number] = due
        person, bot = self.everybody[index]
        self.write(person, bot, f"~{str(self._number).translate(_SPELL)}~ {WORDS}")

    def closed(self, in_flight: int) -> None:
        self._closed = True
        for index in range(min(in_flight, len(self.everybody))):
            self._say(index, perf_counter())

    def open(self, rate_per_s: float) -> None:
        self._opened = asyncio.get_running_loop().create_task(self._keep_rate(rate_per_s))

    def search(self, rate_per_s: float) -> None:
        self._opened = asyncio.get_running_loop().create_task(self._search(rate_per_s))

    async def _search(self, rate_per_s: float) -> None:
        began = self._searched_at = perf_counter()
        for number, (person, bot) in enumerate(self.everybody):
            while rate_per_s and (early_s := began + number / rate_per_s - perf_counter()) > 0:
                await asyncio.sleep(max(TICK_S, early_s))
            self.write(person, bot, "/search")

    def buy(self, rate_per_s: float) -> None:
        if self._buying is not None:
            self._buying.cancel()
            self._buying = None
        if rate_per_s:
            self._buying = asyncio.get_running_loop().create_task(self._buy(rate_per_s))

    async def _buy(self, rate_per_s: float) -> None:
        due = perf_counter()
        while True:
            due += self._rng.expovariate(rate_per_s)
            while (early_s := due - perf_counter()) > 0:
                await asyncio.sleep(max(TICK_S, early_s))
            self._query += 1
            self.asked[self._query] = due
            self.ask(*self.everybody[self._query % len(self.everybody)], self._query)

    def answered(self, query: int, is_approved: bool) -> None:
        due = self.asked.pop(query, None)
        if due is not None:
            self._answered.append(perf_counter() - due)
            self._refused += not is_approved

    def bought(self) -> dict[str, float]:
        found = _percentiles(self._answered) | {"waiting": len(self.asked), "refused": self._refused}
        self._answered.clear()
        self._refused = 0
        return found

    async def _keep_rate(self, rate_per_s: float) -> None:
        due, index = perf_counter(), 0
        while True:
            due += self._rng.expovariate(rate_per_s)
            while (early_s := due - perf_counter()) > 0:
                await asyncio.sleep(max(TICK_S, early_s))
            self._say(index % len(self.everybody), due)
            index += 1

    def count(self) -> dict[str, float]:
        return {
            "delivered": self.delivered,
            "notices": self.notices,
            "found": len(self._found),
            "found_twice": self._found_twice,
            "found_in_s": self._found_at - self._searched_at,
        }

    def pause(self) -> None:
        self._closed = False
        if self._opened is not None:
            self._opened.cancel()
            self._opened = None

    def reset(self) -> None:
        self._latencies.clear()

    def latency(self) -> dict[str, float]:
        found = _percentiles(self._latencies)
        return found | {"waiting": len(self._due)} if found["n"] else found


def _percentiles(latencies: list[float]) -> dict[str, float]:
    ordered = sorted(latencies)
    n = len(ordered)
    if not n:
        return {"n": 0}
    cuts = {"p50_ms": n // 2, "p99_ms": n * 99 // 100, "p999_ms": n * 999 // 1000, "max_ms": n - 1}
    return {"n": n} | {name: ordered[min(n - 1, index)] * 1e3 for name, index in cuts.items()}


async def _canned(
    load: Load, bots: list[int], delay_s: tuple[float, float], certificate: tuple[str, str] | None
) -> str:
    def delivered(person: int, body: bytes) -> None:
        load.arrived(person, body.decode())

    server = Canned(bots, delivered, delay_s)

    def write(person: int, bot: int, words: str) -> None:
        server.bots[bot].say(person, words, int(time()))

    def hook(url: str, endpoints: str) -> None:
        for endpoint in endpoints.split(","):
            bot, path, secret = endpoint.split(":")
            server.bots[int(bot)].hook = Hook(url, path, secret)

    def polled() -> dict[str, float]:
        first = server.bots[bots[0]]
        at, first.polled_at = first.polled_at, None
        return {"at": at or 0.0}

    def ask(person: int, bot: int, query: int) -> None:
        server.bots[bot].ask(person, query, STARS, order_of(person))

    server.answered = load.answered
    load.write = write  # type: ignore[method-assign]
    load.ask = ask  # type: ignore[method-assign]
    load.polled = polled  # type: ignore[method-assign]
    load.hook = hook  # type: ignore[method-assign]
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
    return f"http{'s' if context else ''}://127.0.0.1:{await server.listen(context)}"


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
            case "hooks":
                load.hook(*argument.split(" "))
            case "pause":
                load.pause()
            case "reset":
                load.reset()
            case "buy":
                load.buy(float(argument))
            case "bought":
                answer = load.bought()
            case "search":
                load.search(float(argument))
            case "count":
                answer = load.count()
            case "polled":
                answer = load.polled()
            case "latency":
                answer = load.latency()
        print(json.dumps(answer), flush=True)


async def _main(options: argparse.Namespace) -> None:
    if options.kind == "canned":
        bots = [1_000_001 + number for number in range(options.bots)]
        load = Load(people(options.pairs, bots))
        low, high = (float(each) / 1000 for each in options.delay_ms.split("-"))
        certificate = (options.certificate, options.key) if options.certificate else None
        url = await _canned(load, bots, (low, high), certificate)
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
            # Later, because writing now would happen inside the request that is being served.
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
    parser.add_argument("--certificate", help="with --key: TLS")
    parser.add_argument("--key")
    given = parser.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    uvloop.run(_main(given))
