"""What can go wrong with Redis, and which of its answers say so. All but `RedisUnfit` are the port's `LiveStoreLost`;
what a lease refuses is the port's own, too.

An answer that is none of these is a bug of ours (a script that does not run, a key of the wrong type) and passes as
redis-py raised it.
"""

from redis.exceptions import (
    AskError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from passerby.ports.leases import Buried, Fenced
from passerby.ports.live_store import LiveStoreLost


class RedisUnreachable(LiveStoreLost):
    """No connection, or it broke, or no answer came in time. What was asked for last may have been done or not."""


class RedisFull(LiveStoreLost):
    """`maxmemory` is reached, or the journal is as long as it may be; nothing was stored."""


class RedisRefuses(LiveStoreLost):
    """It is there and will not: loading, read-only, out of replicas, no permission. Nothing was stored."""


class RedisWiped(LiveStoreLost):
    """Another life has begun since this store was opened, and nobody has adopted the records into it yet.

    Nothing was stored. `LiveStore.newborn` is true; `adopt` ends it.
    """


class RedisUnfit(Exception):
    """This server must not be used as it is set up. `str()` is a sentence for the operator."""


_OURS: dict[str, type[Exception]] = {"WIPED": RedisWiped, "CROWDED": RedisFull, "FENCED": Fenced, "BURIED": Buried}
"""The first words of what our scripts refuse with."""

# What redis-py has no class for. BUSY: somebody's script has been running for too long.
_NOT_NOW = frozenset({"MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE"})
_ELSEWHERE = (AskError, ClusterDownError, ReadOnlyError)
"""And their kinds MovedError and MasterDownError."""


def told(answer: ResponseError) -> Exception:
    """The error that a caller gets for an answer of Redis. A bug's stays as it is."""
    word = str(answer).partition(" ")[0]
    if word in _OURS:
        return _OURS[word]()
    if isinstance(answer, OutOfMemoryError):
        return RedisFull()
    if word in _NOT_NOW or isinstance(answer, (*_ELSEWHERE, NoPermissionError, TryAgainError)):
        return RedisRefuses()
    return answer


def says_elsewhere(answer: ResponseError) -> bool:
    """Whether another server may be the right one now: after a failover, or when a cluster's slots have moved."""
    return isinstance(answer, _ELSEWHERE)
