"""Starts the processes of a measurement (the product's workers, the other side, the stores) and assigns their cores.

The product has the first core. Several workers share all cores that the others do not use. The Bot API server and the
people are on the last core. If there are three cores, Redis and PostgreSQL are on the second to last; otherwise they
share the last one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.certificate import write_certificate
from benchmarks.processes import cpu_s
from tests.contract.servers import start_postgres, start_valkey
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
SPREAD_S = 30.0
"""In this time, workers that started one after another have shared the bots."""


STOP_S = 15.0
"""More than a stop takes, with the default settings."""


class Side:
    """A process that answers each line with a line."""

    def __init__(self, module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        try:
            self.greeting = self._answer()
        except BaseException:
            self.end()
            raise

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process ended unasked: {' '.join(map(str, self._process.args[2:]))[:80]}")  # type: ignore[index]
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@dataclass(frozen=True, slots=True)
class Shape:
    """The thing that is measured. `tls`: to the Bot API; `web`: updates come by webhooks; `idle`: people who are known,
    but in no chat; `shipped`: with the budgets that a bot really has; `sells`: everybody has an invoice that can be
    paid."""

    against: str = "canned"
    bots: int = 4
    pairs: int = 500
    delay_ms: str = "0-0"
    redis: bool = False
    tls: bool = False
    web: bool = False
    workers: int = 1
    count: bool = False
    idle: bool = False
    shipped: bool = False
    sells: bool = False

    @property
    def name(self) -> str:
        kept = "Redis and PostgreSQL" if self.redis else "embedded"
        workers = f"{self.workers} workers, " if self.workers > 1 else ""
        wire = ("TLS" if self.tls else "plain HTTP") + ", webhooks" * self.web
        return f"{kept}, {workers}{wire}, against {self.against}, {self.bots} bots, answers after {self.delay_ms} ms"


@dataclass(frozen=True, slots=True)
class Sides:
    """`stores`: process ids of the product's stores, by name. `shared`: they share the other side's core. `start`
    starts one more worker, with this number."""

    workers: list[Side]
    load_peer: Side
    stores: Mapping[str, int]
    shared: bool
    directory: Path = Path()
    """Where the product's files are."""
    start: Callable[[int], Side] | None = None

    def reload(self) -> None:
        """Replace the workers one after another: the next one starts, then the old one ends."""
        assert self.start is not None, "several workers share their stores"
        for number in range(len(self.workers)):
            self.workers.append(self.start(len(self.workers) + number))
            self.workers.pop(0).end()

    def usage(self) -> dict[str, Any]:
        """The sum over all workers. Counts by name stay separate."""
        total: dict[str, Any] = {}
        for worker in self.workers:
            for name, value in worker.ask("usage").items():
                if isinstance(value, dict):
                    of = total.setdefault(name, {})
                    for key, count in value.items():
                        of[key] = of.get(key, 0) + count
                else:
                    total[name] = total.get(name, 0) + value
        return total

    def stores_s(self) -> dict[str, float]:
        """CPU seconds so far, by name."""
        return {name: cpu_s(pid) for name, pid in self.stores.items()}


@dataclass(frozen=True, slots=True)
class Seats:
    workers: tuple[int, ...]
    stores: int
    load_peer: int


def seats(cores: Sequence[int]) -> Seats:
    """The processes of each core."""
    *most, last = cores
    if not most:
        return Seats((last,), last, last)
    if len(most) == 1:
        return Seats((most[0],), last, last)
    return Seats(tuple(most[:-1]), most[-1], last)


@contextmanager
def servers(core: int) -> Iterator[tuple[tuple[object, ...], dict[str, int]]]:
    """Our own Valkey and PostgreSQL on a core: the settings for the product, and their process ids."""
    with ExitStack() as closing:
        lasting = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
        valkey = closing.enter_context(start_valkey(*lasting))
        postgres = closing.enter_context(start_postgres("-c", "max_connections=200"))
        for server in (valkey, postgres):
            os.sched_setaffinity(server.pid, {core})
        told = ("--redis-url", valkey.url, "--postgres-uri", postgres.uri)
        yield told, {"valkey": valkey.pid, "postgres": postgres.pid}


@contextmanager
def opposed(shape: Shape, core: int, directory: Path) -> Iterator[tuple[Side, dict[str, str]]]:
    """The other side, and the environment for programs that talk to it."""
    options: list[object] = ["--bots", shape.bots, "--pairs", shape.pairs, "--core", core, "--delay-ms", shape.delay_ms]
    environment: dict[str, str] = {}
    if shape.tls:
        certificate, key = write_certificate(directory)
        options += ("--certificate", certificate, "--key", key)
        environment["SSL_CERT_FILE"] = str(certificate)
    load_peer = Side("load_peer", shape.against, *options)
    try:
        yield load_peer, environment
    finally:
        load_peer.end()


@contextmanager
def sides(shape: Shape) -> Iterator[Sides]:
    """The product and everything it needs, ready and idle."""
    assert shape.redis or shape.workers == 1, "several workers need stores that they can share"
    assert not shape.web or shape.workers == 1, "several would listen on one port"
    seat = seats(sorted(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory(prefix="passerby-bench-") as name, ExitStack() as closing:
        directory = Path(name)
        stores, pids = closing.enter_context(servers(seat.stores)) if shape.redis else ((), {})
        load_peer, environment = closing.enter_context(opposed(shape, seat.load_peer, directory))
        where: list[object] = ["--url", load_peer.greeting["url"], "--tokens", ",".join(load_peer.greeting["tokens"])]
        where += ("--directory", directory, *stores)
        flags = [flag for flag in ("count", "idle", "shipped", "sells") if getattr(shape, flag)]
        where += (f"--{flag}" for flag in flags)
        where += ("--web", free_port()) if shape.web else ()
        workers: list[Side] = []
        closing.callback(lambda: [worker.end() for worker in workers])

        def start(number: int) -> Side:
            core = seat.workers[number % len(seat.workers)]
            # The first worker puts the people into the stores.
            own = ("--name", f"worker-{number}", "--core", core, "--pairs", 0 if number else shape.pairs)
            return Side("product", *where, *own, environment=environment)

        workers += map(start, range(shape.workers))
        found = Sides(workers, load_peer, pids, seat.stores == seat.load_peer, directory, start)
        _wait_for_leases(found, shape)
        if shape.web:
            told = workers[0].ask("endpoints")
            load_peer.ask(f"hooks {told['url']} {told['endpoints']}")
        yield found


def _wait_for_leases(found: Sides, shape: Shape) -> None:
    most, least = -(-shape.bots // shape.workers), shape.bots // shape.workers
    give_up_at = time.monotonic() + SPREAD_S
    while True:
        held = [worker.ask("usage")["bots"] for worker in found.workers]
        if sum(held) == shape.bots and least <= min(held) and max(held) <= most:
            return
        assert time.monotonic() < give_up_at, f"{shape.bots} bots are held as {held}"
        time.sleep(0.2)
