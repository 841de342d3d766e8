"""What can go wrong with Redis, and which of its answers say so. All but `RedisUnfit` are the port's `LiveStoreLost`;
what a lease refuses is the port's own, too.

An answer that is none of these is a bug of ours (a script that does not run, a key of the wrong type) and passes as
redis-py raised it.
"""

from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from passerby.ports.leases import Evicted, Fenced
from passerby.ports.live_store import LiveStoreLost


class RedisUnreachable(LiveStoreLost):
    """No connection, or it broke, or no answer came in time. What was asked for last may have been done or not."""


class RedisUnsure(RedisUnreachable):
    """It stopped a script half way, so a part may have been done. No script of ours lets that happen (see
    `generation`).

    Whoever called reads again and decides again, as after an answer that never came.
    """


class RedisFull(LiveStoreLost):
    """`maxmemory` is reached, or the journal is as long as it may be; nothing was stored."""


class RedisRefuses(LiveStoreLost):
    """It is there and will not: read-only, out of replicas, its slot is moving, no permission. Nothing was stored."""


class RedisWiped(LiveStoreLost):
    """Another generation has begun since this store was opened, and nobody has adopted the records into it yet.

    Nothing was stored. `LiveStore.newborn` is true; `adopt` ends it.
    """


class RedisUnfit(Exception):
    """This server must not be used as it is set up. `str()` is a sentence for the operator."""


_OURS: dict[str, type[Exception]] = {"WIPED": RedisWiped, "CROWDED": RedisFull, "FENCED": Fenced, "EVICTED": Evicted}
"""The first words of what our scripts refuse with."""

# Each of these comes before anything is done. What redis-py has no class for is told by its first word. BUSY:
# somebody's script has been running for too long. LOADING breaks the connection, as redis-py sees it.
_NOT_NOW = frozenset({"MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE"})
_REFUSED = (AskError, ClusterDownError, ReadOnlyError, NoPermissionError, TryAgainError)
"""And their kinds MovedError and MasterDownError."""

_HALF_WAY = ("non local key", "while the cluster is down")
"""In what is said when a script was stopped. Redis and Valkey word the rest differently, and so do their versions."""


def told(answer: ResponseError) -> Exception:
    """The error that a caller gets for an answer of Redis. A bug's stays as it is."""
    text = str(answer)
    word = text.partition(" ")[0]
    if word in _OURS:
        return _OURS[word]()
    if isinstance(answer, OutOfMemoryError):
        return RedisFull()
    if word in _NOT_NOW or isinstance(answer, _REFUSED):
        return RedisRefuses()
    if any(words in text for words in _HALF_WAY):
        return RedisUnsure()
    return answer


def says_elsewhere(answer: ResponseError) -> bool:
    """Whether another server is the right one now: after a failover, or when a cluster's slot has moved.

    ASK does not say so: while a slot is moving, the old server is still the one to ask.
    """
    return isinstance(answer, (MovedError, ClusterDownError, ReadOnlyError))
