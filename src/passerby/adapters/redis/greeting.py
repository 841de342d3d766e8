"""What is said first on a connection, before any call: greet.lua says why."""

from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError

from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.pipe import Connect
from passerby.adapters.redis.scripts import GREET

GAP: Final = 1_000_000
"""More than is stored in the seconds that a failover or the loss of power can cost."""


def greeted(connect: Connect, keys: Keys) -> Connect:
    """The same way, greeting whoever answers."""

    async def connect_and_greet() -> AbstractConnection:
        connection = await connect()
        try:
            run = await _run_of(connection)
            if run is not None:
                await connection.send_command("EVAL", GREET.source, 1, keys.life, run, GAP, check_health=False)
                await connection.read_response()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    return connect_and_greet


async def _run_of(connection: AbstractConnection) -> bytes | None:
    """Names one run of one server; None where that is not told."""
    await connection.send_command("INFO", "server", check_health=False)
    try:
        told: bytes = await connection.read_response(disconnect_on_error=False)
    except NoPermissionError:
        return None
    return next((line.removeprefix(b"run_id:") for line in told.split() if line.startswith(b"run_id:")), None)
