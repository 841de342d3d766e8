"""What can go wrong with Redis, and which of its answers say so. All but `RedisUnfit` are the port's `LiveStoreLost`.

An answer that is none of these is a bug of ours (a script that does not run, a key of the wrong type) and passes as
redis-py raised it.
"""

from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError, ResponseError

from passerby.ports.live_store import LiveStoreLost


class RedisUnreachable(LiveStoreLost):
    """No connection, or it broke, or no answer came in time. What was asked for last may have been done or not."""


class RedisFull(LiveStoreLost):
    """`maxmemory` is reached; nothing was stored."""


class RedisRefuses(LiveStoreLost):
    """It is there and will not: loading, read-only, out of replicas, no permission. Nothing was stored."""


class RedisWiped(LiveStoreLost):
    """Another life has begun since this store was opened, and nobody has adopted the records into it yet.

    Nothing was stored. `LiveStore.newborn` is true; `adopt` ends it.
    """


class RedisUnfit(Exception):
    """This server must not be used as it is set up. `str()` is a sentence for the operator."""


# The first word of an answer that says: not here, or not now.
_ELSEWHERE = frozenset({"MOVED", "ASK", "READONLY", "MASTERDOWN", "CLUSTERDOWN"})
_NOT_NOW = frozenset(
    {"LOADING", "NOPERM", "NOAUTH", "WRONGPASS", "MISCONF", "NOREPLICAS", "TRYAGAIN", "BUSY", "UNKILLABLE"}
)


def told(answer: ResponseError) -> Exception:
    """The error that a caller gets for an answer of Redis. A bug's stays as it is."""
    word = str(answer).split(" ", 1)[0]
    if word == "WIPED":
        return RedisWiped()
    if isinstance(answer, OutOfMemoryError):
        return RedisFull()
    if word in _NOT_NOW or isinstance(answer, NoPermissionError) or says_elsewhere(answer):
        return RedisRefuses()
    return answer


def says_elsewhere(answer: ResponseError) -> bool:
    """Whether another server is the right one now: after a failover, or a cluster's slots have moved."""
    return isinstance(answer, ReadOnlyError) or str(answer).split(" ", 1)[0] in _ELSEWHERE
