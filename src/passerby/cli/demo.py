"""The demo: the sandbox in a child process, Passerby in this process, and a page with phones to chat on.

One directory has everything that the next run continues with: the sandbox's state, the bots' pretend tokens, Passerby's
database. Settings in the environment and in `.env` are ignored, because a real token must never get in here. A few
without secrets are not (TRIED), so that what is sold or given can be tried: all Stars are play money.
"""

import asyncio
import errno
import fcntl
import http.client
import json
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from pydantic import SecretStr

from passerby.cli.sandbox import end_sandbox, start_sandbox
from passerby.cli.serving import run_until_signal
from passerby.settings import Settings, WrongSetting
from passerby.settings.forms import bytes_of
from passerby.telemetry import logs

HOST = "127.0.0.1"
USUAL_PORT = 8081
"""The default port of Telegram's own Bot API server."""
PANEL_PORT = 8090
PANEL_PORTS = 50
BOTS = (("Lantern", "lantern_demo_bot"), ("Harbour", "harbour_demo_bot"), ("Meadow", "meadow_demo_bot"))
STAFF_BOT = ("Crew", "crew_demo_bot")
STEPS = (
    "Start",
    "✅ I agree",
    "a button with your age, then one with your gender",
    "🔎 Find a partner",
)
"""The buttons that a new person presses, in order. They are in English, like the phones at the start."""
FIRST_ID = 1_000_001
SOLD = "week=7d:75, month=30d:250, monthly=30d:200:renews"
"""The plans of the demo, if the environment has no others. The invented payments in its panel are for the same ones."""
TRIED = ("VIP_PLANS", "FREE_FILTERS", "TRIAL_DAYS", "REAL_CHAT_MESSAGES", "REFERRAL_DAYS")
PATIENCE_S = 60.0
POLL_S = 0.05


class SandboxEnded(Exception):
    """The sandbox has ended, or does not do what it should. The text is for the person at the terminal."""


def run_demo(data: Path, port: int | None) -> None:
    """Run until Ctrl-C or SIGTERM. `port` None: USUAL_PORT, or any free port if that is taken.

    Raises: WrongSetting, for arguments that cannot work; typer.Exit(1), if the sandbox ends by itself.
    """
    with _only_demo_in(data):
        logs.set_up("warning", "console")
        chosen = _free_port(port)
        typer.echo(f"Starting a pretend Telegram with {len(BOTS)} bots, and Passerby. Nothing leaves this machine.")
        typer.echo(f"Chats and searches are kept in {data} for the next time.")
        if chosen != (port or USUAL_PORT):
            typer.echo(f"Port {USUAL_PORT} is taken, so the page is on {chosen}.")
        try:
            panel = _panel_port()
            run_until_signal(lambda stop: _demo(data, chosen, panel, stop))
        except SandboxEnded as ended:
            typer.echo(ended, err=True)
            raise typer.Exit(1) from None
    typer.echo("Stopped.")


def tried(environment: Mapping[str, str]) -> dict[str, str]:
    """The few settings that the demo takes from the environment.

    Without VIP_PLANS, it sells plans of its own, and leaves the filters open. `VIP_PLANS=` sells nothing.
    """
    found = {name.lower(): environment[name] for name in TRIED if environment.get(name)}
    return found if "VIP_PLANS" in environment else {"vip_plans": SOLD, "free_filters": "all", **found}


async def _demo(data: Path, port: int, panel: int, stop: asyncio.Event) -> None:
    log = data / "sandbox.log"
    where = ["--host", HOST, "--port", str(port), "--state", str(data / "sandbox")]
    child = start_sandbox([*where, "--bots", "0", "--quiet"], log)
    threading.Thread(target=_watch, args=(child, asyncio.get_running_loop(), stop), daemon=True).start()
    try:
        # This import is slow. The sandbox starts at the same time.
        from passerby.bootstrap import demo_life, serving

        *tokens, staff_token = await _bots(data, port, stop)
        if not stop.is_set():
            settings = Settings(
                bot_tokens=tuple(tokens),
                staff_bot_token=staff_token,
                bot_api_url=f"http://{HOST}:{port}",
                sqlite_db_path=data / "passerby.db",
                log_level="warning",
                shutdown_timeout_s=3,
                panel_url=f"http://{HOST}:{panel}",
                panel_listen=f"{HOST}:{panel}",
                **tried(os.environ),  # type: ignore[arg-type]
            )
            ways_in = await demo_life.prepare(settings)
            await serving.serve(settings, on_ready=lambda: _welcome(port, *ways_in), stop=stop)
        if child.poll() is not None:
            last_words = log.read_text("utf-8", "replace").rstrip().rpartition("\n")[2] or "it gave no reason"
            raise SandboxEnded(f"The sandbox ended by itself (code {child.returncode}): {last_words}")
    finally:
        await asyncio.to_thread(end_sandbox, child)


def _welcome(port: int, link: str, secret: str) -> None:
    steps = "\n".join(f"    {number}. {step}" for number, step in enumerate(STEPS, start=1))
    typer.echo(f"\n  Open http://{HOST}:{port}/ in a browser. On each of the two phones, press:\n{steps}")
    typer.echo("  The two are in a chat now: write on one phone, read it on the other. Ctrl-C stops everything.\n")
    typer.echo("  Write /vip on a phone to buy something: each has Stars, which are play money.\n")
    typer.echo(f"  The operators' panel, with invented people, chats and payments (the link works once): {link}\n")
    typer.echo(
        "  The staff bot: add a phone for Crew, and write to it (once, within a day; each start prints another):"
    )
    typer.echo(f"    /start {secret}\n  Then /next shows a case.\n")


def _watch(child: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    child.wait()
    try:
        loop.call_soon_threadsafe(stop.set)
    except RuntimeError:  # the loop has ended before it
        return


async def _bots(data: Path, port: int, stop: asyncio.Event) -> tuple[SecretStr, ...]:
    """Wait until the sandbox answers and has a bot for each token. Returns the tokens, the staff bot's last."""
    tokens = _tokens(data / "bots.json")
    known = await _first_answer(port, stop)
    for token, (first_name, username) in zip(tokens, (*BOTS, STAFF_BOT), strict=True):
        if int(token.partition(":")[0]) not in known and not stop.is_set():
            bot = {"first_name": first_name, "username": username, "token": token}
            status, answer = await asyncio.to_thread(_ask, port, "POST", bot)
            if status >= http.client.BAD_REQUEST:
                raise SandboxEnded(f"The sandbox did not take the bot {first_name}: {answer.get('error', status)}")
    return tuple(map(SecretStr, tokens))


async def _first_answer(port: int, stop: asyncio.Event) -> set[int]:
    """Wait until the sandbox answers. Returns the ids of its bots; empty if told to stop first."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while not stop.is_set():
        try:
            _, bots = await asyncio.to_thread(_ask, port, "GET")
            return {int(bot["id"]) for bot in bots}
        except (OSError, http.client.HTTPException, ValueError):
            if loop.time() > deadline:
                raise SandboxEnded(f"The sandbox did not answer within {PATIENCE_S:g} s.") from None
            await asyncio.sleep(POLL_S)
    return set()


def _ask(port: int, method: str, body: dict[str, str] | None = None) -> tuple[int, Any]:
    """Send one request to the sandbox's list of bots. Returns the status and the body."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        content = json.dumps(body).encode() if body is not None else None
        connection.request(method, "/sandbox/bots", content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _tokens(path: Path) -> list[str]:
    """The pretend tokens of an earlier run, or new ones. The last is the staff bot's."""
    try:
        tokens = json.loads(bytes_of(path))
        if isinstance(tokens, list) and len(tokens) == len(BOTS) + 1:
            return [str(token) for token in tokens]
    except (OSError, ValueError, RecursionError):
        pass  # the first run, or an incomplete file: only the demo needs these tokens
    tokens = [f"{FIRST_ID + number}:sandbox-{secrets.token_hex(13)}1" for number in range(len(BOTS) + 1)]
    path.write_text(json.dumps(tokens), "utf-8")
    return tokens


def _free_port(wanted: int | None, usual: int = USUAL_PORT) -> int:
    """The wanted port; if none is wanted, the usual one or any free one. Raises: WrongSetting."""
    fault = ""
    for port in (wanted,) if wanted is not None else (usual, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                fault = "is taken by another program" if error.errno == errno.EADDRINUSE else "cannot be listened on"
                continue
            return int(probe.getsockname()[1])
    raise WrongSetting("--port", f"{wanted} {fault}", "name another one, or leave it out for any free one")


def _panel_port() -> int:
    """PANEL_PORT, or one of the next. No other demo of this user gets it while this process runs: the panel listens
    seconds later, on a port that processes may share, and would answer with the other demo's panel."""
    for port in range(PANEL_PORT, PANEL_PORT + PANEL_PORTS):
        name = Path(tempfile.gettempdir()) / f"passerby-panel-{os.getuid()}-{port}"
        try:
            lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((HOST, port))
        except OSError:
            os.close(lock)
        else:
            return port
    return _free_port(None, 0)


@contextmanager
def _only_demo_in(data: Path) -> Iterator[None]:
    """Lock `data` for this process: two demos in one directory would undo each other's work. Raises: WrongSetting."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = os.open(data / "demo.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        raise WrongSetting("--data", "cannot be made or written to", "name a directory that can, or none") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            remedy = "stop it first, or give this one a directory of its own: --data DIR"
            raise WrongSetting("--data", f"another demo is using {data}", remedy) from None
        yield
    finally:
        os.close(lock)
