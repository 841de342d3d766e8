"""Measures the processes once a second: CPU time and memory from `/proc`, the rest from `/metrics`."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from pyreqwest.client import Client
from pyreqwest.exceptions import PyreqwestError

from passerby.ops.cluster import processes, sockets
from passerby.ports.clock import Clock
from simulated_people.crowd import Crowd
from simulated_people.people import State

EVERY_S: Final = 1.0

GAUGES: Final = {
    "passerby_courier_pending": "to deliver",
    "passerby_loop_lag_seconds": "loop lag, s",
    "passerby_recorder_lag_seconds": "records behind, s",
    'passerby_records_connections{kind="open"}': "connections to the database",
    'passerby_records_connections{kind="idle"}': "idle of these",
}
COUNTS: Final = {
    "passerby_flood_waits_total": "429s heeded",
    "passerby_send_retries_total": "sends made again",
    "passerby_bugs_total": "faults of ours",
    "passerby_store_errors_total": "stores away",
    "passerby_decisions_total": "decisions",
    "passerby_budget_wait_seconds_count": "waits for a budget",
    "passerby_budget_wait_seconds_sum": "waited for budgets, s",
    "passerby_store_trip_seconds_count": "round trips to Redis",
    "passerby_store_trip_seconds_sum": "waited for Redis, s",
    "passerby_connections_opened_total": "connections opened to the Bot API",
}
WORST: Final = frozenset({"loop lag, s", "records behind, s"})
"""For these gauges, the largest value of all processes counts. For the others, it is the sum."""


class Sample(msgspec.Struct, frozen=True):
    """One moment. `cpu`, in cores since the last moment, and `rss`, in bytes, are by process. `machine_cpu`: all
    cores."""

    at: float
    sent: int
    delivered: int
    searching: int
    chatting: int
    in_hand: int
    cpu: dict[str, float]
    rss: dict[str, int]
    machine_cpu: float | None
    gauges: dict[str, float]


def metrics_in(text: str) -> tuple[dict[str, float], dict[str, float]]:
    """Gauges and counts from a page of `/metrics`, by our names for them. Counts are summed over their labels."""
    gauges: dict[str, float] = {}
    counts: dict[str, float] = defaultdict(float)
    for line in text.splitlines():
        if not line.startswith(("passerby_", "process_")):
            continue
        name, _, value = line.rpartition(" ")
        bare = name.partition("{")[0]
        if (gauge := GAUGES.get(name)) is not None:
            gauges[gauge] = float(value)
        elif (count := COUNTS.get(bare)) is not None:
            counts[count] += float(value)
        elif bare in ("process_cpu_seconds_total", "process_resident_memory_bytes"):
            gauges[bare] = float(value)
    return gauges, dict(counts)


class Watch:
    """`pids`: the processes to measure, by name. `run_dir` has their sockets. `pages`: `/metrics` on other machines."""

    def __init__(
        self,
        crowd: Crowd,
        clock: Clock,
        pids: Callable[[], Mapping[str, int]],
        run_dir: Path | None,
        pages: Mapping[str, str],
        http: Client,
    ) -> None:
        self.samples: list[Sample] = []
        self.counts: dict[str, dict[str, float]] = {}
        """The counts of each run of a process, by its name and number."""
        self._counted_before: dict[str, dict[str, float]] = {}
        self.silent: set[str] = set()
        self._crowd = crowd
        self._clock = clock
        self._pids = pids
        self._run_dir = run_dir
        self._pages = pages
        self._http = http
        self._before: dict[int, processes.ProcessUse] = {}
        self._remote: dict[str, tuple[float, float]] = {}
        self._machine = machine_ticks()

    def begin(self) -> None:
        """Begin to measure."""
        self._counted_before = dict(self.counts)

    def counted(self) -> dict[str, float]:
        """The counts of all runs of all processes since `begin`."""
        total: dict[str, float] = defaultdict(float)
        for run, counts in self.counts.items():
            before = self._counted_before.get(run, {})
            for name, count in counts.items():
                total[name] += count - before.get(name, 0.0)
        return dict(total)

    async def look_on(self) -> None:
        """Measure until cancelled."""
        while True:
            await self.sample()
            await self._clock.sleep(EVERY_S)

    async def sample(self) -> Sample:
        cpu: dict[str, float] = {}
        rss: dict[str, int] = {}
        pids = dict(self._pids())
        readings: dict[int, processes.ProcessUse] = {}
        for name, pid in pids.items():
            reading = processes.read(pid)
            if reading is not None:
                readings[pid] = reading
                rss[name] = reading.rss
                share = processes.cpu_share(self._before.get(pid), reading)
                if share is not None:
                    cpu[name] = share
        self._before = readings
        gauges: dict[str, float] = defaultdict(float)
        for name, text in (await self._metrics(pids)).items():
            found, counts = metrics_in(text)
            self.counts[f"{name} {pids.get(name, '')}".strip()] = counts
            self._elsewhere(name, found, cpu, rss)
            for gauge, value in found.items():
                gauges[gauge] = max(gauges[gauge], value) if gauge in WORST else gauges[gauge] + value
        states = self._crowd.states()
        counted = self._crowd.book.counts
        sample = Sample(
            at=self._clock.now(),
            sent=counted["sent"],
            delivered=counted["delivered"],
            searching=states[State.SEARCHING],
            chatting=states[State.CHATTING],
            in_hand=self._crowd.in_hand,
            cpu=cpu,
            rss=rss,
            machine_cpu=self._of_the_machine(),
            gauges=dict(gauges),
        )
        self.samples.append(sample)
        return sample

    def _elsewhere(self, name: str, found: dict[str, float], cpu: dict[str, float], rss: dict[str, int]) -> None:
        """Take CPU and memory of a process on another machine from its own metrics."""
        used_s = found.pop("process_cpu_seconds_total", None)
        memory = found.pop("process_resident_memory_bytes", None)
        if name not in self._pages or used_s is None or memory is None:
            return
        now = self._clock.now()
        before = self._remote.get(name)
        self._remote[name] = (now, used_s)
        rss[name] = int(memory)
        if before is not None and now > before[0] and used_s >= before[1]:
            cpu[name] = (used_s - before[1]) / (now - before[0])

    async def _metrics(self, pids: Mapping[str, int]) -> dict[str, str]:
        found: dict[str, str] = {}
        run_dir = self._run_dir
        if run_dir is not None:
            ours = [name for name in pids if sockets.path_of(run_dir, name).exists()]
            pages = await asyncio.gather(*(asyncio.to_thread(_page, run_dir, name) for name in ours))
            found |= {name: page for name, page in zip(ours, pages, strict=True) if page is not None}
        for name, url in self._pages.items():
            try:
                response = await self._http.get(url).build().send()
                found[name] = await response.text()
                self.silent.discard(name)
            except PyreqwestError:
                self.silent.add(name)
        return found

    def _of_the_machine(self) -> float | None:
        before, self._machine = self._machine, machine_ticks()
        if before is None or self._machine is None or self._machine[1] <= before[1]:
            return None
        return (self._machine[0] - before[0]) / (self._machine[1] - before[1])


def _page(run_dir: Path, name: str) -> str | None:
    try:
        code, body = sockets.ask(run_dir, name, "/metrics", timeout_s=1.0)
    except sockets.Silent:
        return None
    return body.decode("utf-8", "replace") if code == 200 else None


def machine_ticks() -> tuple[int, int] | None:
    """Busy ticks and all ticks of the machine's cores so far. None if the system has no `/proc`."""
    try:
        fields = [int(each) for each in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    return sum(fields) - fields[3] - fields[4], sum(fields)
