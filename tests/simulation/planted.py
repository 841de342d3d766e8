"""Bugs on purpose, to test the checker. It must find each of them, and report the right promise.

Each bug uses a parameter of `Build`; the product is not patched.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from passerby.adapters.memory import MemoryStore
from passerby.adapters.memory.done import DoneMarks
from passerby.adapters.memory.frames import Hole
from passerby.adapters.memory.tickets import TicketPools
from passerby.domain.delivery.commands import Send
from passerby.domain.delivery.events import Checked, Event, Refused
from passerby.features import ALL
from passerby.kernel.decision import Decider, Decision, Env, Facts
from passerby.kernel.effect import Relay
from passerby.kernel.event import Refusal
from passerby.kernel.ids import NOWHERE, BotId, ChatId, UpdateRef
from passerby.kernel.participant import Chatting
from passerby.ports.doubts import Doubts
from passerby.ports.leases import Fence
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import Arrival
from passerby.runtime.background.reconciler import Reconciler
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.send_checks import SendChecks
from passerby.runtime.delivery.sends import Sends
from passerby.runtime.membership.heartbeat import Membership
from passerby.runtime.worker import Worker
from tests.simulation.process import Build


class ConfirmsBeforeDone(Worker):
    """An update counts as done as soon as it is fetched."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        take = self._fleet_duties._take

        def confirm(arrival: Arrival, crashes: int = 0, fences: tuple[Fence, ...] = ()) -> None:
            take(arrival, crashes, fences)
            self._finished((arrival.ref,))

        self._fleet_duties._take = confirm  # type: ignore[method-assign]


class _Forgetful(DoneMarks):
    def __contains__(self, ref: UpdateRef) -> bool:
        return False

    def among(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        return set()


class NeverSeenBefore(MemoryStore):
    """No update is ever recognised as done."""

    def _begin_empty(self, generation: str, tickets: TicketPools) -> None:
        super()._begin_empty(generation, tickets)
        self._state.done = _Forgetful()


class LastWriteWins(MemoryStore):
    """A commit ignores the versions on which its decision was based."""

    async def commit(self, commit: Commit) -> Committed:
        puts = []
        for put in commit.puts:
            held = self._state.people.get(put.person)
            puts.append(msgspec.structs.replace(put, version=(held.version if held else 0) + 1))
        return await super().commit(msgspec.structs.replace(commit, puts=tuple(puts), seen=()))


class _NeverDrops(Courier):
    """A chat's end leaves its waiting messages where they are."""

    def drop(self, chat: ChatId) -> None:
        pass


class _TakesChatsForOpen(SendChecks):
    """A message that waited is not checked against its chat."""

    async def check(self, queue: Any, delivery: Any) -> Event:
        delivery.generation = self._store.generation
        return Checked()


class _CurrentPartner(Sends):
    """A waiting message goes to the partner whom its sender has when its turn comes."""

    def begin(self, queue: Any, command: Send, now: float) -> None:
        self._background.spawn(self._readdressed(queue, command, now))

    async def _readdressed(self, queue: Any, command: Send, now: float) -> None:
        delivery: Any = command.delivery
        relay_effect = delivery.relay_effect
        if relay_effect is not None:
            sender = await self._store.load(relay_effect.sender)
            if sender is None or sender.partner is None or sender.partner.bot is None:
                self._feed(queue, Refused(Refusal.LEFT))
                return
            assert isinstance(sender.me.state, Chatting)
            delivery.relay_effect = msgspec.structs.replace(
                relay_effect, chat=sender.me.state.chat, to=sender.partner.person
            )
            delivery.bot, delivery.person = sender.partner.bot, sender.partner.person
        super().begin(queue, command, now)


class SendsToTheCurrentPartner(Worker):
    """See `_CurrentPartner`."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.courier.__class__ = _NeverDrops
        self.courier._send_checks.__class__ = _TakesChatsForOpen
        self.courier._sends.__class__ = _CurrentPartner


class ReturnsBeforeSync(MemoryStore):
    """A commit returns before the data is on disk."""

    async def _durable(self) -> None:
        pass


class ReusesNumbers(ReturnsBeforeSync):
    """Unsynced entries go to the records. After a power cut their numbers are used again."""

    def _new_name(self) -> str:
        return self._state.generation or super()._new_name()


class OverlooksDamage(MemoryStore):
    """A hole in the log puts nobody in doubt."""

    def _replay_all(self, records: Iterable[bytes | Hole]) -> bool:
        ended = super()._replay_all(records)
        self._doubts = Doubts()
        return ended


class NeverReconciles(Reconciler):
    """The two stores are never compared."""

    async def reconcile(self) -> bool:
        return True


class WorkerWithoutReconciling(Worker):
    """See `NeverReconciles`."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.janitor._reconciler.__class__ = NeverReconciles


def _with_relay(build: Build, wrap: Callable[[Decider], Decider]) -> Build:
    """Return a build whose chat feature handles messages differently."""
    (chat,) = [feature for feature in ALL if feature.name == "chat"]
    bad = replace(chat, messages={**chat.messages, Chatting: wrap(chat.messages[Chatting])})
    return replace(build, features=tuple(bad if feature is chat else feature for feature in ALL))


def _for_the_current_partner(relay: Decider) -> Decider:
    """A message goes to the partner whom its writer has when it is decided, no matter when it was written."""

    def decide(event: Any, facts: Facts, env: Env) -> Decision:
        known = msgspec.structs.replace(facts, anchor=NOWHERE)
        return relay(msgspec.structs.replace(event, sent_at=env.now + 2.0), known, env)

    return decide


def _signed(relay: Decider) -> Decider:
    """Messages carry their writer's id."""

    def decide(event: Any, facts: Facts, env: Env) -> Decision:
        decision = relay(event, facts, env)
        effects = tuple(_sign(effect) if isinstance(effect, Relay) else effect for effect in decision.effects)
        return Decision(decision.changes, effects)

    return decide


def _sign(relay: Relay) -> Relay:
    signed = [msgspec.structs.replace(each, text=f"{each.text} tg:{relay.sender}") for each in relay.contents]
    return msgspec.structs.replace(relay, contents=tuple(signed))


@dataclass(frozen=True)
class Bug:
    """`promises` are the promises that the checker may find broken."""

    name: str
    plant: Callable[[Build], Build]
    promises: frozenset[int]

    def __str__(self) -> str:
        return self.name


BUGS = (
    Bug("confirm before done", lambda build: replace(build, app=ConfirmsBeforeDone), frozenset({2})),
    Bug("dedupe off", lambda build: replace(build, store=NeverSeenBefore), frozenset({2})),
    Bug("version check off", lambda build: replace(build, store=LastWriteWins), frozenset({1})),
    Bug("send to the current partner", lambda build: replace(build, app=SendsToTheCurrentPartner), frozenset({4})),
    Bug("decide for the current partner", lambda build: _with_relay(build, _for_the_current_partner), frozenset({4})),
    Bug("sign what is passed on", lambda build: _with_relay(build, _signed), frozenset({5})),
    Bug("tell before the sync", lambda build: replace(build, store=ReturnsBeforeSync), frozenset({1, 2, 4})),
    Bug(
        "give numbers twice",
        lambda build: replace(build, store=ReusesNumbers, app=WorkerWithoutReconciling),
        frozenset({6}),
    ),
)


class _Unfenced(MemoryStore):
    """Accepts every write, no matter who holds the lease now."""

    async def commit(self, commit: Commit) -> Committed:
        return await super().commit(msgspec.structs.replace(commit, fences=()))

    async def mark(self, mark: Mark) -> None:
        await super().mark(msgspec.structs.replace(mark, fences=()))


class _NeverLapses(Membership):
    """Never notices that it lost its leases."""

    @property
    def is_assured(self) -> bool:
        return True

    def lapse(self, reason: str) -> None:
        pass


class KeepsLostLeases(Worker):
    """See `_NeverLapses`."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.membership.__class__ = _NeverLapses


FLEET_BUGS = (
    Bug("confirm before done", lambda build: replace(build, app=ConfirmsBeforeDone), frozenset({2})),
    Bug("dedupe off", lambda build: replace(build, store=NeverSeenBefore), frozenset({2})),
    Bug("fence off", lambda build: replace(build, store=_Unfenced, app=KeepsLostLeases), frozenset({2, 3})),
)
"""The bugs that are tried with a fleet of workers."""


class OverlooksGaps(Worker):
    """Missing updates, and another program that polls, end no chat."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._fleet_duties._doubt = _no_doubt

    async def _look_back(self) -> None:
        """Nothing ends at the start, either."""


async def _no_doubt(bot: BotId, fence: Fence, *, at_start: bool = False) -> int:
    return 0


OVERLOOKED_GAPS = Bug("the gap is not noticed", lambda build: replace(build, app=OverlooksGaps), frozenset({4}))
"""It is tried with a machine that goes back in time (see `rolled_back`)."""
