"""Alerts about servers and machines: each fires by its real cause, and is over when the cause is gone."""

import asyncio
import contextlib
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from random import Random

import msgspec
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from passerby.adapters.botapi.client import Client
from passerby.adapters.memory import MemoryStore
from passerby.adapters.redis import open_redis
from passerby.adapters.sql import ConnectionPool, SqlRecords
from passerby.bootstrap import alerting
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.self_watch import SelfWatch, server_time
from passerby.bootstrap.token_watch import TokenWatch
from passerby.domain.alerts import rules
from passerby.domain.alerts.rules import Rule
from passerby.kernel.ids import BotId, PersonId
from passerby.ports.leases import Fence, Members, WorkerId, duty_lease
from passerby.runtime.alerting.watch import AlertConfig, AlertWatch, Probe
from passerby.runtime.crash_times import CrashTimes
from passerby.runtime.membership.report import Report
from passerby.settings import Settings
from passerby.telemetry import metrics
from tests.contract.live_places import Disk, DiskLog
from tests.contract.records_places import PostgresServer, make_tables
from tests.contract.servers import postgres_uri, start_postgres, start_valkey
from tests.faults.sandbox import a_sandbox
from tests.runtime.alerting.stage import THRESHOLDS, clean_metrics
from tests.runtime.virtual import VirtualClock

STEP_S = 5.0


class Fleet:
    """One process that reports its metrics, and the duty that looks at them. Time passes only in `passes`."""

    def __init__(
        self, *probes: Probe, thresholds: Mapping[str, float] = THRESHOLDS, clock: VirtualClock | None = None
    ) -> None:
        self.clock = clock or VirtualClock()
        self._probes = probes
        config = AlertConfig(thresholds=thresholds, probes=probes)
        store = MemoryStore(DiskLog(Disk()), self.clock, Random(1))
        self.watch = AlertWatch(config, tuple, self._members, store, Fence(duty_lease("alerts"), 1), self.clock)

    def _members(self) -> Members:
        report = Report("worker-1", figures=metrics.snapshot(self.clock.now()))
        return Members(frozenset(), {WorkerId("a"): msgspec.json.encode(report)}, {})

    async def passes(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.clock.offset_s += STEP_S
            for probe in self._probes:
                await self.watch.ask(probe)
            self.watch.evaluate_rules()

    def fires(self, rule: Rule) -> bool:
        return any(name == rule.name and alert.is_firing for name, alert in self.watch.alerts.items())


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with clean_metrics():
        yield


def test_a_probe_that_fails_ends_neither_the_duty_nor_the_other_probes() -> None:
    async def fails() -> dict[str, float]:
        raise UnicodeError("label empty")

    async def answers() -> dict[str, float]:
        return {"server": 99.0}

    failing = Probe(rules.CERTIFICATE.name, 60.0, fails)
    fleet = Fleet(failing, Probe(rules.POSTGRES_CONNECTIONS.name, 60.0, answers))
    with structlog.testing.capture_logs() as logged:
        asyncio.run(fleet.passes(60))
    assert fleet.fires(rules.POSTGRES_CONNECTIONS)
    assert [each["kind"] for each in logged if each["event"] == "alerts.probe_failed"] == [rules.CERTIFICATE.name]


def test_the_certificate_of_a_name_that_no_server_can_have_is_unknown() -> None:
    asked = alerting.certificate_days("https://chat..example.org", SystemClock())
    assert asyncio.run(asked) == {}


@pytest.mark.services
def test_a_pool_of_connections_that_runs_out_is_an_alert() -> None:
    async def main(uri: str) -> None:
        records = SqlRecords.at(uri, ConnectionPool(most=10, least=0, timeout_s=30.0))
        fleet = Fleet()
        async with contextlib.AsyncExitStack() as held:
            for _ in range(10):
                await held.enter_async_context(records.engine.connect())
            await fleet.passes(20)
            assert not fleet.fires(rules.POSTGRES_CONNECTIONS), "not for a moment"
            await fleet.passes(20)
            assert fleet.fires(rules.POSTGRES_CONNECTIONS)
        await fleet.passes(80)
        assert not fleet.fires(rules.POSTGRES_CONNECTIONS)
        await records.aclose()

    with postgres_uri() as uri, PostgresServer(uri).database() as own:
        asyncio.run(main(own))


@pytest.mark.long
def test_updates_that_nobody_takes_from_telegram_are_an_alert_until_somebody_does(tmp_path: Path) -> None:
    async def main() -> None:
        async with a_sandbox(tmp_path, bots=2, seed=1) as (sandbox, tokens):
            settings = Settings(bot_tokens=",".join(tokens), bot_api_url=sandbox.url)
            watch = TokenWatch(settings, SystemClock())
            probe = Probe(rules.TELEGRAM_QUEUE.name, 60.0, partial(alerting.pending_updates, sandbox.url, watch))
            fleet = Fleet(probe, thresholds={**THRESHOLDS, rules.TELEGRAM_QUEUE.setting: 10})
            person = (await sandbox.post("people", {"first_name": "Busy"}))["id"]
            bot = int(tokens[0].partition(":")[0])
            for _ in range(11):
                await sandbox.post(f"people/{person}/chats/{bot}/send", {"text": "hello?"})
            await fleet.passes(50)
            assert not fleet.fires(rules.TELEGRAM_QUEUE), "not for a moment"
            await fleet.passes(40)
            assert fleet.fires(rules.TELEGRAM_QUEUE)
            telegram = Client({BotId(bot): tokens[0]}, sandbox.url)
            taken = msgspec.json.decode(await telegram.post(BotId(bot), "getUpdates", b"{}"))["result"]
            done = {"offset": taken[-1]["update_id"] + 1}
            await telegram.post(BotId(bot), "getUpdates", msgspec.json.encode(done))
            await telegram.aclose()
            await fleet.passes(150)
            assert not fleet.fires(rules.TELEGRAM_QUEUE)

    asyncio.run(main())


@pytest.mark.long
@pytest.mark.services
def test_a_server_without_free_connections_is_an_alert_whoever_has_them() -> None:
    async def main(uri: str) -> None:
        records = SqlRecords.at(uri, ConnectionPool(most=2, least=0, timeout_s=30.0))
        strangers = SqlRecords.at(uri, ConnectionPool(most=100, least=0, timeout_s=30.0))
        probe = Probe(rules.POSTGRES_CONNECTIONS.name, 15.0, partial(alerting.server_connections, records))
        fleet = Fleet(probe)
        await fleet.passes(40)
        assert not fleet.fires(rules.POSTGRES_CONNECTIONS)
        async with contextlib.AsyncExitStack() as held:
            for _ in range(92):
                await held.enter_async_context(strangers.engine.connect())
            await fleet.passes(40)
            assert fleet.fires(rules.POSTGRES_CONNECTIONS)
        await strangers.aclose()
        await fleet.passes(80)
        assert not fleet.fires(rules.POSTGRES_CONNECTIONS)
        await records.aclose()

    with start_postgres() as server:
        asyncio.run(main(server.uri))


@pytest.mark.services
def test_a_redis_that_fills_up_is_an_alert() -> None:
    async def main(url: str) -> None:
        clock = VirtualClock()
        store = (await open_redis(url, clock, Random(1), name="alerts", may_lose=True)).store
        fleet = Fleet(Probe(rules.REDIS_MEMORY.name, 15.0, partial(alerting.redis_memory, store)))
        await fleet.passes(40)
        assert not fleet.fires(rules.REDIS_MEMORY)
        await store.adopt((), whole=True)
        for number in range(28):
            await store.keep_memo(f"{number}", b"x" * 1_000_000)
        await fleet.passes(40)
        assert fleet.fires(rules.REDIS_MEMORY)
        for number in range(28):
            await store.keep_memo(f"{number}", None)
        await fleet.passes(80)
        assert not fleet.fires(rules.REDIS_MEMORY)
        await store.aclose()

    with start_valkey("--maxmemory", "33mb", "--maxmemory-policy", "noeviction", "--appendonly", "yes") as server:
        asyncio.run(main(server.url))


def test_a_locked_database_makes_statements_slow_and_is_an_alert(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "passerby.db"
        await make_tables(path)
        records, other = (SqlRecords.at(path, ConnectionPool(timeout_s=120.0)) for _ in range(2))
        fleet = Fleet()
        await fleet.passes(10)
        for _ in range(5):
            await records.people([PersonId(1)])
        await fleet.passes(10)
        async with other.engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                waiting = asyncio.ensure_future(_write(records))
                await asyncio.sleep(1.5)
            await waiting
        await fleet.passes(80)
        assert fleet.fires(rules.SLOW_QUERIES)
        await fleet.passes(400)
        assert not fleet.fires(rules.SLOW_QUERIES)
        await records.aclose()
        await other.aclose()

    asyncio.run(main())


async def _write(records: SqlRecords) -> None:
    async with records.engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            pass


def _fill(place: Path, share: float) -> Path:
    usage = os.statvfs(place)
    file = place / "filling"
    with file.open("wb") as opened:
        block = b"x" * (1 << 20)
        for _ in range(int(usage.f_blocks * usage.f_frsize * share) >> 20):
            opened.write(block)
    return file


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 20 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip("this user may not mount a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


async def _no_time() -> None:
    return None


def test_a_disk_that_fills_up_is_an_alert(small_disk: Path) -> None:
    async def main() -> None:
        fleet = Fleet()
        own = SelfWatch((small_disk,), CrashTimes(), fleet.clock, _no_time)
        own.measure()
        await fleet.passes(40)
        assert not fleet.fires(rules.DISK_SPACE)
        file = _fill(small_disk, 0.95)
        own.measure()
        await fleet.passes(40)
        assert fleet.fires(rules.DISK_SPACE)
        file.unlink()
        own.measure()
        await fleet.passes(80)
        assert not fleet.fires(rules.DISK_SPACE)

    asyncio.run(main())


class DatedServer:
    """Answers every request with a Date that is ahead of the fleet's clock by `ahead_s`."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.ahead_s = 0.0
        self._now = now

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        date = format_datetime(datetime.fromtimestamp(self._now() + self.ahead_s, UTC), usegmt=True)
        writer.write(f"HTTP/1.1 302 Found\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


async def _compared(own: SelfWatch) -> None:
    """A busy machine may take too long for a comparison."""
    async with asyncio.timeout(120):
        while not await own.compare():
            pass


def test_a_clock_that_differs_from_telegrams_is_an_alert() -> None:
    async def main() -> None:
        fleet = Fleet()
        dated = DatedServer(fleet.clock.now)
        server = await asyncio.start_server(dated.answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        own = SelfWatch((), CrashTimes(), fleet.clock, partial(server_time, url))
        await _compared(own)
        await fleet.passes(80)
        assert not fleet.fires(rules.CLOCK_SKEW)
        dated.ahead_s = 30.0
        await _compared(own)
        await fleet.passes(80)
        assert fleet.fires(rules.CLOCK_SKEW)
        dated.ahead_s = 0.0
        await _compared(own)
        await fleet.passes(80)
        assert not fleet.fires(rules.CLOCK_SKEW)
        server.close()

    asyncio.run(main())


def _certificate(directory: Path, until: datetime) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(until - timedelta(days=90))
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    pem = directory / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_certificate_that_expires_soon_is_an_alert_until_it_is_renewed(tmp_path: Path) -> None:
    async def main() -> None:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        clock = VirtualClock()
        now = datetime.fromtimestamp(clock.now(), UTC)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=_certificate(tmp_path, now + timedelta(days=10)))
        port = server.sockets[0].getsockname()[1]
        url = f"https://127.0.0.1:{port}/telegram"
        fleet = Fleet(Probe(rules.CERTIFICATE.name, 3600.0, lambda: alerting.certificate_days(url, clock)))
        await fleet.passes(10)
        assert fleet.fires(rules.CERTIFICATE)
        server.close()
        await server.wait_closed()
        renewed = _certificate(tmp_path, now + timedelta(days=80))
        server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=renewed)
        await fleet.passes(80)
        assert not fleet.fires(rules.CERTIFICATE)
        server.close()

    asyncio.run(main())


RUN = """
import sys, time
from pathlib import Path
from random import Random
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.files import open_files
from passerby.settings import Settings
settings = Settings(bot_tokens="123456789:" + "x" * 35, sqlite_db_path=Path(sys.argv[1]) / "passerby.db")
with open_files(settings, "worker-1", Random(int(sys.argv[3])), SystemClock()) as files:
    print(len(files.crashes.last_hour(SystemClock().now())), flush=True)
    if sys.argv[2] == "stuck":
        import asyncio
        from passerby.kernel.ids import BotId, UpdateRef
        from passerby.runtime.background.loop_watch import LoopWatch
        async def busy():
            while True:
                pass
        async def main():
            watch = LoopWatch(files.recorder)
            watch.begin()
            await asyncio.sleep(0.2)
            await files.recorder.follow(busy(), (UpdateRef(BotId(123456789), 7),))
        asyncio.run(main())
    sys.stdin.read()
"""


def _process(directory: Path, how: str, seed: int) -> int:
    """Run a process that opens its files, and end it. Returns how many crashes it found."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(directory), how, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # Log lines may come first.
    found = next(int(line) for line in process.stdout if line.strip().isdigit())
    if how == "killed":
        process.send_signal(signal.SIGKILL)
    process.stdin.close() if how == "ended" else None
    process.wait(120)
    process.stdin.close()
    process.stdout.close()
    return found


def _after(directory: Path, hows: Sequence[str]) -> tuple[Fleet, SelfWatch]:
    for seed, how in enumerate(hows):
        _process(directory, how, seed)
    fleet = Fleet()
    crashes = CrashTimes(directory / "run" / "worker-1.crashes")
    # The processes have noted the machine's time.
    times = [each.at for each in crashes.last_hour(_machine_now())]
    fleet.clock.offset_s = (max(times) if times else _machine_now()) - VirtualClock().now()
    return fleet, SelfWatch((), crashes, fleet.clock, _no_time)


def _machine_now() -> float:
    return datetime.now(UTC).timestamp()


@pytest.mark.long
def test_three_killed_processes_within_an_hour_are_an_alert_and_a_clean_stop_is_none(tmp_path: Path) -> None:
    async def main() -> None:
        fleet, own = _after(tmp_path, ["ended", "killed", "killed", "ended", "killed", "ended"])
        own.measure()
        await fleet.passes(5)
        assert fleet.fires(rules.CRASHES)
        assert not fleet.fires(rules.LOOP_STUCK)
        fleet.clock.offset_s += 3700
        own.measure()
        await fleet.passes(80)
        assert not fleet.fires(rules.CRASHES)

    asyncio.run(main())


@pytest.mark.long
def test_a_stuck_event_loop_is_an_alert_after_the_restart(tmp_path: Path) -> None:
    async def main() -> None:
        fleet, own = _after(tmp_path, ["stuck", "ended"])
        own.measure()
        await fleet.passes(5)
        assert fleet.fires(rules.LOOP_STUCK)
        assert not fleet.fires(rules.CRASHES)
        fleet.clock.offset_s += 3700
        own.measure()
        await fleet.passes(80)
        assert not fleet.fires(rules.LOOP_STUCK)

    asyncio.run(main())
