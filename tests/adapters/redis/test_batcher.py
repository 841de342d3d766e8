"""Calls in batches, against a server that answers late, wrongly, or without its replicas."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import MovedError, NoScriptError, ReadOnlyError, ResponseError

from passerby.adapters.redis import RedisRefuses, RedisUnreachable
from passerby.adapters.redis import scripts as real
from passerby.adapters.redis.batcher import BATCH, LINES, LOADS, PENDING, Batcher
from passerby.adapters.redis.scripts import Script
from passerby.ports.live_store import LiveStoreLost
from tests.adapters.redis.scripted import SEAL, Command, ScriptedServer, script
from tests.staged import in_virtual_time

WRITE, LASTING, READ = script("write"), script("lasting", lasting=True), script("read", writes=False)


def name_of(command: Command) -> Any:
    """The answer of a server where all goes well: each script returns its own argument."""
    return {b"SCRIPT": b"OK", b"WAIT": 1, b"GET": b"value"}.get(command[0], command[-1])


def batcher(server: ScriptedServer, **options: Any) -> Batcher:
    return Batcher(server.connect, SEAL, b"generation", **options)


def ask(of: Batcher, what: Script, word: str) -> Awaitable[Any]:
    return asyncio.ensure_future(of.call(what, (), (word,)))


def once(error: Exception, is_it: Callable[[Command], bool]) -> Callable[[Command], Any]:
    """Answer with this error the first time that such a command comes."""
    left = [error]

    def answer(command: Command) -> Any:
        return left.pop() if left and is_it(command) else name_of(command)

    return answer


@in_virtual_time
async def test_each_caller_gets_their_own_answer() -> None:
    server = ScriptedServer(name_of)
    calls = batcher(server)
    found = await asyncio.gather(*(ask(calls, WRITE, f"{number}") for number in range(3 * BATCH)))
    assert found == [f"{number}".encode() for number in range(3 * BATCH)]
    assert len(server.lines) <= LINES


@in_virtual_time
async def test_an_answer_that_comes_too_late_is_nobodys() -> None:
    """The connection with the late answer is given up. Otherwise every later caller would get the answer before."""
    late = asyncio.get_running_loop().create_future()
    server = ScriptedServer(lambda command: late)
    calls = batcher(server, lines=1)
    with pytest.raises(RedisUnreachable):
        await ask(calls, WRITE, "first")
    server.answer = name_of
    late.set_result(b"first")
    assert await ask(calls, WRITE, "second") == b"second"
    assert [line.is_over for line in server.lines] == [True, False]


@pytest.mark.parametrize("error", [Broken("gone"), ReadOnlyError("READONLY"), MovedError("1 127.0.0.1:1")])
@in_virtual_time
async def test_a_call_that_met_a_server_that_is_gone_or_demoted_is_made_once_more(error: Exception) -> None:
    returns = []
    server = ScriptedServer(once(error, lambda command: command[-1] == b"b"))
    calls = batcher(server, lines=1)
    calls.on_return = lambda: returns.append(len(server.lines))
    found = await asyncio.gather(*(ask(calls, WRITE, word) for word in "abc"))
    assert found == [b"a", b"b", b"c"]
    assert returns == [2], "the new connection may lead to another server"
    assert server.lines[0].is_over


@pytest.mark.parametrize("error", [ReadOnlyError("READONLY"), MovedError("1 127.0.0.1:1")])
@in_virtual_time
async def test_a_read_whose_seal_met_a_demoted_server_is_made_once_more(error: Exception) -> None:
    """A demoted server answers plain reads from old data. Only its refusal of the seal shows that."""
    server = ScriptedServer(once(error, lambda command: command[1] == SEAL.sha))
    calls = batcher(server)
    assert await calls.read(("GET", "a"), ("GET", "b")) == [b"value", b"value", b"generation"]
    assert len(server.lines) == 2
    server.answer = lambda command: ReadOnlyError("READONLY") if command[1] == SEAL.sha else b"old"
    with pytest.raises(LiveStoreLost):
        await calls.read(("GET", "a"))


@in_virtual_time
async def test_a_server_that_stays_demoted_refuses_after_the_second_try() -> None:
    server = ScriptedServer(lambda command: ReadOnlyError("READONLY"))
    with pytest.raises(RedisRefuses):
        await ask(batcher(server), WRITE, "a")
    assert len(server.calls()) == 2
    server = ScriptedServer(lambda command: Broken("gone"))
    with pytest.raises(RedisUnreachable):
        await ask(batcher(server), WRITE, "a")
    assert len(server.calls()) == 2


@in_virtual_time
async def test_scripts_that_the_server_forgot_are_loaded_and_called_again() -> None:
    known = set[bytes]()

    def answer(command: Command) -> Any:
        if command[0] == b"SCRIPT":
            known.add(command[2])
            return b"OK"
        source = {WRITE.sha: WRITE, READ.sha: READ, SEAL.sha: SEAL}.get(command[1])
        return name_of(command) if source is None or source.source.encode() in known else NoScriptError("NOSCRIPT")

    server = ScriptedServer(answer)
    calls = batcher(server)
    found = await asyncio.gather(
        ask(calls, WRITE, "a"), ask(calls, READ, "b"), calls.read(("GET", "c")), ask(calls, WRITE, "d")
    )
    assert found == [b"a", b"b", [b"value", b"generation"], b"d"]
    loaded = [command[2] for command in server.calls(b"SCRIPT")]
    assert sorted(loaded) == sorted(each.source.encode() for each in (WRITE, READ, SEAL)), "each of them once"


@in_virtual_time
async def test_a_server_that_forgets_scripts_at_once_is_given_up() -> None:
    server = ScriptedServer(lambda command: b"OK" if command[0] == b"SCRIPT" else NoScriptError("NOSCRIPT"))
    with pytest.raises(RedisRefuses):
        await ask(batcher(server), WRITE, "a")
    assert len(server.calls(b"SCRIPT")) == LOADS


@in_virtual_time
async def test_a_lasting_write_is_answered_once_its_replicas_have_it() -> None:
    acknowledged: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    server = ScriptedServer(lambda command: acknowledged if command[0] == b"WAIT" else name_of(command))
    calls = batcher(server, replicas=2)
    written = ask(calls, LASTING, "a")
    other = ask(calls, READ, "b")
    await asyncio.sleep(5.0)
    assert [written.done(), other.done()] == [False, False], "the server has answered, but not the replicas"  # type: ignore[attr-defined]
    acknowledged.set_result(2)
    assert [await written, await other] == [b"a", b"b"]
    assert server.calls(b"WAIT") == [[b"WAIT", b"2", b"1000"]]


@in_virtual_time
async def test_a_lasting_write_that_too_few_replicas_have_is_not_acknowledged() -> None:
    server = ScriptedServer(name_of)
    calls = batcher(server, replicas=2)
    written, passing, found = ask(calls, LASTING, "a"), ask(calls, WRITE, "b"), ask(calls, READ, "c")
    with pytest.raises(RedisUnreachable):
        await written
    assert [await passing, await found] == [b"b", b"c"], "others need no replica"
    assert len(server.calls(b"WAIT")) == 1


@in_virtual_time
async def test_reads_and_lasting_writes_of_one_batch_each_get_their_own_answers() -> None:
    server = ScriptedServer(name_of)
    calls = batcher(server, replicas=1)
    found = await asyncio.gather(
        *(ask(calls, LASTING, word) for word in "abc"), calls.read(("GET", "a"), ("GET", "b")), ask(calls, WRITE, "d")
    )
    assert found == [b"a", b"b", b"c", [b"value", b"value", b"generation"], b"d"]
    assert len(server.calls(b"WAIT")) == 1


@in_virtual_time
async def test_writes_that_need_not_last_wait_for_no_replica() -> None:
    server = ScriptedServer(name_of)
    calls = batcher(server, replicas=1)
    assert [await ask(calls, WRITE, "a"), await ask(calls, READ, "b")] == [b"a", b"b"]
    assert server.calls(b"WAIT") == []


@in_virtual_time
async def test_a_bug_in_a_script_concerns_only_its_caller() -> None:
    server = ScriptedServer(once(ResponseError("ERR wrong type"), lambda command: command[-1] == b"b"))
    calls = batcher(server, lines=1)
    one, two, three = (ask(calls, WRITE, word) for word in "abc")
    with pytest.raises(ResponseError, match="wrong type"):
        await two
    assert [await one, await three] == [b"a", b"c"]
    assert len(server.lines) == 1
    assert len(server.calls()) == 3


@in_virtual_time
async def test_only_so_many_calls_wait_and_the_others_follow() -> None:
    """A caller that finds the queue full waits outside. So a server that is slow does not fill our memory."""
    gate = asyncio.get_running_loop().create_future()
    server = ScriptedServer(lambda command: gate)
    calls = batcher(server, patience_s=60.0)
    asked = [ask(calls, WRITE, f"{number}") for number in range(PENDING + (LINES + 2) * BATCH)]
    await asyncio.sleep(1.0)
    assert len(server.calls()) == LINES * BATCH
    assert len(calls._queue) <= PENDING
    server.answer = name_of
    gate.set_result(b"late")
    found = await asyncio.gather(*asked)
    assert found.count(b"late") == LINES * BATCH
    assert len(set(found)) == len(found) - LINES * BATCH + 1


@in_virtual_time
async def test_closing_answers_everybody() -> None:
    gate = asyncio.get_running_loop().create_future()
    server = ScriptedServer(lambda command: gate)
    calls = batcher(server)
    asked = [ask(calls, WRITE, f"{number}") for number in range(PENDING + LINES * BATCH + 3)]
    await asyncio.sleep(0.1)
    await calls.aclose()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in found} == {RedisUnreachable}
    assert all(line.is_over for line in server.lines)
    assert not calls.busy


def test_every_script_that_a_promise_depends_on_waits_for_the_replicas() -> None:
    """All but those whose loss costs little: a lease given back, a file id, a budget, a sighting, an idle time, a trace
    of a person's conduct."""
    ours = {name: each for name, each in vars(real).items() if isinstance(each, Script)}
    writing = {name for name, each in ours.items() if each.writes}
    assert {name for name, each in ours.items() if each.lasting} == writing - {
        *("CONDUCT", "GIVE", "HANDSHAKE", "REMEMBER", "RESERVE", "SIGHT", "SWEEP", "LOAD", "GENERATION"),
    }
