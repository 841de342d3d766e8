"""Measures what reading an update costs, compared with others: from a getUpdates answer to what a bot works with.

    python -m benchmarks.decode [--short]

*Events* are what the product decides on. *Structs* are the half of that which msgspec does. Dictionaries from JSON are
not enough to work with yet. aiogram and python-telegram-bot read with their own functions, as they do when they poll.
Libraries that are not installed (orjson) are left out. The figures are CPU of this process, as the median of several
rounds in turn. `benchmarks.updates` gives the mix of updates, in answers of one update and of a hundred.
"""

import argparse
import importlib.util
import json
import os
import time
from collections.abc import Callable
from random import Random
from statistics import median
from typing import Any

import msgspec

from benchmarks.updates import answers
from passerby.adapters.botapi.decode import arrivals
from passerby.adapters.botapi.updates_answer import read_updates
from passerby.kernel.ids import BotId

BOT = BotId(1_000_001)
TOKEN = f"{BOT}:sandbox-{'x' * 26}1"
ROUNDS = 7

Reader = Callable[[bytes], Any]
"""A function from an answer to something whose length is the number of updates."""


def _aiogram() -> Reader:
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.methods import GetUpdates

    session = AiohttpSession()
    bot, method = Bot(TOKEN, session=session), GetUpdates()

    def read(body: bytes) -> Any:
        return session.check_response(bot, method, 200, body.decode()).result

    return read


def _python_telegram_bot() -> Reader:
    from telegram import Bot, Update
    from telegram.request import BaseRequest

    bot = Bot(TOKEN)

    def read(body: bytes) -> Any:
        return Update.de_list(BaseRequest.parse_json_payload(body)["result"], bot)

    return read


def readers() -> dict[str, Reader]:
    """By name. Ours comes first."""
    plain = msgspec.json.Decoder()
    found: dict[str, Reader] = {
        "passerby: events": lambda body: arrivals(body, BOT),
        "passerby: structs": read_updates,
        "msgspec: dictionaries": lambda body: plain.decode(body)["result"],
        "json: dictionaries": lambda body: json.loads(body)["result"],
    }
    if importlib.util.find_spec("orjson"):
        orjson: Any = importlib.import_module("orjson")
        found["orjson: dictionaries"] = lambda body: orjson.loads(body)["result"]
    if importlib.util.find_spec("aiogram"):
        found["aiogram: objects"] = _aiogram()
    if importlib.util.find_spec("telegram"):
        found["python-telegram-bot: objects"] = _python_telegram_bot()
    return found


def measure(bodies: list[bytes], size: int, rounds: int) -> dict[str, float]:
    """CPU µs for each update, by reader."""
    took: dict[str, list[float]] = {}
    candidates = readers()
    for name, read in candidates.items():
        for body in bodies:
            assert len(read(body)) == size, f"{name} has lost an update"
    for _ in range(rounds):
        for name, read in candidates.items():
            began = time.process_time()
            for body in bodies:
                read(body)
            took.setdefault(name, []).append((time.process_time() - began) / (len(bodies) * size) * 1e6)
    return {name: median(each) for name, each in took.items()}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decode", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    many, rounds = (1_000, 3) if options.short else (10_000, ROUNDS)
    sizes = (1, 100)
    bodies = {size: answers(many // size, size, Random(1)) for size in sizes}
    costs = {size: measure(bodies[size], size, rounds) for size in sizes}
    ours = next(iter(costs[sizes[0]]))
    length = sum(map(len, bodies[100])) / many
    print(f"decode, µs of CPU an update, of {length:.0f} bytes each")
    print(f"{'':<30}{'one at a time':>15}{'times ours':>12}{'a hundred':>15}{'times ours':>12}")
    for name in costs[1]:
        figures = ((costs[size][name], costs[size][name] / costs[size][ours]) for size in sizes)
        print(f"{name:<30}" + "".join(f"{cost:>15.1f}{times:>12.1f}" for cost, times in figures))
    result = {"bytes": length, "cpu_us": {str(size): costs[size] for size in sizes}}
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    main()
