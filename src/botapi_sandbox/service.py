"""A running sandbox: a world with its server, timer, webhooks and state file, in the caller's event loop.

async with running(world, port=0) as sandbox:
    print(sandbox.url)
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection, Generator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from botapi_sandbox.server import App
from botapi_sandbox.state_file import StateFile, load
from botapi_sandbox.webhook_sender import WebhookSender
from botapi_sandbox.wire import Protocol
from botapi_sandbox.world import Switches, World

LONGEST_NAP_S = 0.25
"""The timer may be late by up to this time."""
_BACKLOG = 512


def unix_clock() -> float:
    """The sandbox reads real time only here."""
    return time.time()  # noqa: TID251 - the shell's clock; the core takes it as an argument


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox."""

    world: World
    host: str
    port: int

    @property
    def url(self) -> str:
        """The base address, http://host:port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def make_world(
    *,
    bots: int = 3,
    seed: int | None = None,
    state: Path | None = None,
    switches: Switches | None = None,
    clock: Callable[[], float] = unix_clock,
) -> World:
    """A world with at least `bots` bots. It continues from the state file if there is one.

    Without a seed, random choices differ from run to run. The tokens are still those of seed 0, so that the settings of
    a bot stay valid.
    Raises: state_file.UnreadableState, OSError.
    """
    kept = load(state) if state is not None else None
    rng = None if seed is not None else random.Random(secrets.randbits(64))  # noqa: S311 - pretence, not secrecy
    world = World(clock=clock, rng=rng, switches=switches, state=kept, seed=seed or 0)
    while len(world.state.bots) < bots:
        world.add_bot()
    return world


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: the program that runs the loop handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.asynccontextmanager
async def running(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    state: Path | None = None,
    hosts: Collection[str] = (),
) -> AsyncIterator[Sandbox]:
    """Serve `world` until the block ends. Port 0 takes a free port. `hosts` are further names that requests may use for
    this server. Raises: OSError, if the port is taken."""
    listener = _listen(host, port)
    app = App(world, (host, *hosts))
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        backlog=_BACKLOG,
    )
    server = _Server(config)
    file = StateFile(world, state) if state is not None else None
    if file is not None:
        file.load_blobs()
    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            sender = WebhookSender(world, tasks)
            serving = tasks.create_task(server.serve(sockets=[listener]))
            helpers = [tasks.create_task(_tick(world))]
            if file is not None:
                helpers.append(tasks.create_task(file.run()))
            try:
                while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event
                    await asyncio.sleep(0.005)
                sender.start()
                yield Sandbox(world, host, listener.getsockname()[1])
            except Exception as error:  # noqa: BLE001 - raised again below, as itself and not as one of a group
                failure = error
            finally:
                app.close()
                sender.stop()
                for helper in helpers:
                    helper.cancel()
                server.should_exit = True
    finally:
        listener.close()
        if file is not None:
            file.save()
    if failure is not None:
        raise failure


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


async def _tick(world: World) -> None:
    while True:
        due = world.next_due()
        nap_s = LONGEST_NAP_S if due is None else min(LONGEST_NAP_S, max(0.01, due - world.now()))
        await asyncio.sleep(nap_s)
        world.tick()


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8081,
    bots: int = 3,
    seed: int | None = None,
    state: Path | None = None,
    switches: Switches | None = None,
    started: Callable[[Sandbox], None] | None = None,
) -> None:
    """Make a world and serve it until cancelled. `started` is called when it listens."""
    world = make_world(bots=bots, seed=seed, state=state, switches=switches)
    async with running(world, host=host, port=port, state=state) as sandbox:
        if started is not None:
            started(sandbox)
        await asyncio.Event().wait()
