"""A server whose every answer a test writes: late ones, errors, forgotten scripts. It speaks through redis-py's
connection, or through the transport of one that was lent, so nothing of ours is replaced."""

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf
from types import SimpleNamespace
from typing import Any

from hiredis import Reader
from redis.asyncio.connection import DefaultParser
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import MovedError, ResponseError

from passerby.adapters.redis.scripts import Script

Command = list[bytes]
Answers = Callable[[Command], Any]
"""Return the answer to a command: an exception is raised, and a future is awaited first. SILENCE: there is none."""

SILENCE = object()


def script(name: str, *, lasting: bool = False, writes: bool = True) -> Script:
    return Script(f"return '{name}'", name.encode(), lasting, writes)


SEAL = script("seal", writes=False)


class ScriptedServer:
    """`connect` is for a `Batcher`. `answer` answers every command."""

    def __init__(self, answer: Answers) -> None:
        self.answer = answer
        self.lines: list[ScriptedConnection] = []
        self.heard: list[Command] = []

    async def connect(self) -> Any:
        self.lines.append(ScriptedConnection(self))
        return self.lines[-1]

    def calls(self, name: bytes = b"EVALSHA") -> list[Command]:
        return [command for command in self.heard if command[0] == name]


class ScriptedConnection:
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._reader = Reader()
        self._answers = deque[Any]()
        self._arrived = asyncio.Event()
        self.is_over = False
        self._parser = DefaultParser
        self._writer = SimpleNamespace(transport=ScriptedTransport(self))

    @property
    def has_answers(self) -> bool:
        return bool(self._answers)

    def push(self, *answers: Any) -> None:
        """Send something that nobody has asked for now, such as a message of a channel."""
        self._answers.extend(answers)
        self._arrived.set()

    def hear(self, packed: bytes) -> None:
        self._reader.feed(packed)
        while (command := self._reader.gets()) is not False:
            self._hear(command)

    async def send_command(self, *words: Any, check_health: bool = True) -> None:
        self._hear([word if isinstance(word, bytes) else str(word).encode() for word in words])

    def _hear(self, command: Command) -> None:
        assert not self.is_over, "nothing is sent over a connection that was given up"
        self._server.heard.append(command)
        answer = self._server.answer(command)
        if answer is not SILENCE:
            self.push(answer)

    async def read_response(self, timeout: float | None = None, disconnect_on_error: bool = True) -> Any:
        try:
            async with asyncio.timeout(None if timeout in (None, inf) else timeout):
                while not self._answers:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return None
        answer = self._answers[0]
        if isinstance(answer, asyncio.Future):
            # A reader that stops waiting leaves the answer to the next one, as on a real connection.
            answer = await asyncio.shield(answer)
        self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def disconnect(self, nowait: bool = False) -> None:
        self.is_over = True

    def _close(self) -> None:
        self.is_over = True


class ScriptedTransport(asyncio.Transport):
    """The other end of a lent connection."""

    def __init__(self, connection: ScriptedConnection) -> None:
        super().__init__()
        self._connection = connection
        self._protocol: asyncio.Protocol = asyncio.Protocol()
        self._answering: asyncio.Task[None] | None = None

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def write(self, data: Any) -> None:
        self._connection.hear(data)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.ensure_future(self._answer())

    async def _answer(self) -> None:
        while self._connection.has_answers and not self._connection.is_over:
            try:
                answer = encoded(await self._connection.read_response())
            except Broken:
                self.abort()
                return
            except ResponseError as error:
                answer = b"-%b\r\n" % (f"MOVED {error}" if isinstance(error, MovedError) else str(error)).encode()
            if not self._connection.is_over:
                self._protocol.data_received(answer)

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self._connection.is_over:
            self._connection.is_over = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)


def encoded(answer: Any) -> bytes:
    if isinstance(answer, int):
        return b":%d\r\n" % answer
    if isinstance(answer, bytes):
        return b"$%d\r\n%b\r\n" % (len(answer), answer)
    return b"*%d\r\n%b" % (len(answer), b"".join(map(encoded, answer)))
