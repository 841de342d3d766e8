"""The stage: two bots, the whole app over the sandbox's world, and two people who have just been paired.

Scenarios judge by what phones show. They ask the app itself only whether it still has something to do.
"""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from random import Random
from typing import Any

from botapi_sandbox import Switches, World
from passerby.dialogue.states import FOUND
from passerby.domain.budgets import Budget
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Gender, Participant, Profile
from passerby.kernel.rules import Rules
from passerby.ports.broadcasts import BroadcastRecords
from passerby.runtime.alerting.watch import AlertConfig
from passerby.runtime.staff.duty import StaffConfig
from passerby.runtime.supervise import supervise
from passerby.runtime.worker import Worker
from passerby.runtime.worker_config import WorkerConfig
from tests.contract.live_places import MemoryPlace, Place
from tests.scenario.records_places import RecordsPlace
from tests.scenario.stores import Severed, opened, workers
from tests.simulation.network import Network, SimBotApi
from tests.simulation.process import KEY
from tests.simulation.run import BUGS, captured_log
from tests.simulation.virtual_time import SimProcess
from tests.simulation.witness import wordings
from tests.wording import catalogue

Json = dict[str, Any]

STEP_S = 0.05
TAKEOVER_S = 10.0
"""If processes share a store, the others must first notice that one died."""

PATIENCE_S = 900.0
STOP_S = 8.0
BOT_BUDGET = Budget(30.0, 30)
CHAT_BUDGET = Budget(1.0, 20)

PATIENT = Rules(idle_nudge_s=0, idle_end_s=0)
"""Rules for chats that must survive days of silence."""


@dataclass
class Phone:
    """A person at one of the bots. Set `bot` when they switch to another one."""

    world: World
    id: int
    bot: int

    def send(self, content: Json, **more: Any) -> int:
        sent: int = self.world.phones.send(self.id, self.bot, content, **more)["message_id"]
        return sent

    def write(self, text: str, **more: Any) -> int:
        return self.send({"text": text}, **more)

    def album(self, *items: Json) -> list[int]:
        return [message["message_id"] for message in self.world.phones.album(self.id, self.bot, list(items))]

    def edit(self, message: int, **more: Any) -> None:
        self.world.phones.edit(self.id, self.bot, message, **more)

    def react(self, message: int, emoji: str | None) -> None:
        self.world.phones.react(self.id, self.bot, message, emoji)

    def file(self, kind: str, **described: Any) -> Json:
        """Return the fields of a message with another file of this kind, for an edit."""
        made: Json = self.world.phones._composer.completed(self.world.state.bots[self.bot], {kind: described})
        return made

    def messages(self, bot: int | None = None) -> dict[int, Json]:
        """Return everything in the chat, by id, oldest first."""
        _, held = self.world.phones.view(self.id, bot or self.bot)
        return {one.message["message_id"]: one.message for one in held}

    def got(self, bot: int | None = None) -> list[Json]:
        """Return the partner's messages, oldest first: all messages from the bot except notices."""
        _, held = self.world.phones.view(self.id, bot or self.bot)
        return [one.message for one in held if not one.outgoing and notice(one.message) is None]

    def told(self, bot: int | None = None) -> list[str]:
        """Return the text keys of the notices, oldest first."""
        _, held = self.world.phones.view(self.id, bot or self.bot)
        return [key for one in held if not one.outgoing and (key := notice(one.message)) is not None]

    def told_since_pairing(self) -> list[str]:
        told = self.told()
        return told[told.index("search.found") + 1 :]

    def complaints(self) -> list[str]:
        """Return the notices since the pairing that report a problem."""
        return [key for key in self.told_since_pairing() if key != "chat.shown" and not key.startswith("chat.inside_")]

    def reaction(self, message: int, bot: int | None = None) -> str | None:
        """Return the reaction that the bot has put on a message in this chat."""
        chat, _ = self.world.phones.view(self.id, bot or self.bot)
        shown = chat.messages[message].bots_reaction
        return shown["emoji"] if shown else None

    def press(self, action: str, *, at: int | None = None) -> None:
        """Press the latest button with this action, or the one of message `at`."""
        for number, message in reversed(self.messages().items()):
            if at is not None and number != at:
                continue
            for row, buttons in enumerate(message.get("reply_markup", {}).get("inline_keyboard", ())):
                for column, button in enumerate(buttons):
                    if button["callback_data"].startswith(f"{action}:"):
                        self.world.phones.press(self.id, self.bot, number, row, column)
                        return
        raise AssertionError(f"no button for {action}")


def notice(message: Json) -> str | None:
    """Return the text key of a notice, or None for any other message. Every "Partner found" counts as one notice,
    whatever else it says."""
    if "text" not in message:
        return None
    return _key_of(message["text"].strip())


@cache
def _key_of(said: str) -> str | None:
    key = wordings().get(said) or next((key for key, pattern in patterns() if pattern.fullmatch(said)), None)
    return "search.found" if key in FOUND else key


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the constant parts of notices with placeholders."""
    found = []
    for table in map(catalogue().table, catalogue().languages):
        for key, wording in table.items():
            for template in wording.templates:
                parts = [part.replace("%%", "%") for part in template.plain.strip().split("%s")]
                if template.names and sum(map(len, parts)) > 8:
                    found.append((key, re.compile(".+".join(map(re.escape, parts)), re.DOTALL)))
    return tuple(found)


@dataclass
class Stage:
    """`home`: both people use the same bot. The place, the records and the world outlive the app."""

    place: Place
    records_place: RecordsPlace
    home: bool
    log: io.StringIO
    switches: Switches = field(default_factory=lambda: Switches(journal_length=100_000))
    rules: Rules = field(default_factory=Rules)
    bugs: tuple[str, ...] = BUGS
    """Log events that may not occur."""

    size: int = 1
    """How many workers serve the bots together."""

    starts: int = 0

    def __post_init__(self) -> None:
        self.running: dict[SimProcess, tuple[Severed, Worker]] = {}
        """The workers that run now, the oldest first."""
        self._supervisors: dict[SimProcess, tuple[asyncio.Event, asyncio.Task[bool]]] = {}
        """For each process the event that stops it, and what `supervise` does."""
        self.world = World(clock=self.place.clock.now, rng=Random(1), seed=1, switches=self.switches)
        bots = [self.world.add_bot() for _ in range(2)]
        self.bots = tuple(BotId(bot.id) for bot in bots)
        self.tokens = {BotId(bot.id): bot.token for bot in bots}
        self.network = Network(self.world, asyncio.get_running_loop(), Random(2))  # type: ignore[arg-type]
        self.people: list[Phone] = []
        self.ann = self.join(self.bots[0])
        self.bob = self.join(self.bots[0 if self.home else 1])

    def join(self, bot: BotId) -> Phone:
        """Add a person who has answered the first questions, on this bot."""
        name = f"Person{len(self.people)}"
        person = self.world.add_person(name, f"{name}_name".lower())
        self.world.chat(self.world.state.bots[bot], person.id).started = True
        now = self.place.clock.now()
        profile = Profile(now, 30, now, Gender.UNSAID, "en")
        self.records_place.know(Participant(PersonId(person.id), 1, bot, (bot,), profile, seen_at=now))
        self.people.append(phone := Phone(self.world, person.id, bot))
        return phone

    def staff_config(self) -> StaffConfig | None:
        return None

    def broadcast_records(self) -> BroadcastRecords | None:
        return None

    def alert_config(self) -> AlertConfig | None:
        return None

    async def start(self) -> None:
        """Start as many workers as there should be. `process`, `store` and `app` are those of the newest."""
        while len(self.running) < self.size:
            await self.start_one()

    async def start_one(self) -> None:
        process = self.process = SimProcess("app")
        store = self.store = Severed(self.place.open())
        self.starts += 1
        ready, stop = asyncio.Event(), asyncio.Event()

        def takes_updates(worker: Worker) -> None:
            self.running[process] = store, worker
            if process is self.process:
                self.app = worker
            ready.set()

        make = self._build(process, store)
        running = asyncio.create_task(supervise(make, stop, self.place.clock, STOP_S, takes_updates))
        running.add_done_callback(lambda _: ready.set())
        await ready.wait()
        if running.done():
            running.result()
        self._supervisors[process] = stop, running

    def _build(self, process: SimProcess, store: Severed) -> Callable[[], Worker]:
        """Return what makes an incarnation of the process's worker."""
        staff = self.staff_config()
        return partial(
            Worker,
            telegram=SimBotApi(self.tokens, store, self.network, process),
            store=store,
            records=self.records_place.open(),
            features=ALL,
            introduce=introduce,
            words=catalogue(),
            clock=self.place.clock,
            rng=Random(3 * self.starts),
            config=WorkerConfig(
                rules=self.rules,
                checker=staff.bot if staff is not None else None,
                key=KEY,
                bot_budget=BOT_BUDGET,
                chat_budget=CHAT_BUDGET,
                shared=self.size > 1,
            ),
            staff=staff,
            staff_records=staff.records if staff is not None else None,
            broadcasts=self.broadcast_records(),
            alerts=self.alert_config(),
        )

    async def stop(self) -> None:
        for process in list(self.running):
            await self._stop(process)

    async def _stop(self, process: SimProcess) -> None:
        stop, running = self._supervisors.pop(process)
        stop.set()
        await running
        store, _ = self.running.pop(process)
        await store.aclose()

    async def restart(self) -> None:
        """Start each worker again, one after the other."""
        for process in list(self.running):
            await self._stop(process)
            await self.start_one()

    async def kill(self) -> None:
        """Kill all workers as `kill -9` does: no cleanup reaches the store or Telegram. Requests on their way may
        still arrive."""
        for process in list(self.running):
            await self._kill(process)

    async def _kill(self, process: SimProcess) -> None:
        await ended(self.die(process))

    def die(self, process: SimProcess) -> "asyncio.Task[bool]":
        """No call of the process has an effect from now on. Returns its task, which is still running."""
        store, _ = self.running.pop(process)
        store.dead = process.dead = True
        for tell in list(process.on_kill):
            tell()
        _, running = self._supervisors.pop(process)
        return running

    async def kill_and_start(self) -> None:
        """Kill the oldest worker. If there is another one, it takes over; if not, a new one does."""
        await self._kill(next(iter(self.running)))
        if self.running:
            await asyncio.sleep(TAKEOVER_S)
        await self.start()
        if not isinstance(self.place, MemoryPlace):
            await asyncio.sleep(TAKEOVER_S)

    async def after(self, history: str) -> None:
        """Continue as the matrix says: in the same process of the app, or in a new one."""
        if history == "restarted":
            await self.restart()
        elif history == "killed":
            await self.kill_and_start()

    async def quiet(self) -> None:
        """Wait until the app has done everything, and has confirmed it to Telegram."""

        async def waiting() -> None:
            while self.busy():
                await asyncio.sleep(STEP_S)

        await asyncio.wait_for(waiting(), PATIENCE_S)

    def busy(self) -> bool:
        queued = any(bot.queue.items for bot in self.world.state.bots.values())
        return queued or any(map(_is_busy, (app for _, app in self.running.values())))

    async def elapse(self, delay_s: float) -> None:
        """Let a long time pass while the app is down, and then a moment more."""
        await self.stop()
        await self.place.elapse(delay_s)
        await self.start()
        await asyncio.sleep(61.0)

    async def introduce(self, one: Phone, other: Phone) -> None:
        for phone in (one, other):
            phone.write("/search")

        async def waiting() -> None:
            while not all(phone.told()[-1:] == ["search.found"] for phone in (one, other)):
                await asyncio.sleep(STEP_S)

        await asyncio.wait_for(waiting(), PATIENCE_S)
        await self.quiet()

    def requests(self, *methods: str) -> list[Json]:
        entries = self.world.journal.after(0)
        return [each for each in entries if each["kind"] == "request" and each["method"] in methods]

    def check_log(self) -> None:
        """Check that no log entry reports a bug of ours."""
        for line in self.log.getvalue().splitlines():
            assert not any(f'"{bug}"' in line for bug in self.bugs), line


def _is_busy(app: Worker) -> bool:
    if app.has_lapsed.is_set():
        return True  # nobody finishes its work; `supervise` is about to replace it
    in_staff_bot = app.staff_bot is not None and app.staff_bot.is_busy
    return bool(app.person_queues.busy) or bool(app.courier.pending) or in_staff_bot


async def ended(running: "asyncio.Task[bool]") -> None:
    """Wait until a worker that is dead already has ended."""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@asynccontextmanager
async def staged(place: Place, records_place: RecordsPlace, *, home: bool, **more: Any) -> AsyncIterator[Stage]:
    with captured_log() as log:
        stage = Stage(place, records_place, home, log, **more)
        await stage.start()
        try:
            await stage.introduce(stage.ann, stage.bob)
            yield stage
            stage.check_log()
        finally:
            await stage.kill()


def play(store: str, scene: Callable[[Stage], Coroutine[Any, Any, None]], *, home: bool, **more: Any) -> None:
    """Run a scene for two people in a chat."""
    place, records_place = opened(store)

    async def scenario() -> None:
        async with staged(place, records_place, home=home, size=workers(store), **more) as stage:
            await scene(stage)

    try:
        place.run(scenario())
    finally:
        records_place.close()
