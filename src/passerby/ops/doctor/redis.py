"""Checks the Redis server: whether it answers, whether it can lose data, and whether it has enough memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.errors import RedisUnfit
from passerby.adapters.redis.keys import Keys
from passerby.ops.doctor.finding import GIB, Finding, ahead_by, fail, skew, warn, well
from passerby.ops.restore_note import AGAIN, PROBLEM
from passerby.settings import Settings

PATIENCE_S: Final = 5.0
OLDEST: Final = 7
FULL: Final = 0.8


async def checks(settings: Settings, now: Callable[[], float]) -> AsyncIterator[Finding]:
    if not settings.is_shared:
        return
    try:
        async with asyncio.timeout(PATIENCE_S):
            connection = await connector(settings.redis_url.get_secret_value(), Keys(settings.redis_name))()
            try:
                config = await _config(connection)
                info = await _info(connection)
                asked_at = now()
                seconds, microseconds = await _ask(connection, "TIME")
                is_half_restored = bool(await _ask(connection, "EXISTS", Keys(settings.redis_name).restore))
                ahead_s = ahead_by(asked_at, int(seconds) + int(microseconds) / 1e6, now())
            finally:
                await connection.disconnect(nowait=True)
    except RedisUnfit as unfit:
        yield fail("redis", str(unfit), "correct REDIS_URL")
        return
    except (RedisError, OSError) as error:
        # Only the type: the text may quote the URL.
        yield fail("redis", f"does not answer ({type(error).__name__})", "start it, or correct REDIS_URL")
        return
    if is_half_restored:
        yield fail("restore", PROBLEM, AGAIN)
    for finding in _judged(config, info, settings):
        yield finding
    yield skew("redis clock", ahead_s)


def _judged(config: dict[str, str], info: dict[str, str], settings: Settings) -> list[Finding]:
    """Findings from INFO and CONFIG. Hosted servers often forbid CONFIG."""
    return [
        _version(info),
        _policy(config.get("maxmemory-policy") or info.get("maxmemory_policy")),
        *_kept(config, info, settings),
        _room(info),
    ]


def _version(info: dict[str, str]) -> Finding:
    # Valkey reports two versions: the Redis version that it is compatible with, and its own.
    redis, valkey = info.get("redis_version", ""), info.get("valkey_version")
    told = f"Valkey {valkey}" if valkey else f"Redis {redis or '(it does not tell which)'}"
    major = redis.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        return fail("redis version", told, "use Redis 7 or newer, or Valkey")
    return well("redis version", told)


def _policy(policy: str | None) -> Finding:
    if policy is None:
        return warn("redis policy", "it does not tell its maxmemory-policy", "make sure that it is noeviction")
    if policy != "noeviction":
        remedy = "set maxmemory-policy noeviction: it throws keys of ours away otherwise"
        return fail("redis policy", f"maxmemory-policy {policy}", remedy)
    return well("redis policy", "noeviction")


def _kept(config: dict[str, str], info: dict[str, str], settings: Settings) -> list[Finding]:
    appends = config.get("appendonly") or {"1": "yes", "0": "no"}.get(info.get("aof_enabled", ""))
    if appends is None:
        return [warn("redis file", "it does not tell whether it keeps an append-only file", "set appendonly yes")]
    if appends != "yes":
        return [fail("redis file", "no append-only file: a restart of it loses everything", "set appendonly yes")]
    found = [well("redis file", "an append-only file is kept")]
    if info.get("aof_last_write_status", "ok") != "ok":
        found.append(fail("redis writes", "it could not write to its file last time", "look at its disk and its log"))
    syncs = config.get("appendfsync")
    replicas = int(info.get("connected_slaves", "0"))
    if settings.redis_replicas:
        enough = replicas >= settings.redis_replicas
        told = f"{replicas} replicas, and {settings.redis_replicas} must have what is stored (REDIS_REPLICAS)"
        found.append(
            well("redis replicas", told) if enough else fail("redis replicas", told, "start them, or nothing is stored")
        )
    elif syncs == "always":
        found.append(well("redis sync", "appendfsync always"))
    else:
        remedy = "set appendfsync always, or REDIS_REPLICAS=1 with a replica"
        told = f"appendfsync {syncs or 'unknown'}: a crash may lose the last second"
        is_refused = syncs is not None and not settings.redis_may_lose_seconds
        found.append((fail if is_refused else warn)("redis sync", told, remedy))
    return found


def _room(info: dict[str, str]) -> Finding:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not most:
        remedy = "set maxmemory to what the machine has to spare: refusing is better than being killed"
        return warn("redis memory", f"{used / GIB:.2f} GiB used, no maxmemory", remedy)
    told = f"{used / GIB:.2f} of {most / GIB:.2f} GiB used"
    return well("redis memory", told) if used < FULL * most else fail("redis memory", told, "give it more memory")


async def _config(connection: AbstractConnection) -> dict[str, str]:
    try:
        flat = await _ask(connection, "CONFIG", "GET", "maxmemory-policy", "appendonly", "appendfsync")
    except ResponseError:
        return {}
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}


async def _info(connection: AbstractConnection) -> dict[str, str]:
    try:
        told = await _ask(connection, "INFO")
    except ResponseError:
        return {}
    return dict(line.split(":", 1) for line in told.decode("utf-8", "replace").splitlines() if ":" in line)


async def _ask(connection: AbstractConnection, *command: str | bytes) -> Any:
    await connection.send_command(*command, check_health=False)
    return await connection.read_response(disconnect_on_error=False)
