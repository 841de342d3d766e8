"""Each connection tells the store about its server: which run of it this is, and whether a slot has moved here."""

from typing import Any

import pytest
from redis.exceptions import NoPermissionError

from passerby.adapters.redis.handshake import shake_hands, with_handshake
from passerby.adapters.redis.keys import Keys
from tests.adapters.redis.scripted import Command, ScriptedServer
from tests.staged import in_virtual_time

KEYS = Keys("passerby")
MINE, OTHER = b"a" * 40, b"b" * 40
ALONE = b"# Server\r\nredis_version:7.2\r\nrun_id:first\r\nredis_mode:standalone\r\n"
IN_CLUSTER = ALONE.replace(b"standalone", b"cluster")


def server(info: Any, before: Any = None, nodes: bytes = b"") -> ScriptedServer:
    """`before`: the run that the store holds. `nodes`: CLUSTER NODES."""

    def answer(command: Command) -> Any:
        match command:
            case [b"INFO", *_]:
                return info
            case [b"HGET", *_]:
                return before
            case [b"CLUSTER", b"MYID"]:
                return MINE
            case [b"CLUSTER", b"NODES"]:
                return nodes
        return [b"generation", 1, 0, b"5"]

    return ScriptedServer(answer)


def told(of: ScriptedServer) -> list[bytes]:
    """The input of the handshake: the run, and the run that the store has moved from."""
    *_, command = of.calls(b"EVAL")  # after a move, the first one asks whether all keys are here
    return command[6:8]


async def shaken(of: ScriptedServer) -> list[bytes]:
    assert await shake_hands(await of.connect(), KEYS, lambda: ("new", 7)) == [b"generation", 1, 0, b"5"]
    return told(of)


@in_virtual_time
async def test_each_run_of_a_server_has_its_own_name() -> None:
    assert await shaken(server(ALONE)) == [b"first", b""]
    assert await shaken(server(ALONE.replace(b"first", b"second"))) == [b"second", b""]
    assert await shaken(server(IN_CLUSTER)) == [b"first node " + MINE, b""]
    assert await shaken(server(IN_CLUSTER.replace(b"redis_mode", b"server_mode"))) == [b"first node " + MINE, b""]


@in_virtual_time
async def test_a_server_that_may_not_be_asked_has_no_name() -> None:
    assert await shaken(server(NoPermissionError("NOPERM"))) == [b"", b""]


@pytest.mark.parametrize(
    ("flags", "has_moved"),
    [
        (b"master", True),
        (b"slave", False),
        (b"master,fail", False),
        (b"master,fail?", False),
        (b"myself,master", False),
        (b"handshake", False),
    ],
)
@in_virtual_time
async def test_only_a_node_that_is_still_a_sound_master_has_given_its_slot_away(flags: bytes, has_moved: bool) -> None:
    """All others have lost it in a failover, which may have lost writes."""
    before = b"earlier node " + OTHER
    nodes = OTHER + b" 127.0.0.1:2@3 " + flags + b" - 0 0 2 connected\n" + MINE + b" 127.0.0.1:1@2 myself,master - 0\n"
    found = await shaken(server(IN_CLUSTER, before, nodes))
    assert found == [b"first node " + MINE, before if has_moved else b""]


@in_virtual_time
async def test_the_same_run_has_moved_from_nowhere() -> None:
    run = b"first node " + MINE
    nodes = MINE + b" 127.0.0.1:1@2 master - 0 0 1 connected\n"
    assert await shaken(server(IN_CLUSTER, run, nodes)) == [run, b""]
    assert await shaken(server(IN_CLUSTER, None, nodes)) == [run, b""]
    assert await shaken(server(IN_CLUSTER, b"first node " + OTHER, nodes)) == [run, b""], "that node is gone"


@in_virtual_time
async def test_a_connection_whose_handshake_fails_is_closed() -> None:
    refusing = ScriptedServer(lambda command: OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        await with_handshake(refusing.connect, KEYS, lambda: ())()
    assert refusing.lines[0].is_over
