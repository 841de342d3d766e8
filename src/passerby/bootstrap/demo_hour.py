"""The invented hour of the demo, minute by minute, as its chats in the records say."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

import msgspec

from passerby.panel.pages.now import MINUTE
from passerby.panel.samples import Sample
from passerby.telemetry.figures import LATENCY_S, Snapshot

MINUTES: Final = 90
QUIET_S: Final = 420.0
"""Nobody who is invented does anything in these last seconds. It is longer than the panel calls somebody online."""
WORKER: Final = "invented"
_HELD_AGO: Final = range(38, 42)


def hour(rng: Random, now: float, bots: Sequence[int], past: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A sample for each of the last minutes, as of one worker. `past`: rows of `past_chats`."""
    minute = int(now // 60)
    lately = [each for each in past if each["opened_min"] >= minute - MINUTES - 600]
    rows = []
    relays, latency = 0, [0] * (len(LATENCY_S) + 1)
    waits, waited = 0, 0.0
    for ago in range(MINUTES, 0, -1):
        at = (minute - ago) * 60.0
        opened = sum(each["opened_min"] == minute - ago - 1 for each in lately)
        running = sum(each["opened_min"] * 60 <= at < each["opened_min"] * 60 + each["lasted_s"] for each in lately)
        for _ in range(running * rng.randint(4, 7)):
            relays += 1
            slow = rng.lognormvariate(-3.1, 0.7)
            latency[next((place for place, top in enumerate(LATENCY_S) if slow <= top), len(LATENCY_S))] += 1
        waits, waited = waits + 2 * opened, waited + opened * rng.uniform(8, 22)
        states = {str(bot): "o" for bot in bots}
        if ago in _HELD_AGO:
            states[str(bots[-1])] = "h" if ago > min(_HELD_AGO) + 1 else "-"
        counts = Snapshot(at=at, relays=relays, waits=waits, waited_s=waited, pairs=waits // 2, latency=tuple(latency))
        made = Sample(
            at,
            waiting=rng.randint(1, 3) * opened,
            chats=running,
            outbox=int(rng.expovariate(1)) if running else 0,
            bots=states,
            workers={WORKER: counts},
        )
        body = msgspec.json.encode(made).decode()
        rows.append({"kind": MINUTE, "number": minute - ago, "body": body, "at": at})
    return rows
