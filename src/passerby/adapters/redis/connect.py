"""Opens the store: finds the server that a URL means, and checks that its settings let nothing be lost.

    redis://[[user]:password@]host[:port][/db]           one server; rediss:// over TLS
    unix://[[user]:password@]/path[?db=0]                one server over a Unix socket
    redis+cluster://[…@]host[:port][,host[:port]…]       a cluster: the node that has our keys (see `keys`)
    redis+sentinel://[…@]host[:port][,…]/name[/db]       the master of that name, as the sentinels see it

`rediss+cluster` and `rediss+sentinel` are the same over TLS. Options after `?` are redis-py's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.crc import key_slot
from redis.exceptions import AuthenticationError, AuthenticationWrongNumberOfArgsError, RedisError, ResponseError

from passerby.adapters.redis import scripts
from passerby.adapters.redis.batcher import PATIENCE_S
from passerby.adapters.redis.errors import (
    RedisHalfRestored,
    RedisOtherKey,
    RedisUnfit,
    RedisUnreachable,
    error_of,
)
from passerby.adapters.redis.generation import begin_args, generation_of, handshake_args
from passerby.adapters.redis.handshake import shake_hands
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.store import RedisStore
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStoreLost

CONNECT_S = 3.0
Connect = Callable[[], Awaitable[AbstractConnection]]


class Opened(NamedTuple):
    """`warnings` are sentences for the operator."""

    store: RedisStore
    warnings: tuple[str, ...]


async def open_redis(
    url: str,
    clock: Clock,
    rng: Random,
    *,
    name: str = "passerby",
    replicas: int = 0,
    may_lose: bool = False,
    key_marks: Sequence[bytes] = (),
    key_is_lost: bool = False,
    release: int | None = None,
    looks: bool = False,
    restores: bool = False,
) -> Opened:
    """Check the server, then join the generation of the store there, or begin one.

    `name` is the start of every key, so several installations can share a server. With `replicas`, a write counts only
    when that many replicas have it: then a failover loses nothing, but the store is lost while replicas are missing.
    `may_lose` accepts a server that may lose the last seconds when it is killed. `key_marks`: one mark for our key and
    for each former key. The server keeps the first one, to notice a process with another key; `key_is_lost` accepts it.
    `release`: ours. A store that a newer one has used is refused. `looks`: do not note our release in the store.
    `restores`: for a restore of a backup, also if another one was ended before it was done.
    Raises: RedisOtherKey; RedisNewer; RedisHalfRestored; RedisUnfit, whose text is for the operator; LiveStoreLost.
    """
    keys = Keys(name)
    connect = connector(url, keys)
    fails_over = "+" in urlsplit(url).scheme
    try:
        async with asyncio.timeout(PATIENCE_S):
            connection = await connect()
            try:
                server = await _configured(connection)
                warnings = _check(server, replicas, fails_over=fails_over, may_lose=may_lose)
                # Whether the server may lack acknowledged writes after a restart or a failover.
                loose = not server.appends or server.syncs != "always" or (fails_over and not replicas)
                if not restores and await _is_half_restored(connection, keys):
                    raise RedisHalfRestored
                # This comes before the first handshake, so that every connection finds a generation.
                where = (keys.store, keys.workers, keys.leases, keys.journal)
                words = (
                    "EVAL",
                    scripts.BEGIN.source,
                    len(where),
                    *where,
                    *begin_args(clock, rng, release=release, looks=looks),
                )
                await connection.send_command(*words, check_health=False)
                await connection.read_response()
                if key_marks:
                    await _check_key(connection, keys, key_marks, key_is_lost=key_is_lost)
                generation = generation_of(
                    await shake_hands(connection, keys, lambda: handshake_args(clock, rng, loose=loose))
                )
            finally:
                await connection.disconnect(nowait=True)
    except (AuthenticationError, AuthenticationWrongNumberOfArgsError):
        raise RedisUnfit("Redis rejects the user and password of the URL") from None
    except ResponseError as answer:
        lost = error_of(answer)
        if isinstance(lost, LiveStoreLost):
            raise lost from None
        if str(answer).startswith("WRONGTYPE"):
            raise RedisUnfit(
                "another program uses our names in this Redis: give Passerby a database of its own"
            ) from None
        raise RedisUnfit("Redis does not run our scripts: Redis 7 or newer, or Valkey, is needed") from None
    except (RedisError, OSError):
        raise RedisUnreachable from None
    return Opened(
        RedisStore(connect, keys, clock, rng, generation, replicas=replicas, loose=loose, release=release), warnings
    )


async def _is_half_restored(connection: AbstractConnection, keys: Keys) -> bool:
    await connection.send_command("EXISTS", keys.restore, check_health=False)
    return bool(await connection.read_response())


def connector(url: str, keys: Keys) -> Connect:
    """Return a function that connects to the server that is the right one at that moment. Raises: RedisUnfit."""
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    login, _, hosts = parts.netloc.rpartition("@")
    login = f"{login}@" if login else ""
    path = parts.path
    master = ""
    if kind == "sentinel":
        _, master, *rest = (*parts.path.split("/"), "")
        path = "/" + "/".join(rest)
    try:
        seeds = [
            _settings(urlunsplit((scheme, login + host, path.rstrip("/"), parts.query, "")))
            for host in (hosts.split(",") if kind else [hosts])
        ]
    except ValueError:
        raise RedisUnfit("this is not a Redis URL: write redis://host:6379/0") from None

    async def straight() -> AbstractConnection:
        return await _connected(seeds[0])

    async def owner() -> AbstractConnection:
        slot = key_slot(keys.store)

        async def find(node: AbstractConnection) -> tuple[str, int] | None:
            await node.send_command("CLUSTER", "SLOTS", check_health=False)
            for first, last, (host, port, *_), *_ in await node.read_response():
                if first <= slot <= last:
                    return host.decode(), port
            return None

        return await _found(seeds, find)

    async def leader() -> AbstractConnection:
        async def find(sentinel: AbstractConnection) -> tuple[str, int] | None:
            await sentinel.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master, check_health=False)
            answer = await sentinel.read_response()
            return (answer[0].decode(), int(answer[1])) if answer is not None else None

        return await _found(seeds, find, values={"db": 0, "username": None, "password": None})

    ways: dict[str, Connect] = {"": straight, "cluster": owner, "sentinel": leader}
    if kind not in ways or (kind == "sentinel" and not master):
        raise RedisUnfit(
            "this is not a Redis URL: write redis+sentinel://host:26379/name, or redis+cluster://host:6379"
        )
    return ways[kind]


def _settings(url: str) -> dict[str, Any]:
    settings: dict[str, Any] = dict(parse_url(url))
    # redis-py's own time-out is off: a timer for each answer costs more than the answer. The batcher limits each batch.
    return {"socket_connect_timeout": CONNECT_S, **settings, "socket_timeout": None, "protocol": 2, "driver_info": None}


async def _connected(settings: dict[str, Any]) -> AbstractConnection:
    settings = dict(settings)
    make = settings.pop("connection_class", Connection)
    connection: AbstractConnection = make(**settings)
    await connection.connect()  # type: ignore[no-untyped-call]
    return connection


async def _found(
    seeds: list[dict[str, Any]],
    find: Callable[[AbstractConnection], Awaitable[tuple[str, int] | None]],
    values: dict[str, Any] | None = None,
) -> AbstractConnection:
    """Ask one seed after another with `find`, and connect to the address that it returns."""
    for seed in seeds:
        try:
            guide = await _connected({**seed, **(values or {})})
            try:
                place = await find(guide)
            finally:
                await guide.disconnect(nowait=True)
        except (RedisError, OSError):
            continue
        if place is not None:
            host, port = place
            return await _connected({**seed, "host": host or seed["host"], "port": port})
    raise ConnectionError("no node or sentinel knows the server")


async def _check_key(connection: AbstractConnection, keys: Keys, marks: Sequence[bytes], *, key_is_lost: bool) -> None:
    """Keep the mark of our key, if the store was used with this key or a former one. Raises: RedisOtherKey."""

    async def answer_to(*command: str | bytes) -> Any:
        await connection.send_command(*command, check_health=False)
        return await connection.read_response()

    if await answer_to("HSETNX", keys.store, "key", marks[0]):
        return
    kept = await answer_to("HGET", keys.store, "key")
    if kept not in marks and not key_is_lost:
        raise RedisOtherKey
    if kept != marks[0]:
        await answer_to("HSET", keys.store, "key", marks[0])


class _Configured(NamedTuple):
    """None for a setting that the server does not reveal: hosted servers often forbid CONFIG, but allow INFO."""

    policy: str | None
    appends: bool | None
    syncs: str | None


def _check(server: _Configured, replicas: int, *, fails_over: bool, may_lose: bool) -> tuple[str, ...]:
    """Return warnings. Raises: RedisUnfit."""
    if server.policy not in ("noeviction", None):
        raise RedisUnfit(
            f"Redis may delete our keys when memory is full (maxmemory-policy {server.policy}): set noeviction"
        )
    warnings = []
    if server.policy is None:
        warnings.append("Redis does not reveal its maxmemory-policy: make sure that it is noeviction")
    if server.appends is None:
        warnings.append("Redis does not reveal whether it keeps an append-only file: make sure that appendonly is yes")
    elif not server.appends:
        warnings.append("Redis keeps no append-only file (appendonly no): a restart of Redis loses everything")
    elif server.syncs not in ("always", None) and not replicas:
        # Measured: with everysec, kill -9 during a sync lost the last 200 acknowledged writes.
        risk = f"Redis may lose the last seconds when it is killed or the power goes (appendfsync {server.syncs})"
        if not may_lose:
            raise RedisUnfit(
                f"{risk}: set appendfsync always in Redis, or keep a replica and set REDIS_REPLICAS=1, "
                "or accept the loss with REDIS_MAY_LOSE_SECONDS=1"
            )
        warnings.append(f"{risk}, and REDIS_MAY_LOSE_SECONDS accepts that: every chat ends when Redis starts again")
    if fails_over and not replicas:
        warnings.append(
            "a failover may lose the last writes, because Redis answers before it replicates: set REDIS_REPLICAS=1"
        )
    return tuple(warnings)


async def _configured(connection: AbstractConnection) -> _Configured:
    async def answer_to(*command: str) -> Any:
        await connection.send_command(*command, check_health=False)
        try:
            return await connection.read_response(disconnect_on_error=False)
        except ResponseError:
            return None

    flat = await answer_to("CONFIG", "GET", "maxmemory-policy", "appendonly", "appendfsync") or []
    config = {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
    if {"maxmemory-policy", "appendonly"} <= config.keys():
        return _Configured(config["maxmemory-policy"], config["appendonly"] == "yes", config.get("appendfsync"))
    info = dict(line.split(":", 1) for line in (await answer_to("INFO") or b"").decode().splitlines() if ":" in line)
    on = info.get("aof_enabled")
    return _Configured(info.get("maxmemory_policy"), None if on is None else on == "1", None)
