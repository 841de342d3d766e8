"""A look into Redis: memory by kind of key, slow commands, latency events, the append-only file and replicas."""

from collections import defaultdict
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from passerby.adapters.redis import scripts
from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.keys import Keys
from passerby.ops.doctor.finding import Finding, warn, well
from passerby.ops.slow.insight import Insight, size
from passerby.settings import Settings

MOST_KEYS: Final = 20_000
PAGE: Final = 500
SLOW_US: Final = 50_000
RECENT_S: Final = 86_400.0
LATE_MS: Final = 100
KNOWN: Final = {
    each.sha.decode(): name.lower() for name, each in vars(scripts).items() if isinstance(each, scripts.Script)
}


async def insight(settings: Settings, now: float) -> Insight:
    """In a cluster, of the node with our keys. Raises: RedisError, OSError."""
    connection = await connector(settings.redis_url.get_secret_value(), Keys(settings.redis_name))()
    try:
        info = _pairs(await _ask(connection, "INFO"))
        memory, seen, is_whole = await _memory(connection, f"{{{settings.redis_name}}}:")
        slow = await _optional(connection, "SLOWLOG", "GET", "10") or []
        late = await _optional(connection, "LATENCY", "LATEST") or []
    finally:
        await connection.disconnect(nowait=True)
    rows = sorted(memory.items(), key=lambda each: -each[1])
    return Insight(
        figures={
            "memory": f"{size(int(info.get('used_memory', 0)))}, of which keys {size(sum(memory.values()))}",
            "keys looked at": f"{seen}" if is_whole else f"the first {seen}",
            "append-only file": "yes" if info.get("aof_enabled") == "1" else "no",
            "last write to it": info.get("aof_last_write_status", "unknown"),
            "role": info.get("role", "unknown"),
            "replicas": info.get("connected_slaves", "0"),
        },
        tables={
            "memory by kind of key": [["kind", "size"], *([kind, size(total)] for kind, total in rows)],
            "slow commands": [["command", "ms", "ago"], *(_slow_row(each, now) for each in slow)],
            "latency events": [["event", "last, ms", "most, ms"], *([_text(e[0]), str(e[2]), str(e[3])] for e in late)],
        },
        findings=[_slow(slow, now), _late(late), *_state(info)],
    )


async def _memory(connection: AbstractConnection, prefix: str) -> tuple[dict[str, int], int, bool]:
    """The bytes by kind of key, how many keys were looked at, and whether these are all."""
    found: defaultdict[str, int] = defaultdict(int)
    cursor, seen = "0", 0
    while True:
        cursor_bytes, keys = await _ask(connection, "SCAN", cursor, "MATCH", f"{_literal(prefix)}*", "COUNT", str(PAGE))
        for key in keys:
            await connection.send_command("MEMORY", "USAGE", key, check_health=False)
        for key in keys:
            used = await connection.read_response(disconnect_on_error=False)
            kind = _text(key).removeprefix(prefix).partition(":")[0]
            found[kind] += used or 0
        seen += len(keys)
        cursor = _text(cursor_bytes)
        if cursor == "0" or seen >= MOST_KEYS:
            return dict(found), seen, cursor == "0"


def _literal(prefix: str) -> str:
    return "".join(f"\\{each}" if each in "*?[]\\" else each for each in prefix)


def _slow_row(entry: Any, now: float) -> list[str]:
    return [_command(entry[3]), f"{entry[2] / 1000:.1f}", f"{max(0.0, now - entry[1]):.0f} s"]


def _command(words: list[bytes]) -> str:
    """The command, with the name of our script. Never its values."""
    name = _text(words[0]).upper()
    return f"{name} {KNOWN.get(_text(words[1]), 'a foreign script')}" if name == "EVALSHA" and len(words) > 1 else name


def _slow(slow: list[Any], now: float) -> Finding:
    recent = [each for each in slow if each[2] >= SLOW_US and now - each[1] < RECENT_S]
    if not recent:
        return well("redis commands", "none of the last day took longer than 50 ms")
    worst = max(recent, key=lambda each: each[2])
    told = f"{_command(worst[3])} took {worst[2] / 1000:.0f} ms; slow commands in a day: {len(recent)}"
    return warn("redis commands", told, "look for other programs on this server, and for a slow disk or swap")


def _late(late: list[Any]) -> Finding:
    worst = max(late, key=lambda each: each[3], default=None)
    if worst is None or worst[3] < LATE_MS:
        return well("redis latency", "no event of more than 100 ms")
    told = f"{_text(worst[0])} took up to {worst[3]} ms"
    return warn("redis latency", told, "a faster disk for the append-only file, or no swap, helps most")


def _state(info: dict[str, str]) -> list[Finding]:
    found = []
    if info.get("aof_last_bgrewrite_status", "ok") != "ok":
        found.append(warn("redis rewrite", "the last rewrite of its file failed", "look at its disk and its log"))
    if info.get("role") == "slave" and info.get("master_link_status") != "up":
        found.append(warn("redis replica", "this replica has lost its master", "look at the network between the two"))
    if int(info.get("evicted_keys", "0")):
        found.append(warn("redis evictions", "it has thrown keys away", "set maxmemory-policy noeviction"))
    return found or [well("redis state", "file and replication are in order")]


def _pairs(told: Any) -> dict[str, str]:
    return dict(line.split(":", 1) for line in _text(told).splitlines() if ":" in line)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


async def _optional(connection: AbstractConnection, *command: str) -> Any:
    """Hosted servers often forbid these."""
    try:
        return await _ask(connection, *command)
    except ResponseError:
        return None


async def _ask(connection: AbstractConnection, *command: str) -> Any:
    await connection.send_command(*command, check_health=False)
    return await connection.read_response(disconnect_on_error=False)
