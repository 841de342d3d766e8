"""Faults of workers: killed, paused, stopped, doubled."""

import asyncio
from time import time

from tests.faults.stage import Case, Stage


async def kills(stage: Stage) -> None:
    """One worker after another; each is started again at once, as a process manager would."""
    number = 4 if stage.quick else 25
    in_hand: list[int] = []
    for _ in range(number):
        await asyncio.sleep(stage.rng.uniform(0.2, 3.5))
        victim = stage.rng.choice(stage.fleet.names)
        stage.kill(victim)
        stage.fleet.start(victim)
        await asyncio.sleep(1)  # by then the others have confirmed what was theirs
        await stage.company.follow()
        in_hand.append(stage.company.journal.in_hand)
        await stage.until_working()
    stage.evidence |= {"kills": number, "updates in hand a second after a kill": f"{min(in_hand)} to {max(in_hand)}"}
    assert any(in_hand), "no kill found work in hand"


async def pause(stage: Stage) -> None:
    """SIGSTOP beyond the lease, then SIGCONT: what the sleeper still believes must harm nobody."""
    for _ in range(1 if stage.quick else 5):
        victim = stage.rng.choice(stage.fleet.names)
        async with stage.fault():
            stage.fleet.pause(victim)
            stage.kills.append(time())
            await asyncio.sleep(12)
            stage.fleet.resume(victim)
            await asyncio.sleep(2)
        await stage.until_working()
    lapsed = stage.fleet.words().count('"fleet.lapsed"')
    stage.evidence["lives that were abandoned"] = lapsed
    assert lapsed, "nobody noticed that they had been away"


CASES = (
    Case(
        "kills", "kill -9 of a worker", "at random moments, started again at once", kills, takes_over=True, quick=True
    ),
    Case("pause", "a lease holder asleep", "SIGSTOP for 12 s, then SIGCONT", pause, takes_over=True, quick=True),
)
