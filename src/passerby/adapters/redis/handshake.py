"""The first call on every connection. handshake.lua says why it is needed."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError

from passerby.adapters.redis.calls import Word
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.line import Connect
from passerby.adapters.redis.scripts import HANDSHAKE, WHOLE

_NODE: Final = b" node "
"""Separates a run from its node."""

Words = Callable[[], Sequence[Word]]
"""Returns the arguments of handshake.lua that follow the server's run."""


def with_handshake(connect: Connect, keys: Keys, words: Words) -> Connect:
    """Return a `connect` that shakes hands on every new connection."""

    async def connect_and_shake_hands() -> AbstractConnection:
        connection = await connect()
        try:
            await shake_hands(connection, keys, words)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    return connect_and_shake_hands


async def shake_hands(connection: AbstractConnection, keys: Keys, words: Words) -> Any:
    """Call handshake.lua and return its answer."""
    run = await _run_of(connection)
    moved_from = await _moved_from(connection, keys, run) if _NODE in run else b""
    misses_keys = int(bool(moved_from) and not await _is_whole(connection, keys))
    where = (keys.store, keys.workers, keys.leases)
    command = ("EVAL", HANDSHAKE.source, len(where), *where, run, moved_from, *words(), misses_keys)
    await connection.send_command(*command, check_health=False)
    return await connection.read_response()


async def _run_of(connection: AbstractConnection) -> bytes:
    """Return a name of this run of this server, with its node in a cluster; empty if the server does not reveal it."""
    info = await _answer_to(connection, "INFO", "server")
    lines = dict(line.split(b":", 1) for line in (info or b"").splitlines() if b":" in line)
    run: bytes = lines.get(b"run_id", b"")
    modes = (lines.get(b"redis_mode"), lines.get(b"server_mode"))  # Redis's name for it, and Valkey's
    node = await _answer_to(connection, "CLUSTER", "MYID") if b"cluster" in modes else None
    return run + _NODE + node if node else run


async def _moved_from(connection: AbstractConnection, keys: Keys, run: bytes) -> bytes:
    """Return the run that the whole store has moved from, as a cluster moves a slot; empty if it has not moved.

    After a move, the old node is still a master. After a failover it is not: it has failed or is a replica now.
    """
    before = await _answer_to(connection, "HGET", keys.store.decode(), "run")
    if not before or before == run:
        return b""
    node = before.partition(_NODE)[2]
    for line in (await _answer_to(connection, "CLUSTER", "NODES") or b"").splitlines():
        name, _, flags, *_ = line.split(b" ")
        if name == node and set(flags.split(b",")) <= {b"master", b"myself"}:
            return before if b"myself" not in flags.split(b",") else b""
    return b""


async def _is_whole(connection: AbstractConnection, keys: Keys) -> bool:
    """Whether all keys have come along to this node (see whole.lua)."""
    where = (
        keys.store,
        keys.people,
        keys.chats,
        keys.idle_chats,
        keys.idle,
        keys.waiting,
        keys.gone,
        keys.tickets,
        keys.outbox,
        keys.order,
        keys.turns,
        keys.journal,
    )
    await connection.send_command("EVAL", WHOLE.source, len(where), *where, check_health=False)
    return bool(await connection.read_response())


async def _answer_to(connection: AbstractConnection, *command: str) -> Any:
    """Return the server's answer; None if we lack the permission to ask."""
    await connection.send_command(*command, check_health=False)
    try:
        return await connection.read_response(disconnect_on_error=False)
    except NoPermissionError:
        return None
