"""The parts of the benchmarks: realistic updates, CPU seats, a certificate, and how a peer's figures are divided."""

import ast
import asyncio
import ssl
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks import hooks, relay
from benchmarks.canned import Canned
from benchmarks.certificate import write_certificate
from benchmarks.decode import readers
from benchmarks.load_peer import STARS, Load, order_of, people
from benchmarks.peers.__main__ import times_ours
from benchmarks.processes import cpu_s, family, memory
from benchmarks.sides import Seats, Shape, seats
from benchmarks.updates import SHARES, answers, update
from botapi_sandbox.world.schema import bot_api_schema
from passerby.adapters.botapi.connection import Lost
from passerby.adapters.botapi.decode import arrivals
from passerby.adapters.botapi.transport import Transport
from passerby.kernel.event import ButtonPressed, MessageEdited, MessageReceived, ReactionChanged
from passerby.kernel.ids import BotId
from passerby.runtime.membership.heartbeat import YOUNG_S
from tests.ports import free_port

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.parametrize("kind", SHARES)
def test_the_updates_to_decode_match_the_bot_api(kind: str) -> None:
    for number in range(5):
        made = update(kind, number, Random(number))
        for member in ("message", "callback_query"):
            # Telegram still sends a sticker's `thumb`, which its documentation no longer mentions.
            sticker = made.get(member, {}).get("sticker", {})
            sticker.pop("thumb", None)
        bot_api_schema().emissions.verify(made, "Update")


def test_every_update_of_the_mix_is_decoded_as_an_event() -> None:
    (answer,) = answers(1, 200, Random(4))
    seen = Counter(type(arrival.event) for arrival in arrivals(answer, BotId(1)))
    assert set(seen) == {MessageReceived, MessageEdited, ButtonPressed, ReactionChanged}


@pytest.mark.long
def test_all_decoders_see_the_same_number_of_updates() -> None:
    (answer,) = answers(1, 20, Random(5))
    found = {name: len(read(answer)) for name, read in readers().items()}
    assert {"passerby: events", "aiogram: objects", "python-telegram-bot: objects"} <= set(found)
    assert set(found.values()) == {20}


def test_measuring_over_redis_starts_after_the_first_minute() -> None:
    assert YOUNG_S < relay.YOUNG_S < YOUNG_S + 5


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        ([3], Seats((3,), 3, 3)),
        ([0, 1], Seats((0,), 1, 1)),
        ([0, 1, 2], Seats((0,), 1, 2)),
        ([0, 1, 2, 3], Seats((0, 1), 2, 3)),
    ],
)
def test_the_measured_process_shares_a_core_only_if_there_is_just_one(cores: list[int], expected: Seats) -> None:
    assert seats(cores) == expected


def test_a_process_of_ours_has_memory_and_has_used_time() -> None:
    process = asyncio.run(_child())
    assert process["pss_mb"] > 1
    assert process["rss_mb"] >= process["pss_mb"]
    assert process["cpu_s"] > 0


async def _child() -> dict[str, float]:
    """Start a parent that does nothing, with a child that has worked."""
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], stdin=0)"
    work = "print(sum(range(20_000_000)) > 0, flush=True); input()"
    # This keeps the parent's own start out of the child's figures.
    child = await asyncio.create_subprocess_exec(
        "python3", "-c", script, work, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"True\n"
        assert len(family(child.pid)) == 2
        return memory(child.pid)._asdict() | {"cpu_s": cpu_s(child.pid)}
    finally:
        assert child.stdin is not None
        child.stdin.close()
        await child.wait()


async def _call(url: str) -> int:
    transport = Transport(url, max_connections=1, on_connected=lambda: None)
    try:
        return (await transport.post(transport.head("/bot1:x/getMe"), b"{}", 5.0)).status
    finally:
        await transport.aclose()


def test_only_clients_told_to_trust_the_certificate_accept_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def both() -> int:
        server = Canned([1], lambda _, __: None)
        url = f"https://127.0.0.1:{await server.listen(context)}"
        with pytest.raises(Lost, match=r"certificate|connect|TLS"):
            await _call(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        status = await _call(url)
        await server.aclose()
        return status

    assert asyncio.run(both()) == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"chat_id":5000001,"text":"~7~ hello"}'),
        ("application/json", b'{"chat_id": 5000001, "text": "~7~ hello"}'),
        ("application/x-www-form-urlencoded", b"chat_id=5000001&text=~7~+hello"),
    ],
)
def test_the_canned_server_reads_the_requests_of_peers(kind: str, body: bytes) -> None:
    arrived: list[tuple[int, bytes]] = []

    async def send() -> bytes:
        server = Canned([1], lambda person, words: arrived.append((person, words)))
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.listen())
        head = f"POST /bot1:x/sendMessage HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"so it goes")
        writer.close()
        await writer.wait_closed()
        await server.aclose()
        return answer

    assert asyncio.run(send()).startswith(b"HTTP/1.1 200 OK")
    assert arrived == [(5_000_001, body)]


def test_the_other_side_asks_for_checkouts_and_counts_their_answers() -> None:
    load = Load(people(1, [1]))
    query, person = 7, load.everybody[0][0]

    async def call(port: int, method: str, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST /bot1:x/{method} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"}")
        writer.close()
        await writer.wait_closed()
        return answer

    async def sell() -> bytes:
        server = Canned([1], lambda _, __: None)
        server.answered = load.answered
        port = await server.listen()
        server.bots[1].ask(person, query, STARS, order_of(person))
        load.asked[query] = load.asked[query + 1] = 0.0
        asked = await call(port, "getUpdates", b'{"offset":0,"timeout":1}')
        await call(port, "answerPreCheckoutQuery", b'{"pre_checkout_query_id":"7","ok":true}')
        await call(port, "answerPreCheckoutQuery", b'{"pre_checkout_query_id":"7","ok":false}')  # counts once
        await server.aclose()
        return asked

    assert b'"pre_checkout_query":{"id":"7"' in asyncio.run(sell())
    found = load.bought()
    assert (found["n"], found["refused"], found["waiting"]) == (1, 0, 1)
    assert load.bought()["n"] == 0


def test_a_chats_next_update_waits_for_the_webhook_and_refused_updates_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hooks, "AGAIN_S", 0.0)
    brought: list[bytes] = []
    open_ones: list[asyncio.StreamWriter] = []
    in_hand, most, all_there = set[bytes](), 0, asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % await one(reader))

    async def one(reader: asyncio.StreamReader) -> int:
        nonlocal most
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /bench/door HTTP/1.1\r\n")
        assert b"X-Telegram-Bot-Api-Secret-Token: secret\r\n" in head
        body = await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split()[0]))
        person = body[:1]
        assert person not in in_hand, "two of one chat at once"
        in_hand.add(person)
        most = max(most, len(in_hand))
        await asyncio.sleep(0.001)
        in_hand.discard(person)
        first_time = body not in brought
        brought.append(body)
        if len(brought) == 8:
            all_there.set()
        # The second update of each person is refused once.
        return 503 if body.endswith(b"2") and first_time else 200

    async def bring() -> int:
        server = await asyncio.start_server(take, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        hook = hooks.Hook(f"http://127.0.0.1:{port}/bench", "door", "secret")
        for number in range(1, 4):
            for person, name in ((1, b"a"), (2, b"b")):
                hook.put(person, b"%b%d" % (name, number))
        await all_there.wait()
        await hook.aclose()
        server.close()
        for writer in open_ones:
            writer.close()
            with suppress(ConnectionResetError):
                await writer.wait_closed()
        return hook.refused

    assert asyncio.run(bring()) == 2
    assert most == 2
    for name in (b"a", b"b"):
        assert [body for body in brought if body[:1] == name] == [name + end for end in (b"1", b"2", b"2", b"3")]


def test_updates_that_come_before_the_webhook_listens_reach_it_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "AGAIN_S", 0.01)

    async def bring() -> bytes:
        brought = asyncio.get_running_loop().create_future()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            brought.set_result(await reader.readexactly(2))
            writer.close()

        port = free_port()
        hook = hooks.Hook(f"http://127.0.0.1:{port}/bench", "door", "secret")
        hook.put(1, b"a1")
        while hook._connecting:
            await asyncio.sleep(0)
        async with await asyncio.start_server(take, "127.0.0.1", port), asyncio.timeout(120):
            arrived: bytes = await brought
            await hook.aclose()
        return arrived

    assert asyncio.run(bring()) == b"a1"


def test_a_peers_figures_are_divided_by_ours() -> None:
    rows: dict[str, dict[str, Any]] = {
        "passerby": {"closed": {"cpu_us": 100.0}, "open": {"cpu_us": 200.0, "p50_ms": 2.0}},
        "other": {"closed": {"cpu_us": 1_000.0}, "open": {"cpu_us": 500.0, "p50_ms": 3.0}},
    }
    assert times_ours(rows) == {"other": {"closed": {"cpu_us": 10.0}, "open": {"cpu_us": 2.5, "p50_ms": 1.5}}}


def test_a_row_that_fell_behind_and_a_full_core_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    fine = {"loop": "open", "rate_per_s": 50, "relays_per_s": 50.0, "cpu_us": 1.0, "other_core_use": 0.2, "waiting": 2}
    behind = fine | {"rate_per_s": 100, "waiting": 60}
    bounded = {"loop": "closed", "in_flight": 8, "relays_per_s": 50.0, "cpu_us": 1.0, "other_core_use": 0.95}
    relay.show([fine])
    assert len(capsys.readouterr().out.splitlines()) == 2
    relay.show([behind, bounded])
    told = capsys.readouterr().out.splitlines()[3:]
    assert [line.partition(":")[0] for line in told] == ["open, 100/s", "closed, 8 in flight"]


@pytest.mark.parametrize(
    "words",
    [
        ["--workers", "2"],
        ["--redis", "--workers", "5"],
        ["--tls", "--against", "sandbox"],
        ["--web", "--redis", "--workers", "2"],
    ],
)
def test_options_that_cannot_be_measured_together_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        relay.options_of(words)
    assert exit_.value.code == 2
    assert "--" in capsys.readouterr().err.splitlines()[-1]


def test_every_benchmark_has_a_short_form() -> None:
    from benchmarks.__main__ import SHORT

    commands = {
        path.stem if path.stem != "__main__" else path.parent.name
        for path in BENCHMARKS.glob("**/*.py")
        if path != BENCHMARKS / "__main__.py" and _is_command(path)
    }
    assert set(SHORT) == commands


def _is_command(path: Path) -> bool:
    """Return whether the module has a `main` with arguments. Sides and peers, which other modules start, do not."""
    functions = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))
    return any(each.name == "main" and each.args.args for each in functions)


def test_the_name_of_a_load_shape_describes_it() -> None:
    assert "TLS" in Shape(tls=True).name
    assert "2 workers" in Shape(redis=True, workers=2).name
