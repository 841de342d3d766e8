"""CPU µs for each sendMessage through the adapter, against a server in another process that gives fixed answers.

    python -m benchmarks.botapi_call [--calls 8000] [--in-flight 32] [--short]

For comparison, it also measures pyreqwest alone, with a prepared body and an answer that is not decoded. The
difference is the cost of the adapter. User and system time of this whole process count, with pyreqwest's threads.
The result is the median of five rounds.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
from collections.abc import Awaitable, Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from pyreqwest.client import ClientBuilder
from pyreqwest.http import Url

from passerby.adapters.botapi import BotApi
from passerby.kernel.content import Content, Entity, Kind
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.ports.telegram import SendContent, SendNotice

BOT = BotId(1000001)
TOKEN = f"{BOT}:sandbox-benchmark"
ROUNDS = 5

_ANSWER = (
    b'{"ok":true,"result":{"message_id":123,"from":{"id":1000001,"is_bot":true,"first_name":"Bot"},'
    b'"chat":{"id":5,"first_name":"Ann","type":"private"},"date":1700000000,"text":"hello there"}}'
)
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_ANSWER) + _ANSWER


class _Canned(asyncio.Protocol):
    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._held) < end + 4 + length:
                return
            self._held = self._held[end + 4 + length :]
            self._transport.write(_RESPONSE)


def _serve(told: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Canned, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())


class _NoFiles:
    async def file_id(self, unique: str, bot: BotId) -> str | None:
        return None

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        return None


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _cost_us(call: Callable[[], Awaitable[object]], calls: int, in_flight: int) -> float:
    async def some() -> None:
        for _ in range(calls // in_flight):
            await call()

    before = _cpu_s()
    await asyncio.gather(*(some() for _ in range(in_flight)))
    return (_cpu_s() - before) / calls * 1e6


async def measure(port: int, calls: int, in_flight: int) -> dict[str, float]:
    """CPU µs for each call, by what was called."""
    base = f"http://127.0.0.1:{port}"
    api = BotApi({BOT: TOKEN}, _NoFiles(), base_url=base)
    http = ClientBuilder().no_proxy().default_headers({"Content-Type": "application/json"}).build()
    url = Url(f"{base}/bot{TOKEN}/sendMessage")
    body = b'{"chat_id":5,"text":"hello there","entities":[{"type":"bold","offset":0,"length":5}]}'
    text = Content(Kind.TEXT, "hello there", (Entity("bold", 0, 5),))
    content_call = SendContent(BOT, PersonId(5), BotId(2), PersonId(6), (MessageId(1),), (text,), reply_to=MessageId(4))
    speak = SendNotice(BOT, PersonId(5), "hello <b>there</b>")

    async def bare() -> object:
        return await (await http.post(url).body_bytes(body).timeout(timedelta(seconds=30)).build().send()).bytes()

    candidates: dict[str, Callable[[], Awaitable[object]]] = {
        "pyreqwest alone": bare,
        "adapter: a notice": lambda: api.send(speak),
        "adapter: a relayed text, as a reply": lambda: api.send(content_call),
    }
    rounds: dict[str, list[float]] = {name: [] for name in candidates}
    for call in candidates.values():
        await _cost_us(call, calls // 4, in_flight)
    for _ in range(ROUNDS):
        for name, call in candidates.items():
            rounds[name].append(await _cost_us(call, calls, in_flight))
    await api.aclose()
    await http.close()
    return {name: statistics.median(costs) for name, costs in rounds.items()}


def main(arguments: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.botapi_call",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--calls", type=int, default=8_000)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    calls = 2_000 if options.short else options.calls
    listening, told = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(told,), daemon=True)
    server.start()
    try:
        costs = uvloop.run(measure(listening.recv(), calls, options.in_flight))
    finally:
        server.terminate()
    for name, cost_us in costs.items():
        print(f"{name:<40} {cost_us:6.1f} µs CPU per call, {options.in_flight} in flight")
    print(json.dumps(costs))
    return costs


if __name__ == "__main__":
    main()
