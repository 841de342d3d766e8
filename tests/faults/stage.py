"""The stage for a case: the sandbox, Redis and PostgreSQL, each behind a proxy, and workers that use them. A case of
one process that stores everything itself has no servers.

A `Case` says who takes part and which fault happens while people chat. `play` does the rest and returns a `Report`. A
case must prove that its fault happened: it writes its observations to `Stage.evidence`, and fails with AssertionError
if the fault did not happen.
"""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import time
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from redis import Redis

from simulated_people.verdict import Fault, Verdict
from tests.contract.live_cluster import Cluster, start_cluster
from tests.contract.servers import Postgres, Valkey, start_postgres, start_valkey
from tests.faults.crowd import Crowd
from tests.faults.fleet import Fleet
from tests.faults.proxy import Proxy, to_port, to_socket
from tests.faults.sandbox import Sandbox, a_sandbox
from tests.faults.stores import both_stores, shared_stores

START_S = 180.0
WARM_S = 2.0
ANSWERED_S = 0.5
"""How long after a kill the sandbox may still deliver answers to the killed process."""
PERSISTENT = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
SLOW = tuple({"kind": "slow", "delay_s": 0.15, "probability": 0.6, "method": method} for method in ("send*", "copy*"))


@dataclass(slots=True)
class Stage:
    """Everything that a case can use."""

    sandbox: Sandbox
    fleet: Fleet
    crowd: Crowd
    rng: Random
    quick: bool
    directory: Path
    tokens: Sequence[str]
    closing: AsyncExitStack
    """Holds resources that last as long as the case."""
    times: int | None = None
    """How often a case repeats its fault. None: the case decides."""
    timed: bool = True
    """Whether the case may fail because something took too long. A busy machine says nothing about that."""
    valkey: Valkey = field(init=False)
    """An embedded case has neither this nor the next three."""
    postgres: Postgres = field(init=False)
    redis: Proxy = field(init=False)
    sql: Proxy = field(init=False)
    replicas: list[Valkey] = field(default_factory=list)
    cluster: Cluster | None = None
    faults: list[Fault] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    """When a process ended that must be replaced. Takeover times count from here."""
    evidence: dict[str, object] = field(default_factory=dict)

    @asynccontextmanager
    async def fault(self) -> AsyncIterator[None]:
        """Inside the block, and for a moment after it, irregularities count as caused by the case."""
        began = time()
        at = len(self.faults)
        self.faults.append(Fault(began, float("inf")))
        try:
            yield
        finally:
            self.faults[at] = Fault(began, time())

    def kill(self, name: str) -> None:
        """Kill a worker, with work in hand or not."""
        self.fleet.kill(name)
        self.ended()

    def ended(self) -> None:
        """Note that a worker has just ended by itself."""
        self.kills.append(time())
        self.faults.append(Fault(self.kills[-1], self.kills[-1]))

    async def until_behind(self, messages: int) -> None:
        """Wait until this many messages are under way, if people write faster than the bots may send."""
        async with asyncio.timeout(START_S):
            while self.crowd.behind < messages:
                self.fleet.check()
                await asyncio.sleep(0.2)

    async def until_working(self) -> None:
        """Wait until every bot has been given updates again, and something has been sent."""
        since = time()
        journal = self.crowd.journal
        bots = {person.bot for person in self.crowd.people}
        async with asyncio.timeout(START_S):
            while True:
                await self.crowd.follow()
                served = all(journal.handed_out[bot] and journal.handed_out[bot][-1] > since for bot in bots)
                if served and journal.requests and journal.requests[-1][0] > since:
                    return
                self.fleet.check()
                await asyncio.sleep(0.2)


@dataclass(frozen=True, slots=True)
class Case:
    """`disturb` causes the fault. `how` describes it in a few words. `environment` holds extra settings for every
    worker."""

    name: str
    fault: str
    how: str
    disturb: Callable[[Stage], Awaitable[None]]
    workers: int = 4
    people: int = 24
    bots: int = 4
    slow: bool = True
    pause_s: float | None = None
    """The mean time between two actions of one person."""
    leaves: bool = True
    """Whether people end chats now and then."""
    albums: bool = False
    """Whether people also send albums."""
    sisters: bool = False
    """Whether most people know a second bot of the fleet."""
    webs: int = 0
    """How many processes receive webhooks. 0: workers poll."""
    forgets_s: float | None = None
    """People who were told of a new state shortly before a fault (this many seconds), or during it, may have another
    state afterwards."""
    undoes: bool = False
    """Whether a part of the past is undone, and nobody can know it: commands and ends of chats of people who moved in
    that time (`forgets_s`) may be unanswered until they write again."""
    takes_over: bool = False
    """Whether takeovers must happen within ten seconds."""
    timed: bool = True
    """Whether its own bounds of time and memory count."""
    quiet_s: float = 240.0
    valkey: Sequence[str] = PERSISTENT
    postgres: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Stage], Awaitable[None]] | None = None
    """Runs before the workers start."""
    command: Sequence[str] | None = None
    poisonous: bool = False
    """Whether the case expects updates to be put aside. In all other cases none may be, even after kills."""
    embedded: bool = False
    """One process that stores everything itself: no Redis, no PostgreSQL."""
    cluster: int = 0
    """The number of nodes of a Redis cluster, which workers contact directly. 0: one Redis behind a proxy."""
    loses: bool = False
    """Whether stores lose data. Then both stores are compared at the end, person by person."""


TAKEOVER_S = 10.0


@dataclass(slots=True)
class Report:
    """The outcome of one case."""

    case: str
    seed: int
    verdict: Verdict
    faults: int
    takeovers_s: list[float]
    quiet_s: float
    took_s: float
    disagreements: list[str]
    evidence: dict[str, object]
    bounded: bool
    apart: list[str]
    """People who differ between the two stores at the end."""
    put_aside: int = 0
    """Harmless updates that were put aside."""

    @property
    def wrong(self) -> dict[str, object]:
        """Return all figures that should be zero and are not."""
        found: dict[str, object] = {name: count for name, count in self.verdict.faults.items() if count}
        if self.disagreements:
            found["told otherwise"] = len(self.disagreements)
        if self.apart:
            found["people who differ between the stores"] = len(self.apart)
        if self.put_aside:
            found["updates put aside"] = self.put_aside
        if self.bounded and max(self.takeovers_s, default=0.0) > TAKEOVER_S:
            found["takeover beyond ten seconds"] = round(max(self.takeovers_s), 1)
        return found


def port_of(server: Valkey) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


@contextmanager
def webhook_settings() -> Iterator[dict[str, str]]:
    """Yield the settings for webhooks, at a port that several processes may share."""
    with socket.socket() as reserved:
        # Bound but not listening: this keeps the port free for the processes that share it, and gets no connection
        # itself.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{reserved.getsockname()[1]}"
        yield {"UPDATE_MODE": "webhook", "WEBHOOK_URL": f"http://{place}/telegram", "WEBHOOK_LISTEN": place}


def worker_names(number: int) -> list[str]:
    return [f"worker-{each}" for each in range(1, number + 1)]


async def _keep(stage: Stage, *, is_embedded: bool) -> None:
    """Save data for finding the cause: the phones, the journal, and the contents of Redis."""
    directory, sandbox = stage.directory, stage.sandbox
    phones = {person.id: await person.phone() for person in stage.crowd.people}
    (directory / "phones.json").write_text(json.dumps(phones, ensure_ascii=False))
    (directory / "journal.json").write_text(json.dumps(await sandbox.journal(), ensure_ascii=False))
    (directory / "faults.json").write_text(json.dumps(stage.faults))
    if is_embedded:
        return
    url = stage.cluster.owner.url if stage.cluster is not None else f"redis://127.0.0.1:{stage.redis.port}"
    with Redis.from_url(url) as redis:
        held = {
            key.decode(): await asyncio.to_thread(_held, redis, key) for key in await asyncio.to_thread(redis.keys, "*")
        }
    (directory / "redis.txt").write_text("\n".join(f"{key}: {held[key]}" for key in sorted(held)))


def _held(redis: Any, key: bytes) -> str:
    match redis.type(key):
        case b"hash":
            return repr(redis.hgetall(key))[:20_000]
        case b"zset":
            return repr(redis.zrange(key, 0, -1))[:20_000]
    return "…"


def _leave_out(verdict: Verdict, moved: Collection[int], stage: Stage) -> None:
    """Leave out what nobody can know. A message to a partner is never left out."""
    undone = [
        lost
        for lost in verdict.lost
        if lost.startswith(("the end of chat", "a command"))
        and any(int(person) in moved for person in re.findall(r"\d{7,}", lost))
    ]
    verdict.lost[:] = [lost for lost in verdict.lost if lost not in undone]
    stage.evidence["ends and commands undone"] = len(undone)


class Servers(NamedTuple):
    """The servers that several processes share."""

    cluster: Cluster | None
    valkey: Valkey
    postgres: Postgres
    redis: Proxy
    sql: Proxy

    @property
    def settings(self) -> dict[str, str]:
        return {
            "REDIS_URL": self.cluster.url if self.cluster is not None else f"redis://127.0.0.1:{self.redis.port}/0",
            "POSTGRES_URI": f"postgresql://postgres@127.0.0.1:{self.sql.port}/postgres",
        }


async def _started(case: Case, closing: AsyncExitStack) -> Servers:
    cluster = closing.enter_context(start_cluster(case.cluster, *case.valkey)) if case.cluster else None
    valkey = cluster.owner if cluster is not None else closing.enter_context(start_valkey(*case.valkey))
    postgres = closing.enter_context(start_postgres(*case.postgres))
    redis = await closing.enter_async_context(Proxy.to(to_port(port_of(valkey))))
    where = parse_qs(urlsplit(postgres.uri).query)["host"][0]
    sql = await closing.enter_async_context(Proxy.to(to_socket(f"{where}/.s.PGSQL.5432")))
    return Servers(cluster, valkey, postgres, redis, sql)


async def play(case: Case, directory: Path, *, seed: int = 0, quick: bool = True, times: int | None = None) -> Report:
    """Play a case. `times`: how often a case in which a store loses data repeats its fault.

    Raises: AssertionError, if the case could not be completed or its fault did not happen.
    """
    began = time()
    async with AsyncExitStack() as closing:
        servers = None if case.embedded else await _started(case, closing)
        sandbox, tokens = await closing.enter_async_context(a_sandbox(directory, bots=case.bots, seed=seed))
        stores = {"SQLITE_DB_PATH": str(directory / "passerby.db")} if servers is None else servers.settings
        environment = {"BOT_TOKENS": ",".join(tokens), "BOT_API_URL": sandbox.url, **stores, **case.environment}
        if case.webs:
            environment |= closing.enter_context(webhook_settings())
        fleet = Fleet(directory, environment, *((case.command,) if case.command else ()))
        closing.callback(fleet.close)
        crowd = Crowd(
            sandbox,
            case.people if quick else case.people * 5 // 3,
            seed,
            case.pause_s,
            leaves=case.leaves,
            albums=case.albums,
            sisters=case.sisters,
        )
        stage = Stage(
            sandbox,
            fleet,
            crowd,
            Random(seed),
            quick,
            directory,
            tokens,
            closing,
            times,
            case.timed,
        )
        if servers is not None:
            stage.cluster, stage.valkey, stage.postgres, stage.redis, stage.sql = servers
        if case.prepare is not None:
            await case.prepare(stage)
        for name in [*worker_names(case.workers), *(f"web-{each}" for each in range(1, case.webs + 1))]:
            fleet.start(name)
        if case.webs:
            await fleet.run("webhook", "set")
        async with crowd.present():
            await crowd.join()
            if case.slow:
                await sandbox.put("faults", list(SLOW))
            async with crowd.living():
                await asyncio.sleep(WARM_S)
                await stage.until_working()
                await case.disturb(stage)
            await sandbox.put("faults", [])
            verdict, quiet_s = await crowd.until_quiet(stage.faults, case.quiet_s)
            told = await crowd.question(verdict.partners) if verdict.passed else {}
            if case.forgets_s is not None:
                moved = [crowd.moved(fault.began - case.forgets_s, fault.ended) for fault in stage.faults]
                forgotten = told.keys() & set[int]().union(*moved)
                stage.evidence["forgotten"] = len(forgotten)
                told = {person: what for person, what in told.items() if person not in forgotten}
                if case.undoes:
                    _leave_out(verdict, set().union(*moved), stage)
            if told or not verdict.passed:
                await _keep(stage, is_embedded=case.embedded)
            fleet.check()
            apart: list[str] = []
            if case.loses:
                stage.evidence["people who were told that the connection was lost"] = crowd.cut_off
                for name in fleet.names:
                    assert await fleet.stop(name) == 0
                alike, apart = await (
                    both_stores(directory)
                    if case.embedded
                    else shared_stores(str(stores["REDIS_URL"]), str(stores["POSTGRES_URI"]))
                )
                stage.evidence["people whom both stores hold alike"] = alike
        assert crowd.journal.dropped == 0, "the sandbox itself dropped updates"
        return Report(
            case.name,
            seed,
            verdict,
            len(stage.faults),
            crowd.journal.silences(stage.kills, ANSWERED_S),
            quiet_s,
            time() - began,
            list(told.values()),
            stage.evidence,
            case.takes_over,
            apart,
            0 if case.poisonous else fleet.words().count('"event.put_aside"'),
        )
