"""Measures the memory of the product: at the peak of 15,000 daily users, and of one worker with 20,000 open chats.

    python -m benchmarks.memory                 both, embedded
    python -m benchmarks.memory --redis         both, over Redis and PostgreSQL, whose memory counts as well
    python -m benchmarks.memory --steady        only 20,000 chats, with 100 messages a second for ten minutes
    python -m benchmarks.memory --short         the peak, for a few seconds; and 2,000 chats

*Peak*: 900 chats, 100 relays a second for five minutes (33 messages in each chat, so that the message map is full),
four bots, with the default budgets. *Many*: 20,000 chats on four bots, then one message from each person. The
budgets are raised out of the way, because telling everybody about their chat would take too long.

At the start everybody is known (their profile is put into the live store through its port), and in no chat. The
chats are opened through the product: everybody asks for a partner, is paired, and is told. *Before* means that all
are idle.

The figures are PSS, summed over the processes (see `benchmarks.processes`). They are the largest values seen in
checks once a second.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from benchmarks.processes import NONE, Memory, memory
from benchmarks.sides import Shape, Sides, sides

PEAK_CHATS = 900
PEAK_PER_S = 100
MANY_CHATS = 20_000
STEADY_S = 600.0
SEARCHES_PER_S = {True: 60.0, False: 800.0}
"""By whether budgets are as shipped: four bots then tell 120 people a second, and two things are told to each."""
PATIENCE_S = 900.0
SETTLE_S = 3.0
SAMPLE_S = 1.0

Seen = dict[str, Memory]


def look(found: Sides) -> Seen:
    workers = NONE
    for worker in found.workers:
        workers += memory(worker.pid)
    return {"product": workers} | {name: memory(pid) for name, pid in found.stores.items()}


class Watch:
    """The largest value of each process, and of all processes together at one moment."""

    def __init__(self, found: Sides) -> None:
        self._found = found
        self.most: Seen = {}
        self.total = NONE

    def look(self) -> None:
        seen = look(self._found)
        total = sum(seen.values(), NONE)
        if total.pss_mb > self.total.pss_mb:
            self.total, self.most = total, seen

    def until(self, over: Callable[[], bool], patience_s: float) -> None:
        give_up_at = time.monotonic() + patience_s
        while not over():
            assert time.monotonic() < give_up_at, "it takes too long"
            self.look()
            time.sleep(SAMPLE_S)
        self.look()


def hold(shape: Shape, *, rate_per_s: float, seconds: float) -> dict[str, Any]:
    """Open the chats, let people write in them, and watch."""
    with sides(shape) as found:
        time.sleep(SETTLE_S)
        before = look(found)
        watch, began = Watch(found), time.monotonic()
        found.load_peer.ask(f"search {SEARCHES_PER_S[shape.shipped]}")
        watch.until(lambda: found.load_peer.ask("count")["found"] == 2 * shape.pairs, PATIENCE_S)
        opened_in_s = time.monotonic() - began
        found.load_peer.ask("pause")
        time.sleep(SETTLE_S)
        opened = look(found)
        count, until = found.load_peer.ask("count")["delivered"], time.monotonic() + seconds
        found.load_peer.ask(f"open {rate_per_s}")
        watch.until(lambda: time.monotonic() > until, seconds + PATIENCE_S)
        relays = found.load_peer.ask("count")["delivered"] - count
        assert relays > 0, "nothing was relayed"
        after = look(found)
    return {
        "chats": shape.pairs,
        "rate_per_s": rate_per_s,
        "relays": relays,
        "opened_in_s": opened_in_s,
        "peak": watch.total._asdict(),
        "processes": [
            {
                "of": name,
                "before_pss_mb": before[name].pss_mb,
                "opened_pss_mb": opened[name].pss_mb,
                "after_pss_mb": after[name].pss_mb,
                "peak_pss_mb": watch.most[name].pss_mb,
                "peak_rss_mb": watch.most[name].rss_mb,
                "bytes_a_chat": (opened[name].pss_mb - before[name].pss_mb) / shape.pairs * 1e6,
                "bytes_a_relay": (after[name].pss_mb - opened[name].pss_mb) / relays * 1e6,
            }
            for name in before
        ],
    }


def show(found: dict[str, Any]) -> None:
    print(
        f"\n{found['chats']:,} chats, opened in {found['opened_in_s']:.0f} s, then {found['rate_per_s']:g} messages a "
        f"second, {found['relays']:,} in all"
    )
    print(
        f"{'PSS, MB':<10}{'before':>10}{'opened':>10}{'after':>10}{'peak':>10}{'RSS':>10}{'bytes a chat':>14}"
        f"{'a message':>12}"
    )
    for row in found["processes"]:
        names = ("before_pss_mb", "opened_pss_mb", "after_pss_mb", "peak_pss_mb", "peak_rss_mb")
        figures = "".join(f"{row[name]:>10.1f}" for name in names)
        print(f"{row['of']:<10}{figures}{row['bytes_a_chat']:>14,.0f}{row['bytes_a_relay']:>12,.0f}")
    print(f"all together at most {found['peak']['pss_mb']:.1f} MB PSS")


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--steady", action="store_true")
    parser.add_argument("--chats", type=int, help="in place of 20,000")
    options = parser.parse_args(arguments)
    many = options.chats or (2_000 if options.short else MANY_CHATS)
    if many < 1:
        parser.error("--chats: at least one")
    print(f"memory, {Shape(redis=options.redis).name}")
    if options.steady:
        seconds = 10.0 if options.short else STEADY_S
        many_of = hold(Shape(pairs=many, redis=options.redis, idle=True), rate_per_s=PEAK_PER_S, seconds=seconds)
        show(many_of)
        print(json.dumps(found := {"redis": options.redis, "many": many_of}))
        return found
    peak = hold(
        Shape(pairs=PEAK_CHATS, redis=options.redis, idle=True, shipped=True),
        rate_per_s=PEAK_PER_S,
        seconds=5 if options.short else 300,
    )
    show(peak)
    rate_per_s = 500
    crowd = hold(
        Shape(pairs=many, redis=options.redis, idle=True), rate_per_s=rate_per_s, seconds=2 * many / rate_per_s
    )
    show(crowd)
    result = {"redis": options.redis, "peak": peak, "many": crowd}
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
