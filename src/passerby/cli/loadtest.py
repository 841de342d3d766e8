"""`passerby loadtest`: starts a sandbox and Passerby, lets simulated people chat, and reports."""

import asyncio
import base64
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec
import typer

from passerby import __version__, settings
from passerby.cli.cluster import cores
from passerby.cli.sandbox import end_sandbox, start_sandbox
from passerby.cli.serving import run_until_signal
from passerby.loadtest.fleet import Fleet, FleetFault, last_words
from passerby.loadtest.report import LoadReport, make
from passerby.loadtest.run import Course, LoadPlan, Spoiled, TooMuch, play
from passerby.loadtest.stores import Looker, StoreFault, own_database, own_keys
from passerby.settings import WrongSetting
from passerby.telemetry import logs
from simulated_people.control import Sandbox, SandboxFault
from simulated_people.farms import STYLES

if TYPE_CHECKING:
    from passerby.bootstrap.clock import SystemClock

HOST: Final = "127.0.0.1"
TIED: Final = (sys.executable, "-m", "passerby.cli.exit_with_parent")
MOST_BOTS: Final = 100
SANDBOX_S: Final = 60.0
SHOW_S: Final = 0.5
PIPED_WIDTH: Final = 120
TELEGRAM: Final = "telegram.org"
FEWEST_WITH_A_FARM: Final = 20
UNBOUNDED: Final = "100000"


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command line."""

    plan: LoadPlan
    sandbox: str | None
    metrics: Sequence[str]
    workers: int | None
    bots: int | None
    budgets: bool
    report: Path | None
    json: bool
    keep: Path | None
    command: Sequence[str] = TIED


def wishes(
    *,
    users: int | None,
    searching: bool,
    dau: int | None,
    compress: float | None,
    minutes: float | None,
    seconds: float | None,
    workers: int | None,
    bots: int | None,
    budgets: bool,
    chaos: bool,
    farm: str | None,
    sandbox: str | None,
    metrics: Sequence[str],
    seed: int,
    report: Path | None,
    json: bool,
    keep: Path | None,
) -> Wishes:
    """Check the options of the command line. Raises: WrongSetting, for options that do not fit together."""
    if dau is not None and (users is not None or searching):
        raise WrongSetting("--dau", "says already how many people there are", "leave out --users and --searching")
    if compress is not None and dau is None:
        raise WrongSetting("--compress", "is about the hour of --dau", "add --dau, or leave it out")
    if farm is not None:
        if farm not in STYLES:
            raise WrongSetting("--farm", "there is no such style", f"write one of {', '.join(STYLES)}")
        if dau is not None or (users or 100) < FEWEST_WITH_A_FARM:
            remedy = f"leave out --dau, and name {FEWEST_WITH_A_FARM} users or more"
            raise WrongSetting("--farm", "needs people who stay, and enough of them", remedy)
    if minutes is not None and seconds is not None:
        raise WrongSetting("--seconds", "--minutes is given, too", "keep one of them")
    if sandbox is not None:
        for name, given in (
            ("--workers", workers),
            ("--bots", bots),
            ("--chaos", chaos),
            ("--no-budgets", not budgets),
        ):
            if given:
                raise WrongSetting(name, "is for processes that this command starts itself", "leave out --sandbox")
    elif metrics:
        raise WrongSetting("--metrics", "is for a fleet that runs elsewhere", "leave it out, or add --sandbox")
    long_s = seconds if seconds is not None else 60 * (minutes if minutes is not None else 5 if dau else 1)
    plan = LoadPlan(
        long_s,
        seed,
        users=0 if dau else users or 100,
        searching=searching,
        daily=dau or 0,
        factor=compress,
        chaos=chaos,
        farm=farm or "",
    )
    return Wishes(plan, sandbox, metrics, workers, bots, budgets, report, json, keep)


def run_loadtest(wishes: Wishes) -> int:
    """Run the load test and report. Returns the exit code. Raises: WrongSetting."""
    logs.set_up("warning", "console")
    outcome: list[LoadReport] = []
    place = _place_of_report(wishes)
    try:
        run_until_signal(lambda stop: _loadtest(wishes, stop, outcome))
    except (SandboxFault, FleetFault, Spoiled) as fault:
        typer.echo(str(fault), err=True)
        return 1
    except TooMuch as fault:
        remedy = "name fewer people, less time, or a smaller --compress"
        raise WrongSetting("--dau" if wishes.plan.daily else "--users", str(fault), remedy) from None
    (report,) = outcome
    _write(place, report)
    if wishes.json:
        typer.echo(msgspec.json.encode(report))
    else:
        from rich.console import Console

        from passerby.loadtest.terminal import page

        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = PIPED_WIDTH
        console.print(page(report))
    typer.echo(f"The report with its charts: {place}", err=wishes.json)
    return report.exit_code


def _place_of_report(wishes: Wishes) -> Path:
    """The path of the report. Raises: WrongSetting, if it cannot be written."""
    path = wishes.report or Path(f"passerby-loadtest-{datetime.now(UTC).astimezone():%Y%m%d-%H%M%S}.html")  # noqa: TID251
    if path.is_dir():
        raise WrongSetting("--report", "is a directory", "write the path of a file in it, ending in .html")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise WrongSetting("--report", "its directory does not exist, or cannot be written to", "name one that can be")
    return path


def _write(path: Path, report: LoadReport) -> None:
    from passerby.loadtest.page import render

    path.write_text(render(report), "utf-8")


async def _loadtest(wishes: Wishes, stop: asyncio.Event, outcome: list[LoadReport]) -> None:
    from passerby.bootstrap.clock import SystemClock

    clock = SystemClock()
    wishes.plan.moments()  # a load that is too large is refused before anything starts
    async with AsyncExitStack() as closing:
        directory = wishes.keep or Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="passerby-loadtest-")))
        directory.mkdir(parents=True, exist_ok=True)
        bots: Sequence[int]
        fleet: Fleet | None = None
        looker = Looker(None, None, "")
        pids = {"load test": os.getpid()}
        if wishes.sandbox is not None:
            sandbox = await closing.enter_async_context(_theirs(wishes.sandbox))
            bots = [bot["id"] for bot in await sandbox.get("bots")]
            if not bots:
                raise WrongSetting("--sandbox", "that sandbox has no bot", "start it with --bots")
            looker = _of_the_settings()
        else:
            number = wishes.bots or min(MOST_BOTS, max(2, wishes.plan.load.bots))
            sandbox, child = await closing.enter_async_context(_own(directory, wishes))
            tokens, bots = await _tokens(sandbox, number)
            pids["sandbox"] = child.pid
            stores, looker = await _stores(wishes, directory, closing)
            fleet = await closing.enter_async_context(_fleet(wishes, directory, sandbox, tokens, stores))
        pages = {_place(url): url for url in wishes.metrics}
        begun = clock.now()
        await looker.begin()
        closing.push_async_callback(looker.aclose)
        course = await _watched(wishes, sandbox, bots, clock, stop, fleet, pids, pages)
        if wishes.keep is not None and course.verdict is not None and not course.verdict.passed:
            phones = {str(person.id): person.phone for person in course.crowd.people}
            (directory / "phones.json").write_bytes(msgspec.json.encode(phones))
        stores_told = await looker.end(clock.now() - begun)
        ended = fleet.ended if fleet is not None else ()
        outcome.append(
            make(
                course,
                command=" ".join(["passerby", *sys.argv[1:]]),
                version=__version__,
                machine=f"{platform.machine()}, {cores()} cores, Python {platform.python_version()}",
                stores=stores_told,
                ended=ended,
            )
        )


async def _watched(
    wishes: Wishes,
    sandbox: Sandbox,
    bots: Sequence[int],
    clock: "SystemClock",
    stop: asyncio.Event,
    fleet: Fleet | None,
    pids: Mapping[str, int],
    pages: Mapping[str, str],
) -> Course:
    """Run the load, and show its progress if there is a terminal."""
    from rich.console import Console
    from rich.live import Live

    from passerby.loadtest.terminal import live

    courses: list[Course] = []
    console = Console(stderr=True, highlight=False)
    playing = play(
        wishes.plan, sandbox, bots, clock, stop, fleet=fleet, pids=lambda: pids, pages=pages, show=courses.append
    )
    if not console.is_terminal:
        return await playing

    async def draw() -> None:
        with Live(console=console, auto_refresh=False, transient=True) as screen:
            while True:
                if courses:
                    screen.update(live(courses[0], clock.now()), refresh=True)
                await clock.sleep(SHOW_S)

    async with asyncio.TaskGroup() as group:
        drawing = group.create_task(draw())
        course = await playing
        drawing.cancel()
    return course


@asynccontextmanager
async def _theirs(url: str) -> AsyncIterator[Sandbox]:
    """A sandbox that is running already. Raises: WrongSetting, if there is no sandbox at the address."""
    where = urlsplit(url)
    remedy = "write where a sandbox listens, as in http://127.0.0.1:8081"
    host = where.hostname or ""
    if where.scheme != "http" or not host or where.path.strip("/") or where.query or where.username:
        raise WrongSetting("--sandbox", "is not the address of a sandbox", remedy)
    if host == TELEGRAM or host.endswith(f".{TELEGRAM}"):
        raise WrongSetting("--sandbox", "is Telegram itself, where real people are", remedy)
    sandbox = Sandbox.at(url.rstrip("/"))
    try:
        try:
            switches = await sandbox.get("settings")
        except (SandboxFault, msgspec.DecodeError):
            switches = None
        if not isinstance(switches, dict) or "journal_length" not in switches:
            raise WrongSetting("--sandbox", "does not answer as a sandbox does", remedy)
        yield sandbox
    finally:
        await sandbox.aclose()


@asynccontextmanager
async def _own(directory: Path, wishes: Wishes) -> AsyncIterator[tuple[Sandbox, subprocess.Popen[bytes]]]:
    """Start a sandbox on a free port of this machine."""
    port = _free_port()
    where = ["--host", HOST, "--port", str(port), "--bots", "0", "--seed", str(wishes.plan.seed), "--quiet"]
    child = start_sandbox([*where, *([] if wishes.budgets else ["--no-limits"])], directory / "sandbox.log")
    sandbox = Sandbox.at(f"http://{HOST}:{port}")
    try:
        await _first_answer(sandbox, child, directory / "sandbox.log")
        yield sandbox, child
    finally:
        await sandbox.aclose()
        await asyncio.to_thread(end_sandbox, child)


async def _first_answer(sandbox: Sandbox, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + SANDBOX_S
    while True:
        try:
            await sandbox.get("settings")
            return
        except SandboxFault as fault:
            if child.poll() is not None:
                raise SandboxFault(
                    f"the sandbox ended by itself (code {child.returncode}): {last_words(log)}"
                ) from None
            if asyncio.get_running_loop().time() > deadline:
                raise fault from None
            await asyncio.sleep(0.05)


async def _tokens(sandbox: Sandbox, number: int) -> tuple[list[str], list[int]]:
    """Make new bots with random pretend tokens. Every sandbox starts with the same bots, which are not used."""
    made = [await sandbox.post("bots", {"first_name": f"Load {each}"}) for each in range(1, number + 1)]
    return [bot["token"] for bot in made], [bot["id"] for bot in made]


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def _stores(wishes: Wishes, directory: Path, closing: AsyncExitStack) -> tuple[dict[str, str], Looker]:
    """The stores of Passerby: files in `directory`, or separate keys and a separate database on the operator's servers.

    Raises: WrongSetting.
    """
    if not wishes.workers:
        return {"SQLITE_DB_PATH": str(directory / "passerby.db")}, Looker(None, None, "")
    settled = settings.read()
    if not settled.is_shared or settled.postgres_uri is None:
        remedy = "set REDIS_URL and POSTGRES_URI, or leave out --workers"
        raise WrongSetting("REDIS_URL", "is not set: workers cannot share what is in one process's memory", remedy)
    try:
        redis = settled.redis_url.get_secret_value()
        name = await closing.enter_async_context(own_keys(redis))
        postgres = await closing.enter_async_context(own_database(settled.postgres_uri.get_secret_value()))
    except StoreFault as fault:
        raise WrongSetting(fault.setting, fault.problem, fault.remedy) from None
    told = {
        "REDIS_URL": redis,
        "REDIS_NAME": name,
        "POSTGRES_URI": postgres,
        "DB_POOL_MAX": str(settled.db_pool_max),
        "DB_POOL_MIN": str(settled.db_pool_min),
        "SECRET_KEY": base64.b64encode(secrets.token_bytes(settings.KEY_BYTES)).decode(),
    }
    return told, Looker(postgres, redis, name, is_own=True)


@asynccontextmanager
async def _fleet(
    wishes: Wishes, directory: Path, sandbox: Sandbox, tokens: Sequence[str], stores: Mapping[str, str]
) -> AsyncIterator[Fleet]:
    """Start Passerby: one process, or several workers on `stores`."""
    told = {
        "BOT_TOKENS": ",".join(tokens),
        "BOT_API_URL": sandbox.url,
        "LOG_LEVEL": "warning",
        "LOG_FORMAT": "json",
        **stores,
    }
    if not wishes.budgets:
        told |= {"BOT_RATE_PER_S": UNBOUNDED, "CHAT_RATE_PER_S": UNBOUNDED, "CHAT_BURST": UNBOUNDED}
        told |= {"PERSON_RATE_PER_S": UNBOUNDED, "PERSON_AT_ONCE": "10000"}
    with tempfile.TemporaryDirectory(prefix="passerby-") as run_dir:
        told["RUN_DIR"] = run_dir
        names = [f"worker-{number}" for number in range(1, (wishes.workers or 0) + 1)] or ["passerby"]
        role = "worker" if wishes.workers else "run"
        fleet = Fleet(directory, Path(run_dir), [*wishes.command, role], told, names)
        try:
            await fleet.start_all()
            yield fleet
        finally:
            await fleet.stop()


def _of_the_settings() -> Looker:
    """The stores of a staging fleet, if the settings here name them."""
    settled = settings.read()
    postgres = settled.postgres_uri.get_secret_value() if settled.postgres_uri is not None else None
    redis = settled.redis_url.get_secret_value() if settled.is_shared else None
    return Looker(postgres, redis, settled.redis_name)


def _place(url: str) -> str:
    where = urlsplit(url)
    if where.scheme not in ("http", "https") or not where.hostname:
        raise WrongSetting("--metrics", "is not the address of a page", "write http://<host>:<port>/metrics")
    return where.netloc
