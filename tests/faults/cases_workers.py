"""Faults of workers: killed, paused, stopped, doubled; and faults of the machine that they run on."""

import asyncio
import json
import os
from signal import SIGKILL
from time import time

from pyreqwest.client import ClientBuilder

from passerby.ops.cluster.control import Cluster
from tests.faults import child
from tests.faults.stage import START_S, Case, Stage, worker_names

POINTS = ("fetched", "committed", "confirming", "sent")
LEAST_ALBUMS = 2
IN_HAND = 5
"""Messages under way for each person, on average, when a worker is paused. A quarter of them belong to that worker."""


async def kills(stage: Stage) -> None:
    """Kill one worker after another. Each is started again at once, as a process manager would do."""
    number = 3 if stage.quick else 25
    in_hand: list[int] = []
    for _ in range(number):
        await asyncio.sleep(stage.rng.uniform(0.2, 3.5))
        victim = stage.rng.choice(stage.fleet.names)
        stage.kill(victim)
        stage.fleet.start(victim)
        await asyncio.sleep(1)  # by now the others have confirmed their own updates
        await stage.crowd.follow()
        in_hand.append(stage.crowd.journal.in_hand)
        await stage.until_working()
    stage.evidence |= {
        "kills": number,
        "updates in hand a second after a kill": f"{min(in_hand)} to {max(in_hand)}",
    }
    assert any(in_hand), "no kill found work in hand"


async def web_kills(stage: Stage) -> None:
    """Kill processes that receive webhooks. Each is started again at once. People send albums, which come item by
    item."""
    number = 3 if stage.quick else 25
    in_hand: list[int] = []
    for _ in range(number):
        await asyncio.sleep(stage.rng.uniform(0.2, 3.5))
        victim = stage.rng.choice([name for name in stage.fleet.names if name.startswith("web-")])
        stage.kill(victim)
        await stage.crowd.follow()
        in_hand.append(stage.crowd.journal.in_hand)
        stage.fleet.start(victim)
        await stage.until_working()
    async with asyncio.timeout(START_S):
        while (await stage.crowd.albums())[0] < LEAST_ALBUMS:
            await asyncio.sleep(1)
    albums, apart = await stage.crowd.albums()
    stage.evidence |= {
        "kills": number,
        "updates in hand at a kill": f"{min(in_hand)} to {max(in_hand)}",
        "albums": albums,
        "of them in pieces": apart,
    }
    assert any(in_hand), "no kill found work in hand"


async def cluster(stage: Stage) -> None:
    await _start_cluster(stage)
    stage.closing.push_async_callback(stage.fleet.run, "stop")


async def _start_cluster(stage: Stage) -> None:
    """On a busy machine, the command waits too short a time for the workers. They start all the same."""
    try:
        await stage.fleet.run("cluster", "--workers", "4")
    except AssertionError as failed:
        if "not ready within" not in str(failed):
            raise


async def supervisor_kills(stage: Stage) -> None:
    """Kill the workers' supervisor. The workers continue, and `passerby cluster` replaces them gracefully."""
    number, sent = (1 if stage.quick else 5), 0
    for _ in range(number):
        await asyncio.sleep(stage.rng.uniform(0.2, 3.5))
        pid = Cluster(stage.directory / "run").pid()
        assert pid is not None, "there is no supervisor"
        os.kill(pid, SIGKILL)
        began = time()
        await asyncio.sleep(3)
        await stage.until_working()
        sent += sum(made for at, _, made in stage.crowd.journal.requests if at > began)
        await _start_cluster(stage)
        await stage.until_working()
    stage.evidence |= {"kills": number, "messages sent without a supervisor": sent}


async def points(stage: Stage) -> None:
    """A worker kills itself at each of the points. Then a normal worker takes its name."""
    reached: list[str] = []
    for point in POINTS if stage.quick else POINTS * 4:
        await asyncio.sleep(stage.rng.uniform(0.2, 1.0))
        victim = stage.rng.choice(stage.fleet.names)
        assert await stage.fleet.stop(victim) == 0
        stage.fleet.start(victim, child.command(f"die:{point}:{stage.rng.randint(1, 12)}"))
        code = await stage.fleet.ended(victim, 180)
        assert code == -SIGKILL, f"{point}: exit code {code}"
        stage.ended()
        reached.append(point)
        ready = stage.fleet.log(victim).read_text().count('"runtime.ready"')
        stage.fleet.start(victim)
        await stage.until_working()
        async with asyncio.timeout(START_S):  # before that, SIGTERM would end it with another exit code
            while stage.fleet.log(victim).read_text().count('"runtime.ready"') == ready:
                await asyncio.sleep(0.1)
    stage.evidence["points"] = reached


async def sleep(stage: Stage) -> None:
    """Send SIGSTOP for longer than the lease, then SIGCONT. People write faster than the bots may send, so much is in
    hand."""
    for _ in range(1 if stage.quick else 5):
        victim = stage.rng.choice(stage.fleet.names)
        await stage.until_behind(IN_HAND * len(stage.crowd.people))
        async with stage.fault():
            stage.fleet.pause(victim)
            stage.kills.append(time())
            await asyncio.sleep(12)
            stage.fleet.resume(victim)
            await asyncio.sleep(2)
        await stage.until_working()


async def pause(stage: Stage) -> None:
    """A worker that wakes up must harm nobody with its outdated state."""
    await sleep(stage)
    lapsed = stage.fleet.words().count('"fleet.lapsed"')
    stage.evidence["incarnations that were abandoned"] = lapsed
    assert lapsed, "no worker noticed that it had been away"


async def pollers(stage: Stage) -> None:
    """Another client polls the same bots without waiting, so that Telegram gives updates to both."""
    served = 0

    async def poll(token: str) -> None:
        nonlocal served
        while True:
            request = http.post(f"{stage.sandbox.url}/bot{token}/getUpdates").query({"timeout": "0"})
            answer = json.loads(await (await request.build().send()).text())
            served += len(answer.get("result", ()))
            await asyncio.sleep(0.1)

    async with ClientBuilder().no_proxy().build() as http, asyncio.TaskGroup() as group:
        polling = [group.create_task(poll(token)) for token in stage.tokens]
        await asyncio.sleep(10 if stage.quick else 60)
        for task in polling:
            task.cancel()
    stage.evidence["updates that the other was served"] = served
    assert served, "the other poller was served nothing"


async def reload(stage: Stage) -> None:
    """Each worker in turn gets SIGTERM and is replaced by a new one. There may not even be duplicates."""
    for _ in range(1 if stage.quick else 3):
        for name in worker_names(4):
            code = await stage.fleet.stop(name)
            assert code == 0, f"SIGTERM: exit code {code}: {stage.fleet.log(name).read_text()[-1000:]}"
            stage.fleet.start(name)
            await stage.until_working()
    stage.evidence["workers replaced"] = 4 if stage.quick else 12


async def clocks(stage: Stage) -> None:
    """Set the wall clock of half the workers: an hour ahead, ten minutes back, right again."""
    file = stage.directory / "clock"
    file.write_text("0")
    for name in stage.fleet.names[:2]:
        assert await stage.fleet.stop(name) == 0
        stage.fleet.start(name, child.command(f"clock:{file}"))
    await stage.until_working()
    for off_s in (3600, -600, 0):
        file.write_text(str(off_s))
        await asyncio.sleep(4 if stage.quick else 15)
        await stage.until_working()
    lapsed = stage.fleet.words().count('"fleet.lapsed"')
    stage.evidence |= {"offsets, s": [3600, -600, 0], "incarnations that were abandoned": lapsed}
    assert not lapsed, "a lease was lost because somebody set a clock"


TWO_YEARS_S = 2 * 365.25 * 86_400
OFFSETS_S = (-TWO_YEARS_S, 0.0, TWO_YEARS_S)


async def clocks_far(stage: Stage) -> None:
    """Each worker's wall clock is right or two years off, and is set again and again. In every other round a worker is
    killed."""

    def set_clock(name: str) -> None:
        (stage.directory / f"clock-{name}").write_text(str(stage.rng.choice(OFFSETS_S)))

    def start(name: str) -> None:
        stage.fleet.start(name, child.command(f"clock:{stage.directory / f'clock-{name}'}"))

    names = list(stage.fleet.names)
    for name in names:
        set_clock(name)
        assert await stage.fleet.stop(name) == 0
        start(name)
    await stage.until_working()
    rounds = stage.times or (4 if stage.quick else 16)
    for number in range(rounds):
        async with stage.fault():
            set_clock(stage.rng.choice(names))
            await asyncio.sleep(stage.rng.uniform(1.0, 3.0))
        if number % 2:
            victim = stage.rng.choice(names)
            stage.kill(victim)
            start(victim)
        await stage.until_working()
    stage.evidence |= {"times that a clock was set": len(names) + rounds, "kills": rounds // 2}


async def doubled(stage: Stage) -> None:
    """All workers fetch some updates twice, and in a different order."""
    for number, name in enumerate(worker_names(4)):
        assert await stage.fleet.stop(name) == 0
        stage.fleet.start(name, child.command(f"doubled:{number}"))
        await stage.until_working()
    await asyncio.sleep(8 if stage.quick else 60)
    stage.evidence["fetched twice"] = "a fifth, and some once more later"


CASES = (
    Case("kills", "kill -9 of a worker", "at random moments, started again at once", kills, takes_over=True),
    Case(
        "web-kills",
        "kill -9 of a webhook process",
        "one of three, at random moments; people send albums",
        web_kills,
        workers=2,
        webs=3,
        albums=True,
        takes_over=True,
    ),
    Case(
        "supervisor-kills",
        "kill -9 of a cluster's supervisor",
        "the workers go on; passerby cluster replaces them; nothing may even be doubled",
        supervisor_kills,
        workers=0,
        prepare=cluster,
    ),
    Case("points", "kill -9 at named points", "fetched, committed, confirming, sent", points, takes_over=True),
    Case(
        "pause",
        "a lease holder asleep",
        "SIGSTOP for 12 s, then SIGCONT",
        pause,
        takes_over=True,
        pause_s=0.6,
        leaves=False,
    ),
    Case("pollers", "two pollers, both served", "another getUpdates for every bot, ten times a second", pollers),
    Case("reload", "a rolling reload under load", "SIGTERM to one after another", reload),
    Case("clocks", "clock jumps", "two of four workers an hour ahead, then ten minutes behind", clocks),
    Case(
        "clocks-far-fleet",
        "workers whose clocks are years apart",
        "each right or two years off, set again; kills",
        clocks_far,
        loses=True,
    ),
    Case("doubled", "doubled and reordered updates", "20 % twice, up to 50 of different people shuffled", doubled),
)
