"""Calls that the batcher sends: a script, or some commands that read. A call may serve one caller or many."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from hiredis import pack_command

from passerby.adapters.redis.scripts import Script
from passerby.ports.soon import Outstanding

T = TypeVar("T")
Word = bytes | str | int | float
Command = tuple[Word, ...]


class Call:
    """`script` is None for a read. `packed` is what was sent: a retry sends the same."""

    __slots__ = ("count", "loads", "packed", "script", "tries")

    def __init__(self, script: Script | None = None) -> None:
        self.script = script
        self.packed = b""
        self.count = 1
        self.tries = 0
        self.loads = 0

    def pack(self) -> bytes:
        """The bytes that leave. From the first time on, nobody can join this call."""
        if not self.packed:
            commands = self.commands()
            self.count = len(commands)
            # redis-py's own packing is in Python and would cost more than everything else.
            self.packed = b"".join(map(pack_command, commands))  # type: ignore[arg-type]
        return self.packed

    @property
    def callers(self) -> int:
        """How many wait for this call."""
        return 1

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for it."""
        raise NotImplementedError

    def commands(self) -> Sequence[Command]:
        raise NotImplementedError

    def give(self, answer: Any) -> None:
        """Hand out what the script returned. For reads: a list of the answers, and the seal's answer at its end."""
        raise NotImplementedError

    def fail(self, error: Exception) -> None:
        raise NotImplementedError


class OneCall(Call):
    """A call for one caller, with commands that are known from the start."""

    __slots__ = ("_commands", "answer")

    def __init__(self, script: Script | None, commands: Sequence[Command], answer: asyncio.Future[Any]) -> None:
        super().__init__(script)
        self._commands = commands
        self.answer = answer

    @property
    def is_wanted(self) -> bool:
        return not self.answer.done()

    def commands(self) -> Sequence[Command]:
        return self._commands

    def give(self, answer: Any) -> None:
        give(self.answer, answer)

    def fail(self, error: Exception) -> None:
        fail(self.answer, error)


class SharedAnswer(Outstanding[T]):
    """A caller's part of a call that several callers share. If whoever awaits it is cancelled, nobody wants it."""

    __slots__ = ("is_wanted",)

    def __init__(self) -> None:
        super().__init__()
        self.is_wanted = True
        """Whether somebody still waits for it."""

    def give_up(self) -> None:
        self.is_wanted = False

    def give(self, answer: T) -> None:
        if self.is_wanted:
            self.is_wanted = False
            self.settle(answer)

    def lose(self, error: Exception) -> None:
        if self.is_wanted:
            self.is_wanted = False
            self.fail(error)


def give(waiting: asyncio.Future[Any], answer: Any) -> None:
    if not waiting.done():
        waiting.set_result(answer)


def fail(waiting: asyncio.Future[Any], error: Exception) -> None:
    if not waiting.done():
        waiting.set_exception(error)
