"""The network between the app and the world. Calls take time, get lost on the way there or back, and outlive their
callers.

A request leaves the process and arrives at the world a moment later. Its response arrives another moment later. These
journeys are timed outside of any process: after a kill, a request that is on its way may still arrive.

`SimBotApi` is the product's own adapter over a `Client` that makes these journeys instead of HTTP calls.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from datetime import timedelta
from random import Random
from typing import Any

import msgspec

from botapi_sandbox import Answer, Upload, Waiting, World
from passerby.adapters.botapi import BotApi, errors
from passerby.adapters.botapi.client import QUICK, SENT, Client, Sending, T, _result
from passerby.adapters.botapi.client import Answer as Decoded
from passerby.adapters.botapi.content_sender import ContentSender
from passerby.adapters.botapi.files import Disguised
from passerby.adapters.botapi.sets import Sets
from passerby.adapters.botapi.stars import StarCalls
from passerby.adapters.botapi.transfer import Move, Mover
from passerby.kernel.ids import BotId
from passerby.ports.live_store import LiveStore
from passerby.ports.soon import Soon
from passerby.ports.telegram import TelegramError, Unavailable
from tests.simulation.virtual_time import PROCESS, SimProcess, VirtualLoop

USUAL_S = (0.003, 0.04)
LATE_S = (0.04, 0.15)
LATE_SHARE = 0.04
"""The share of late journeys. On the way there a request is never later than `LATE_S`; restarting a process takes
longer."""
VERY_LATE_S = 1.5
VERY_LATE_SHARE = 0.01

Tell = Callable[[str, SimProcess], bool]


def outside() -> Context:
    """Return a context that belongs to no process."""
    context = copy_context()
    context.run(PROCESS.set, None)
    return context


class Network:
    """`tell` is called at every point where a process may be killed. Times are seconds of the loop."""

    def __init__(self, world: World, loop: VirtualLoop, rng: Random) -> None:
        self.world = world
        self.loop = loop
        self.rng = rng
        self.tell: Tell = lambda point, process: False
        self.down_until = 0.0
        self.outside = outside()
        self.last_call_at = 0.0
        """When a bot last made a request other than getUpdates."""

    def latency_s(self) -> float:
        bounds = LATE_S if self.rng.random() < LATE_SHARE else USUAL_S
        return self.rng.uniform(*bounds)

    def later(self, delay_s: float, step: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        return self.loop.call_later(delay_s, step, *args, context=self.outside)

    async def exchange(
        self, process: SimProcess, ask: Callable[[], Answer | Waiting], *, sends: bool, timeout_s: float
    ) -> Answer:
        """Send a request to the world. Raises: Unavailable."""
        if process.dead:
            await self.loop.create_future()  # a dead process runs only to its next await
        if self.loop.time() < self.down_until:
            await asyncio.sleep(self.latency_s())
            raise Unavailable("no connection", uncertain=False)
        journey = _Journey(self, process, ask, sends=sends, timeout_s=timeout_s)
        try:
            return await journey.answer
        finally:
            journey.over()


class _Journey:
    def __init__(
        self,
        network: Network,
        process: SimProcess,
        ask: Callable[[], Answer | Waiting],
        *,
        sends: bool,
        timeout_s: float,
    ) -> None:
        self.network = network
        self.process = process
        self.ask = ask
        self.sends = sends
        self.answer: Soon[Answer] = Soon()
        self.context = copy_context()
        """The caller's process goes on in the callback that brings the answer."""
        self.waiting: Waiting | None = None
        self.setting_out = network.later(network.latency_s(), self.arrive)
        self.patience = network.later(timeout_s, self.time_out)
        self.deadline: asyncio.TimerHandle | None = None
        process.on_kill.append(self.orphaned)

    def arrive(self) -> None:
        network = self.network
        self.settle(self.ask())
        network.tell("effect", self.process)

    def settle(self, outcome: Answer | Waiting) -> None:
        network = self.network
        if isinstance(outcome, Waiting):
            self.waiting = outcome
            outcome.wake = self.roused
            self.deadline = network.later(max(0.0, outcome.deadline - network.world.now()) + 0.001, self.look_again)
            return
        self.waiting = None
        if self.deadline is not None:
            self.deadline.cancel()
        if outcome.fault == "stall":
            return
        delay_s = network.latency_s()
        if network.rng.random() < VERY_LATE_SHARE:
            delay_s += network.rng.random() * VERY_LATE_S
        network.later(outcome.delay_s + delay_s, self.come_home, outcome)

    def roused(self) -> None:
        self.network.loop.call_soon(self.look_again, context=self.network.outside)

    def look_again(self) -> None:
        waiting = self.waiting
        if waiting is not None:
            if self.deadline is not None:
                self.deadline.cancel()
            self.settle(self.network.world.resume(waiting))

    def come_home(self, answer: Answer) -> None:
        if self.answer.is_done or self.process.dead:
            return
        if answer.fault is not None:
            self.settle_with(self.answer.fail, Unavailable("reset", uncertain=self.sends))
            return
        self.settle_with(self.answer.settle, answer)
        if answer.body.startswith(b'{"ok":true,"result":[{"update_id"'):
            self.network.loop.call_soon(self.network.tell, "fetch", self.process, context=self.network.outside)

    def time_out(self) -> None:
        if not self.answer.is_done and not self.process.dead:
            self.settle_with(self.answer.fail, Unavailable("time-out", uncertain=self.sends))

    def settle_with(self, settle: Callable[[Any], None], value: object) -> None:
        """In a turn of the process: it may be paused, or be killed before."""

        def settled() -> None:
            if not self.answer.is_done:
                settle(value)

        self.network.loop.call_soon(settled, context=self.context)

    def over(self) -> None:
        """The caller has its response, or has given up."""
        self.patience.cancel()
        if not self.process.dead:
            self.process.on_kill.remove(self.orphaned)
            self.hang_up()

    def hang_up(self) -> None:
        if self.waiting is not None:
            self.network.world.abandon(self.waiting)
            self.waiting = None
        if self.deadline is not None:
            self.deadline.cancel()

    def orphaned(self) -> None:
        """The process is dead. Its request on the way may still arrive."""
        self.patience.cancel()
        if self.network.rng.random() < 0.5:
            self.setting_out.cancel()
        self.hang_up()


class _OnItsWay:
    """A call that was begun, in place of its connection."""

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self._task = task

    def give_up(self) -> None:
        self._task.cancel()


class SimClient(Client):
    """The product's client, with journeys instead of HTTP."""

    def __init__(self, tokens: Mapping[BotId, str], network: Network, process: SimProcess) -> None:
        self._tokens = dict(tokens)
        self._heads = {}
        self._network = network
        self._process = process

    async def call(
        self,
        bot: BotId,
        method: str,
        body: bytes,
        decoder: "msgspec.json.Decoder[Decoded[T]]",
        *,
        sends: bool = False,
    ) -> T:
        answer = await self.attempt(bot, method, msgspec.json.decode(body), {}, sends=sends)
        return _result(answer, decoder, method, sends=sends)

    def begin(self, bot: BotId, method: str, body: bytes, sending: Sending[Any]) -> bool:
        def ended(call: "asyncio.Task[Any]") -> None:
            if call.cancelled():
                return
            sending.connection = None
            error = call.exception()
            if error is None:
                sending.arrived(call.result())
            else:
                assert isinstance(error, TelegramError)
                sending.went_wrong(error)

        task = self._network.loop.create_task(self.call(bot, method, body, sending.decoder, sends=True))
        task.add_done_callback(ended)
        sending.connection = _OnItsWay(task)  # type: ignore[assignment]
        return True

    def is_answered(self) -> None:
        pass  # nobody waits for the last of them

    async def post(self, bot: BotId, method: str, body: bytes, *, timeout_s: float = QUICK.total_seconds()) -> Any:
        timeout = timedelta(seconds=timeout_s)
        return await self.attempt(bot, method, msgspec.json.decode(body), {}, sends=False, timeout=timeout)

    async def attempt(
        self,
        bot: BotId,
        method: str,
        params: Mapping[str, Any],
        uploads: Mapping[str, Upload],
        *,
        sends: bool,
        timeout: timedelta = QUICK,
    ) -> bytes:
        world, token = self._network.world, self._tokens[bot]

        def ask() -> Answer | Waiting:
            if method == "getUpdates":
                return world.poll(token, params)
            self._network.last_call_at = self._network.loop.time()
            return world.call(token, method, params, uploads)

        answer = await self._network.exchange(self._process, ask, sends=sends, timeout_s=timeout.total_seconds())
        if answer.status == 200:
            return answer.body
        raise errors.failure(answer.status, answer.body, answer.headers.get("Retry-After"), method=method, sends=sends)

    async def send_document(self, bot: BotId, members: Mapping[str, str], name: str, data: bytes) -> int:
        uploads = {"document": Upload(data, name, "application/octet-stream")}
        answer = await self.attempt(bot, "sendDocument", members, uploads, sends=True)
        return _result(answer, SENT, "sendDocument", sends=True).message_id

    @asynccontextmanager
    async def download(self, bot: BotId, path: str, size: int) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
        def ask() -> Answer:
            found = self._network.world.fetch_file(self._tokens[bot], path)
            return found if isinstance(found, Answer) else Answer(200, found[0])

        answer = await self._network.exchange(self._process, ask, sends=False, timeout_s=30.0)
        if answer.status != 200:
            raise Unavailable(f"download {answer.status}", uncertain=False)
        chunks = [b"", answer.body]

        async def read() -> bytes:
            return chunks.pop()

        yield read

    async def aclose(self) -> None:
        pass


class SimMover(Mover):
    """Moves files whole, because pyreqwest's form cannot be inspected."""

    _client: SimClient

    async def upload(
        self,
        bot: BotId,
        method: str,
        members: dict[str, Any],
        moves: Sequence[Move],
        decoder: "msgspec.json.Decoder[Decoded[T]]",
    ) -> T:
        for move in moves:
            self._check_size(move.file.size)
        async with self._slots:
            uploads = {}
            for move in moves:
                located = await self._locate(move.source, move.file)
                assert located.file_path is not None
                async with self._client.download(move.source, located.file_path, located.file_size) as read:
                    uploads[move.part] = Upload(await read(), move.name, move.mime)
            params = msgspec.json.decode(msgspec.json.encode(members))
            return _result(
                await self._client.attempt(bot, method, params, uploads, sends=True), decoder, method, sends=True
            )


class SimBotApi(BotApi):
    """The product's adapter over a `SimClient`."""

    def __init__(self, tokens: Mapping[BotId, str], store: LiveStore, network: Network, process: SimProcess) -> None:
        self._bots = tuple(tokens)
        self._staff = None
        client = SimClient(tokens, network, process)
        self._client = client
        self._stars = StarCalls(client)
        self._files = files = Disguised(store, b"")
        alone = len(self._bots) == 1
        self._content_sender = ContentSender(
            client, files, Sets(store, b""), alone=alone, unlimited_files=False, transfers=4
        )
        self._content_sender._mover = SimMover(client, unlimited_files=False, at_once=4)
