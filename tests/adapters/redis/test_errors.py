"""The meaning of each error answer of Redis for a caller: nothing was done, perhaps a part of it, or there is a bug."""

from redis.exceptions import (
    AskError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from passerby.adapters.redis import RedisFull, RedisRefuses, RedisUnreachable, RedisUnsure, RedisWiped
from passerby.adapters.redis.errors import error_of, says_elsewhere
from passerby.ports.leases import Evicted, Fenced


def test_each_error_answer_shows_whether_anything_was_done() -> None:
    slot = "1 127.0.0.1:7000"
    nothing = [
        MovedError(slot),
        AskError(slot),
        TryAgainError(),
        ClusterDownError("down"),
        MasterDownError("down"),
        ReadOnlyError(),
        ResponseError("NOREPLICAS Not enough good replicas to write."),
        *(ResponseError(word) for word in ("BUSY", "MISCONF", "UNKILLABLE")),
        NoPermissionError(),
    ]
    assert {type(error_of(answer)) for answer in nothing} == {RedisRefuses}
    half = (
        "Attempted to access a non local key in a cluster node script: 1b93, on @user_script:3.",
        "Script attempted to access a non local key in a cluster node script: 1b93, on @user_script:3.",
        "Script attempted to execute a write command while the cluster is down and readonly",
    )
    assert {type(error_of(ResponseError(text))) for text in half} == {RedisUnsure}
    assert issubclass(RedisUnsure, RedisUnreachable)
    assert type(error_of(OutOfMemoryError())) is RedisFull
    assert "its memory is full" in str(error_of(OutOfMemoryError()))
    assert str(error_of(ResponseError("NOREPLICAS Not enough"))) == "too few of its replicas are connected"
    assert str(error_of(ReadOnlyError())) == "it is a replica, and takes no writes"
    ours = {"WIPED": RedisWiped, "CROWDED": RedisFull, "FENCED": Fenced, "EVICTED": Evicted}
    for word, meant in ours.items():
        assert type(error_of(ResponseError(f"{word} of our scripts"))) is meant
    bug = ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")
    assert error_of(bug) is bug
    elsewhere = [MovedError(slot), ClusterDownError("down"), MasterDownError("down"), ReadOnlyError()]
    assert all(map(says_elsewhere, elsewhere))
    assert not says_elsewhere(AskError(slot)), "the old node is still the one to ask"
