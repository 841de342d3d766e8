"""What is said first on a connection, before any call: handshake.lua says why."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError

from passerby.adapters.redis.batcher import Connect, Word
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.scripts import HANDSHAKE

_NODE: Final = b" node "
"""Between a run and its node."""

Words = Callable[[], Sequence[Word]]
"""What handshake.lua is told besides the server's run."""


def with_handshake(connect: Connect, keys: Keys, words: Words) -> Connect:
    """The same way, greeting whoever answers."""

    async def connect_and_greet() -> AbstractConnection:
        connection = await connect()
        try:
            await greet(connection, keys, words)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    return connect_and_greet


async def greet(connection: AbstractConnection, keys: Keys, words: Words) -> Any:
    """What handshake.lua returns."""
    run = await _run_of(connection)
    moved_from = await _moved_from(connection, keys, run) if _NODE in run else b""
    command = ("EVAL", HANDSHAKE.source, 3, keys.store, keys.workers, keys.leases, run, moved_from, *words())
    await connection.send_command(*command, check_health=False)
    return await connection.read_response()


async def _run_of(connection: AbstractConnection) -> bytes:
    """Names one run of one server, and its node in a cluster; empty where that is not told."""
    told = await _asked(connection, "INFO", "server")
    lines = dict(line.split(b":", 1) for line in (told or b"").splitlines() if b":" in line)
    run: bytes = lines.get(b"run_id", b"")
    modes = (lines.get(b"redis_mode"), lines.get(b"server_mode"))  # Redis calls it so, and Valkey so
    node = await _asked(connection, "CLUSTER", "MYID") if b"cluster" in modes else None
    return run + _NODE + node if node else run


async def _moved_from(connection: AbstractConnection, keys: Keys, run: bytes) -> bytes:
    """The run that the store has moved here from, whole, as a slot of a cluster moves; empty if it has not.

    The node that had it is a master still. After a failover it is not: then it has failed, or is a replica now.
    """
    before = await _asked(connection, "HGET", keys.store.decode(), "run")
    if not before or before == run:
        return b""
    node = before.partition(_NODE)[2]
    for line in (await _asked(connection, "CLUSTER", "NODES") or b"").splitlines():
        name, _, flags, *_ = line.split(b" ")
        if name == node and set(flags.split(b",")) <= {b"master", b"myself"}:
            return before if b"myself" not in flags.split(b",") else b""
    return b""


async def _asked(connection: AbstractConnection, *command: str) -> Any:
    """What the server answers; None where it may not be asked."""
    await connection.send_command(*command, check_health=False)
    try:
        return await connection.read_response(disconnect_on_error=False)
    except NoPermissionError:
        return None
