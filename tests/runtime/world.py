"""The world around the runtime: a Telegram that tests script, and people's messages."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any

from passerby.adapters.memory import MemoryStore
from passerby.domain.budgets import Budget
from passerby.domain.fingerprint import Prints
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.effect import Relay
from passerby.kernel.event import Event, MessageReceived, Original
from passerby.kernel.feature import Feature
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId, UpdateRef
from passerby.kernel.money import StarRow
from passerby.kernel.participant import Chatting, Gender, Idle, Participant, Profile, State
from passerby.kernel.rules import STANDARD_QUOTA, Quota, Rules
from passerby.ports.leases import Fence, WorkerId
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import (
    AnswerCallback,
    Arrival,
    BotIdentity,
    CommandList,
    OutgoingCall,
    TelegramError,
    TokenRefused,
    Unavailable,
)
from passerby.runtime.decide.committing import Committer
from passerby.runtime.decide.conduct_notes import ConductNotes
from passerby.runtime.decide.event_handler import EventHandler
from passerby.runtime.decide.loading import FactsLoader
from passerby.runtime.decide.outcomes import DeliveryOutcomes
from passerby.runtime.decide.pairings import Pairings
from passerby.runtime.decide.parking import Parking
from passerby.runtime.decide.put_aside import HopelessWork
from passerby.runtime.decide.router import Router
from passerby.runtime.decide.sending import EffectSender
from passerby.runtime.decide.usernames import Usernames
from passerby.runtime.delivery.best_effort import BestEffort
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.outcome_writer import Outcomes
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.delivery.wording import Wording
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.inbound.admission import Admission
from passerby.runtime.inbound.albums import Albums
from passerby.runtime.inbound.person_queues import PersonQueues, Work
from passerby.runtime.inbound.uncertain_commits import UncertainCommits
from passerby.runtime.membership.tokens import Tokens, Trust
from passerby.runtime.tasks import Background
from passerby.telemetry.logs import Faults
from tests.contract.live_places import Disk, DiskLog
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import EPOCH, VirtualClock
from tests.wording import catalogue

BOT, OTHER_BOT = BotId(1000001), BotId(1000002)
PRINTS = Prints(bytes(32))
ANN, BEN, EVE = PersonId(1), PersonId(2), PersonId(3)
CHAT = ChatId("c0ffee")
ME, HEIR = WorkerId("me"), WorkerId("heir")
WORDS = catalogue()
PLENTY = Budget(1e6, 1000)

Answer = TelegramError | Exception | tuple[int, ...] | None
"""The result of a send: an error, the messages it became, or None for one new message."""


class ScriptedTelegram:
    """Telegram's port. `answer` answers every send after `latency_s`. Each bot's polls have their own queue."""

    def __init__(self, clock: VirtualClock, bots: tuple[BotId, ...] = (BOT, OTHER_BOT)) -> None:
        self._clock = clock
        self._bots = bots
        self.answer: Callable[[OutgoingCall], Answer | Awaitable[Answer]] = lambda outgoing: None
        self.latency_s = 0.0
        self.tried: list[tuple[float, OutgoingCall]] = []
        self.sent: list[OutgoingCall] = []
        self.best_effort: list[OutgoingCall] = []
        self.at_once: dict[tuple[BotId, PersonId], int] = {}
        self.most_at_once = 0
        self.queues: dict[BotId, list[Arrival]] = {bot: [] for bot in bots}
        self.faults: dict[BotId, deque[Exception | None]] = {bot: deque() for bot in bots}
        self.polls: list[tuple[float, BotId, int | None, int]] = []
        self.rows: dict[BotId, list[StarRow]] = {}
        self.unread: set[BotId] = set()
        """Bots whose transactions cannot be read."""
        self.changed = asyncio.Event()
        self.identities: dict[BotId, Exception] = {}
        self.silent: set[BotId] = set()
        """Bots whose getMe is never answered."""
        self.refused: set[BotId] = set()
        self.unprepared: dict[BotId, deque[Exception]] = {}
        self.prepared: list[BotId] = []
        self.prepare_at: dict[BotId, list[float]] = {bot: [] for bot in bots}
        self.members: set[PersonId] = set()
        self.asked: list[PersonId] = []
        self.unknown_members: Exception | None = None
        self._message = 1000

    @property
    def bots(self) -> tuple[BotId, ...]:
        return self._bots

    async def identify(self, bot: BotId) -> BotIdentity:
        await asyncio.sleep(self.latency_s)
        self._admit(bot)
        if bot in self.silent:
            await asyncio.sleep(3600)
        if bot in self.identities:
            raise self.identities[bot]
        return BotIdentity(bot, f"bot_{bot}", "A bot")

    async def is_member(self, bot: BotId, channel: str, person: PersonId) -> bool:
        await asyncio.sleep(self.latency_s)
        self._admit(bot)
        self.asked.append(person)
        if self.unknown_members is not None:
            raise self.unknown_members
        return person in self.members

    async def prepare(self, bot: BotId, menus: tuple[CommandList, ...]) -> None:
        await asyncio.sleep(self.latency_s)
        self._admit(bot)
        self.prepare_at[bot].append(self._clock.monotonic())
        if self.unprepared.get(bot):
            raise self.unprepared[bot].popleft()
        self.prepared.append(bot)

    def refuse(self, bot: BotId) -> None:
        """From now on the bot's token is refused for every call, waiting polls included."""
        self.refused.add(bot)
        self.changed.set()

    def accept(self, bot: BotId) -> None:
        self.refused.discard(bot)

    def _admit(self, bot: BotId) -> None:
        if bot in self.refused:
            raise TokenRefused

    def push(self, bot: BotId, *arrivals: Arrival) -> None:
        self.queues[bot].extend(arrivals)
        self.changed.set()

    def content_of(self, original: Original) -> Content | None:
        return original.content

    async def star_rows(self, bot: BotId, offset: int, limit: int) -> list[StarRow]:
        if bot in self.unread:
            raise Unavailable("no transactions", uncertain=False)
        return self.rows.get(bot, [])[offset : offset + limit]

    async def updates(self, bot: BotId, offset: int | None, limit: int, timeout_s: int) -> list[Arrival]:
        self.polls.append((self._clock.monotonic(), bot, offset, timeout_s))
        await asyncio.sleep(self.latency_s)
        self._admit(bot)
        fault = self.faults[bot].popleft() if self.faults[bot] else None
        if fault is not None:
            raise fault
        if offset is not None:
            self.queues[bot] = [each for each in self.queues[bot] if each.ref.update >= offset]
        until = self._clock.monotonic() + timeout_s
        while not self.queues[bot] and self._clock.monotonic() < until:
            self.changed.clear()
            try:
                async with asyncio.timeout(until - self._clock.monotonic()):
                    await self.changed.wait()
            except TimeoutError:
                break
            self._admit(bot)
        return self.queues[bot][:limit]

    async def send(self, outgoing: OutgoingCall) -> tuple[MessageId, ...]:
        if isinstance(outgoing, AnswerCallback):
            self._admit(outgoing.bot)
            self.best_effort.append(outgoing)
            return ()
        queue = outgoing.bot, getattr(outgoing, "person", PersonId(0))
        self.tried.append((self._clock.monotonic(), outgoing))
        self.at_once[queue] = self.at_once.get(queue, 0) + 1
        self.most_at_once = max(self.most_at_once, self.at_once[queue])
        try:
            await asyncio.sleep(self.latency_s)  # no answer comes in the turn of its call
            self._admit(outgoing.bot)
            answer = self.answer(outgoing)
            if isinstance(answer, Awaitable):
                answer = await answer
        finally:
            self.at_once[queue] -= 1
        if isinstance(answer, Exception):
            raise answer
        self.sent.append(outgoing)
        if answer is None:
            self._message += 1
            answer = (self._message,)
        return tuple(MessageId(message) for message in answer)

    async def aclose(self) -> None:
        pass


class Assured:
    """An assurance that holds until a test ends it."""

    def __init__(self) -> None:
        self.is_assured = True
        self.again = asyncio.Event()

    def returns(self) -> None:
        """The worker is sure of its leases again."""
        self.is_assured = True
        self.again.set()

    async def assured(self) -> None:
        while not self.is_assured:
            await self.again.wait()


class Leaseholder:
    """A worker's knowledge about its leases."""

    def __init__(self) -> None:
        self.held: set[Fence] = set()
        self.lapses: list[str] = []

    def holds(self, fence: Fence) -> bool:
        return fence in self.held

    def is_young(self, fence: Fence) -> bool:
        return False

    def lapse(self, reason: str) -> None:
        self.lapses.append(reason)


class Bench:
    """The runtime between polling and Telegram, wired as in the product, over memory. One incarnation of a process."""

    def __init__(
        self,
        *,
        disk: Disk | None = None,
        records: MemoryRecords | None = None,
        features: tuple[Feature, ...] = ALL,
        bot_budget: Budget = PLENTY,
        chat_budget: Budget = PLENTY,
        key: bytes = bytes(32),
        former_keys: tuple[bytes, ...] = (),
        worker: WorkerId = ME,
        quota: Quota = STANDARD_QUOTA,
        shared: bool = False,
        beside: "Bench | None" = None,
        outcomes: Outcomes | None = None,
    ) -> None:
        """`shared`: other processes send through the same bots. `beside`: one of them, with the same stores and
        Telegram. `outcomes`: used for the courier's outcomes instead of the product's own."""
        self.store: MemoryStore
        self.telegram: ScriptedTelegram
        self.clock = VirtualClock()
        self.disk = disk or Disk()
        self.records = records or MemoryRecords()
        self.rng = Random(3)
        self.telegram = beside.telegram if beside is not None else ScriptedTelegram(self.clock)
        self.errors: list[BaseException] = []
        self.background = Background(self.errors.append, FlightRecorder())
        self.store = beside.store if beside is not None else MemoryStore(DiskLog(self.disk), self.clock, self.rng)
        self.finished: list[UpdateRef] = []
        self.on_finished: list[Callable[[tuple[UpdateRef, ...]], object]] = [self.finished.extend]
        self.leases = Leaseholder()
        self.fences = self.leases.held
        self.lapses = self.leases.lapses
        self.assurance = Assured()
        shared = shared or beside is not None
        wording, sealer = Wording(WORDS), Sealer(key, *former_keys)
        tokens = Tokens(self.telegram, self.background, self.clock, self.rng)
        router = Router(features, WORDS.key_with_label)
        self.uncertain = UncertainCommits(self.clock)
        self.best_effort = BestEffort(self.telegram, wording, tokens, self.assurance, self.background)
        self.person_queues = PersonQueues(self._handle, self.background, self.clock)
        self.albums = Albums(
            self.store, sealer, self.person_queues, self.background, self.clock, worker, self.uncertain.mark
        )
        self.outcomes = DeliveryOutcomes(
            self.store,
            self.person_queues,
            self.best_effort,
            self.background,
            PRINTS,
            self.leases,
            self._finished,
            self.clock,
            self.rng,
        )
        self.courier = Courier(
            self.telegram,
            self.store,
            wording,
            self.background,
            self.clock,
            self.rng,
            bot_budget,
            chat_budget,
            outcomes=outcomes or self.outcomes,
            assurance=self.assurance,
            prints=PRINTS,
            shared=shared,
            worker=worker,
            tokens=tokens,
        )
        self.admission = Admission(
            self.person_queues, self.courier, self.store, self.clock, quota, router.is_for_us, self.person_queues.put
        )
        self.parking = Parking(
            self.store,
            self.courier,
            sealer,
            self.albums,
            self.person_queues,
            self.leases,
            self._finished,
            self.clock,
            worker,
        )
        sender = EffectSender(
            self.store, self.courier, self.best_effort, self.parking, self.leases, worker, shared=shared
        )
        committer = Committer(self.store, sealer, self.uncertain, self.clock, worker, sender.find_again)
        self.pairings = Pairings(committer, sender, self.leases)
        self.handler = EventHandler(
            conduct_notes=ConductNotes(),
            router=router,
            loader=FactsLoader(
                self.store,
                self.records,
                router,
                self.person_queues,
                self.clock,
                self.telegram.content_of,
                self.rng,
                Usernames(self.telegram.identify),
            ),
            committer=committer,
            sender=sender,
            parking=self.parking,
            hopeless=HopelessWork(
                self.store, sender, self.leases, self._finished, self.clock, self.rng, worker, shared=shared
            ),
            person_queues=self.person_queues,
            leases=self.leases,
            env=self.env,
            finished=self._finished,
            owe=self.admission.owe,
            faults=Faults(self.clock.monotonic),
            clock=self.clock,
            rng=self.rng,
        )
        self.lost_bots: list[BotId] = []
        self.courier.tokens.listeners.append(
            lambda bot, trust: self.lost_bots.append(bot) if trust is Trust.LOST else None
        )
        self._update = 0

    def env(self) -> Env:
        return Env(self.clock.now(), self.rng, Rules())

    def _handle(self, work: Work) -> Coroutine[Any, Any, None]:
        return self.handler.handle(work)

    def _finished(self, refs: tuple[UpdateRef, ...]) -> None:
        for tell in self.on_finished:
            tell(refs)

    async def put(self, *people: Participant) -> None:
        assert await self.store.commit(Commit(people)) is Committed.YES

    def happens(self, event: Event, bot: BotId = BOT) -> UpdateRef:
        """Deliver an update."""
        self._update += 1
        ref = UpdateRef(bot, self._update)
        self.admission.put(Work(event, (ref,)))
        return ref

    async def quiet(self, within_s: float = 10.0) -> None:
        """Wait until nothing is under way, for a limited time."""
        until = self.clock.monotonic() + within_s
        await asyncio.sleep(1e-6)
        while (
            self.person_queues.busy or self.courier.pending or self.albums.waiting
        ) and self.clock.monotonic() < until:
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.background.aclose()
        assert self.errors == [], "no background task has failed"

    async def facts_of(self, person: PersonId) -> Participant:
        facts = await self.store.load(person)
        assert facts is not None
        return facts.me


def somebody(person: PersonId, state: State | None = None, bot: BotId = BOT, version: int = 1) -> Participant:
    profile = Profile(consented_at=1.0, age=30, age_given_at=EPOCH, gender=Gender.UNSAID, language="en")
    return Participant(person, version, bot, (bot,), profile, state or Idle(), seen_at=EPOCH)


def couple(chat: ChatId = CHAT, opened_at: float = EPOCH - 1000) -> tuple[Participant, Participant]:
    """Ann on one bot and Ben on the other. Their chat was announced to both long ago."""
    return (
        somebody(ANN, Chatting(chat, BEN, opened_at)),
        somebody(BEN, Chatting(chat, ANN, opened_at), OTHER_BOT),
    )


async def talking(bench: Bench) -> None:
    """Pair Ann and Ben through the product's own decisions, and tell both."""
    await bench.put(somebody(ANN), somebody(BEN, bot=OTHER_BOT))
    for person, bot in ((ANN, BOT), (BEN, OTHER_BOT)):
        bench.happens(written(person, "/search", bot=bot), bot)
    await bench.quiet()
    ann, ben = [await bench.facts_of(each) for each in (ANN, BEN)]
    introduced = introduce(ann, ben, bench.env())
    assert await bench.pairings.settle(introduced, {ANN: ann, BEN: ben}, lambda index: f"pair:{index}")
    await bench.quiet()
    await asyncio.sleep(10)
    bench.telegram.sent.clear()
    bench.telegram.tried.clear()
    bench.finished.clear()


def written(
    person: PersonId, words: str, message: int = 500, bot: BotId = BOT, *, group: str | None = None, **rest: Any
) -> MessageReceived:
    kind = Kind.TEXT if group is None else Kind.PHOTO
    rest.setdefault("sent_at", EPOCH)
    return MessageReceived(person, bot, (MessageId(message),), (Content(kind, words, group=group),), **rest)


def relay(number: int, *, to: PersonId = BEN, chat: ChatId = CHAT, sender: PersonId = ANN) -> Relay:
    return Relay(chat, sender, BOT, (MessageId(number),), to, (Content(Kind.TEXT, f"words {number}"),))


def words_of(calls: list[OutgoingCall]) -> list[str]:
    """Return the texts of these outgoing calls; of notices only the first line."""
    said = []
    for each in calls:
        contents = getattr(each, "contents", None)
        if contents is not None:
            said.append("+".join(content.text for content in contents))
        else:
            said.append(getattr(each, "html", type(each).__name__).splitlines()[0])
    return said
