"""The product with a bug put in on purpose, to check that the judge finds it.

`python -m tests.faults.planted BUG [COMMAND]`. It always runs in its own process. It replaces parts that keep a
promise.
"""

import itertools
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import msgspec

from passerby.adapters.botapi.content_sender import ContentSender
from passerby.adapters.memory.done import DoneMarks
from passerby.kernel.effect import RelayEffect
from passerby.kernel.ids import BotId, MessageId, PersonId, UpdateRef
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import SendContent
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.courier_queue import CourierQueue
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.inbound import polling


class HastyWindow(polling.Window):
    """Counts an update as done as soon as it is fetched, so the next poll confirms an update that nobody has
    handled."""

    def admit(self, update: int) -> bool:
        new = super().admit(update)
        if new:
            super().finish(update)
        return new


class Forgetful(DoneMarks):
    """Recognises no update as done before."""

    def __contains__(self, ref: object) -> bool:
        return False


def _replace(module: str, name: str, other: object) -> None:
    assert hasattr(import_module(module), name), f"{module} has no {name} any more"
    setattr(import_module(module), name, other)


def confirm_early() -> None:
    _replace("passerby.runtime.inbound.polling", "Window", HastyWindow)


def dedupe_off() -> None:
    _replace("passerby.adapters.memory.state", "DoneMarks", Forgetful)


def crossed_wires() -> None:
    """Now and then a message goes to the recipient of the previous message."""
    pass_on = Courier.pass_on
    seen: list[tuple[PersonId, BotId]] = []

    def crossed(
        self: Courier, relay_effect: RelayEffect, bot: BotId, refs: tuple[UpdateRef, ...], **more: Any
    ) -> Delivery | None:
        seen.append((relay_effect.to, bot))
        if len(seen) % 10 == 0:
            to, bot = seen[-2]
            relay_effect = msgspec.structs.replace(relay_effect, to=to)
        return pass_on(self, relay_effect, bot, refs, **more)

    Courier.pass_on = crossed  # type: ignore[method-assign]


def swallowed() -> None:
    """Now and then a message counts as delivered although it was never sent."""
    send = ContentSender.send
    count = itertools.count(1)

    async def carrying(self: ContentSender, what: SendContent) -> tuple[MessageId, ...]:
        return (MessageId(1),) if next(count) % 10 == 0 else await send(self, what)

    ContentSender.send = carrying  # type: ignore[method-assign, assignment]


def order_off() -> None:
    """Everything is sent at once, in no queue."""

    def put(self: Courier, delivery: Delivery) -> CourierQueue:
        self._queues.pop((delivery.bot, delivery.person), None)
        return in_order(self, delivery)

    in_order = Courier._put

    Courier._put = put  # type: ignore[method-assign]


def fence_off() -> None:
    """A worker does not notice that it lost its leases, and the store accepts its writes anyway."""
    from passerby.adapters.redis.store import RedisStore
    from passerby.runtime.membership.heartbeat import Membership

    commit, mark = RedisStore.commit, RedisStore.mark

    async def committing(self: RedisStore, what: Commit) -> Committed:
        return await commit(self, msgspec.structs.replace(what, fences=()))

    async def marking(self: RedisStore, what: Mark) -> None:
        await mark(self, msgspec.structs.replace(what, fences=()))

    async def at_once(self: Membership) -> None:
        return

    RedisStore.commit, RedisStore.mark = committing, marking  # type: ignore[method-assign, assignment]
    Membership.is_assured = property(lambda self: True)  # type: ignore[method-assign, assignment]
    Membership.assured = at_once  # type: ignore[method-assign]
    Membership.lapse = lambda self, reason: None  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "confirm_early": confirm_early,
    "dedupe_off": dedupe_off,
    "crossed_wires": crossed_wires,
    "swallowed": swallowed,
    "order_off": order_off,
    "fence_off": fence_off,
}


def main(arguments: Iterable[str]) -> None:
    bug, *command = arguments
    BUGS[bug]()
    sys.argv = ["passerby", *(command or ["run"])]
    from passerby.cli import main as run

    run()


if __name__ == "__main__":
    main(sys.argv[1:])
