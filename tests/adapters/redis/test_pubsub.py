"""One subscription for all readers of a process: gaps, silent servers, and servers that were left."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Broken

from passerby.adapters.redis.pubsub import AGAIN_S, HEARTBEAT_S, PubSub
from tests.adapters.redis.scripted import SILENCE, Command, ScriptedServer
from tests.runtime.virtual import VirtualClock, run
from tests.staged import staged

CHANNEL = b"changes"
SOON_S = AGAIN_S + 0.1


def subscribed(command: Command) -> Any:
    return {b"SUBSCRIBE": [b"subscribe", CHANNEL, 1], b"PING": [b"pong", b""]}[command[0]]


class Channel:
    """A subscription, with a reader of the cats' pool and one of the dogs'. `heard`: messages for the listener."""

    def __init__(self) -> None:
        self.server = ScriptedServer(subscribed)
        self.heard: list[bytes] = []
        self.pubsub = PubSub(self.server.connect, CHANNEL, VirtualClock(), self.heard.append)
        self.reading = ExitStack()
        self.cats, self.dogs = (self.reading.enter_context(self.pubsub.changes(pool)) for pool in ("cats", "dogs"))

    def woken(self) -> list[str]:
        """Return those who were woken since the last time."""
        found = [name for name in ("cats", "dogs") if getattr(self, name).is_set()]
        self.cats.clear()
        self.dogs.clear()
        return found


def on_channel(body: Callable[[Channel], Awaitable[None]]) -> None:
    async def main() -> None:
        channel = Channel()
        await asyncio.sleep(0.1)
        assert channel.woken() == ["cats", "dogs"], "what came before the subscription was missed"
        try:
            await body(channel)
        finally:
            await channel.pubsub.aclose()
        assert all(line.is_over for line in channel.server.lines)

    run(main())


@staged(on_channel)
async def test_a_message_wakes_the_readers_of_its_pool(channel: Channel, /) -> None:
    channel.server.lines[0].push([b"message", CHANNEL, b"dogs"])
    await asyncio.sleep(0.1)
    assert channel.woken() == ["dogs"]
    assert channel.heard == [b"dogs"], "the listener gets every message"
    channel.server.lines[0].push([b"message", CHANNEL, b"birds"])
    await asyncio.sleep(0.1)
    assert channel.woken() == []


@staged(on_channel)
async def test_a_reader_that_has_gone_is_not_kept(channel: Channel, /) -> None:
    channel.reading.close()
    channel.server.lines[0].push([b"message", CHANNEL, b"dogs"])
    await asyncio.sleep(0.1)
    assert channel.woken() == []
    assert not any(channel.pubsub._readers.values())


@pytest.mark.parametrize("gap", [Broken("gone"), OSError("gone")])
@staged(on_channel)
async def test_after_a_gap_everybody_reads_again(channel: Channel, /, gap: Exception) -> None:
    """Messages of the gap are lost. The subscription is made again, however often that fails."""
    channel.server.answer = lambda command: Broken("still away")
    channel.server.lines[0].push(gap)
    await asyncio.sleep(5 * SOON_S)
    assert len(channel.server.lines) > 3
    channel.woken()
    channel.server.answer = subscribed
    await asyncio.sleep(SOON_S)
    assert channel.woken() == ["cats", "dogs"]
    channel.server.lines[-1].push([b"message", CHANNEL, b"cats"])
    await asyncio.sleep(0.1)
    assert channel.woken() == ["cats"]


@staged(on_channel)
async def test_a_server_that_is_silent_but_lives_is_kept(channel: Channel, /) -> None:
    await asyncio.sleep(10 * HEARTBEAT_S)
    assert len(channel.server.lines) == 1
    assert channel.server.calls(b"PING")


@staged(on_channel)
async def test_a_server_that_does_not_even_answer_is_left(channel: Channel, /) -> None:
    channel.server.answer = lambda command: SILENCE
    await asyncio.sleep(2 * HEARTBEAT_S + SOON_S)
    assert channel.server.lines[0].is_over
    assert len(channel.server.lines) == 2
    assert channel.woken() == ["cats", "dogs"], "they have missed something, perhaps"


@staged(on_channel)
async def test_the_subscription_follows_to_another_server(channel: Channel, /) -> None:
    channel.pubsub.renew()
    await asyncio.sleep(SOON_S)
    assert [line.is_over for line in channel.server.lines] == [True, False]
    assert channel.woken() == ["cats", "dogs"]
    channel.pubsub.listen()
    await asyncio.sleep(SOON_S)
    assert len(channel.server.lines) == 2, "it listens already"
