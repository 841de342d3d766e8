"""The errors of Redis, and which of its answers mean which error. All but `RedisUnfit` are the port's `LiveStoreLost`;
refusals of a lease are the port's errors as well.

Any other error answer is a bug of ours (a script that does not run, a key of the wrong type). It passes unchanged, as
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
    """No connection, a broken one, or no answer in time. The last call may have been carried out or not."""


class RedisUnsure(RedisUnreachable):
    """Redis stopped a script half way, so a part may have been done. Our scripts are written so that this cannot happen
    (see `generation`).

    The caller reads and decides again, as after a lost answer.
    """


class RedisFull(LiveStoreLost):
    """`maxmemory` is reached, or the journal is full. Nothing was stored."""


class RedisRefuses(LiveStoreLost):
    """The server is there but refuses: read-only, too few replicas, its slot is moving, no permission. Nothing was
    stored."""


class RedisWiped(LiveStoreLost):
    """Another generation has begun since this store was opened, and nobody has adopted the records into it yet.

    Nothing was stored. `LiveStore.newborn` is true until `adopt` has run.
    """


class RedisNewer(LiveStoreLost):
    """A newer release of Passerby uses this store. Nothing was done, and nothing will be, for this release."""


class RedisUnfit(Exception):
    """This server's settings make it unfit for use. `str()` is a sentence for the operator."""


class RedisHalfRestored(Exception):
    """A restore of a backup was ended before it was done."""


class RedisOtherKey(Exception):
    """The data here was encrypted with a key that this process does not have."""


_OURS: dict[str, type[Exception]] = {
    "NEWER": RedisNewer,
    "WIPED": RedisWiped,
    "CROWDED": RedisFull,
    "FENCED": Fenced,
    "EVICTED": Evicted,
}
"""The first words of our scripts' errors."""

# Redis answers each of these before it does anything. Errors without a class in redis-py are known by their first word.
# BUSY: some script has been running for too long. LOADING is not here: redis-py treats it as a broken connection.
_NOT_NOW = frozenset({"MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE"})
_REFUSED = (AskError, ClusterDownError, ReadOnlyError, NoPermissionError, TryAgainError)
"""MovedError and MasterDownError are subclasses of these."""

_SENTENCES: dict[str, str] = {
    "OOM": "its memory is full: make room, or raise maxmemory",
    "MISCONF": "it cannot save to its disk",
    "NOREPLICAS": "too few of its replicas are connected",
    "READONLY": "it is a replica, and takes no writes",
    "NOPERM": "its user lacks a right",
    "CLUSTERDOWN": "the cluster is down",
}
"""For the operator, by the first word of the answer. redis-py leaves out the word if it has a class for it."""

_CLASSES: dict[type[ResponseError], str] = {
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
    NoPermissionError: "NOPERM",
    ClusterDownError: "CLUSTERDOWN",
}

_HALF_WAY = ("non local key", "while the cluster is down")
"""Parts of the error for a stopped script. Redis, Valkey and their versions word the rest differently."""


def error_of(answer: ResponseError) -> Exception:
    """Return the error that a caller gets for an error answer of Redis. A bug's error stays as it is."""
    text = str(answer)
    word = text.partition(" ")[0]
    if word in _OURS:
        return _OURS[word]()
    sentence = _SENTENCES.get(_CLASSES.get(type(answer), word), "")
    if isinstance(answer, OutOfMemoryError):
        return RedisFull(sentence)
    if word in _NOT_NOW or isinstance(answer, _REFUSED):
        return RedisRefuses(sentence)
    if any(words in text for words in _HALF_WAY):
        return RedisUnsure()
    return answer


def says_elsewhere(answer: ResponseError) -> bool:
    """Whether another server is the right one now: after a failover, or because a slot of the cluster has moved.

    ASK is not one of these answers: while a slot is moving, the old server is still the right one.
    """
    return isinstance(answer, (MovedError, ClusterDownError, ReadOnlyError))
