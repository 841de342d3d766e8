"""The staff bot as one worker runs it: polled under a lease of its own, whatever UPDATE_MODE says.

It is not one of the fleet's bots: they are shared out, have people, and can be lost with their chats.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from passerby.kernel.content import Content
from passerby.kernel.decision import Env
from passerby.kernel.drain import FleetBot, KnownBots
from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.staff import StaffFeature
from passerby.kernel.text import Text, text
from passerby.ports.leases import Fence, duty_lease
from passerby.ports.staff import StaffRecords
from passerby.ports.telegram import Arrival, CommandList, TelegramError
from passerby.runtime.decide.sponsors import Sponsors
from passerby.runtime.delivery.staff_board import StaffBoard
from passerby.runtime.inbound.person_queues import PersonQueues, Work
from passerby.runtime.inbound.polling import Intake
from passerby.runtime.leased_tasks import PollingTask
from passerby.runtime.staff.decisions import Ledger, StaffDecisions
from passerby.runtime.staff.desk import StaffDesk
from passerby.runtime.staff.router import HELP, StaffRouter
from passerby.runtime.worker_parts import WorkerParts

STAFF = duty_lease("staff")
"""The right to poll the staff bot."""


NAME_S = 3.0
"""How long somebody who looks at the bots waits for a name."""


def _in_no_file(bot: BotId) -> str:
    return "the tokens are in no file"


@dataclass(frozen=True, slots=True)
class StaffConfig:
    """The parts that a worker needs to run the staff bot. `retire` removes a bot's token, and returns why it could not;
    None: the tokens are in no file. `ledger` reads the report about money; None: `/money` shows none."""

    bot: BotId
    records: StaffRecords
    features: tuple[StaffFeature, ...]
    panel_url: str = ""
    retire: Callable[[BotId], str] | None = None
    ledger: Ledger | None = None


class StaffTask:
    """See `runtime.leased_tasks.LeasedTask`. It is not a `PollingTask`: those are the fleet's bots."""

    def __init__(self, bot: "StaffBot", fence: Fence) -> None:
        self._bot = bot
        self._fence = fence

    async def begin(self) -> None:
        await self._bot.begin(self._fence)

    async def end(self) -> None:
        await self._bot.end()


class StaffBot:
    """One worker's part of the staff bot. `board` works in every worker; only the lease's holder polls."""

    def __init__(
        self,
        config: StaffConfig,
        parts: WorkerParts,
        env: Callable[[], Env],
        open_exhibit: Callable[[bytes, int], str | tuple[BotId, Content] | None],
        fleet_bots: Callable[[], Iterable[BotId]],
    ) -> None:
        self._fleet_bots = fleet_bots
        self._can_retire = config.retire is not None
        self._usernames: dict[BotId, str] = {}
        self.bot = config.bot
        self._parts = parts
        self._task: PollingTask | None = None
        telegram, store, membership, clock, rng = parts.telegram, parts.store, parts.membership, parts.clock, parts.rng
        self.board = StaffBoard(
            config.bot, telegram, parts.wording, config.records, parts.tokens, membership, clock, rng, open_exhibit
        )
        decisions = StaffDecisions(
            config.records,
            StaffRouter(config.features),
            env,
            config.panel_url,
            self._fleet,
            parts.tokens.works,
            config.ledger,
        )
        sponsors = Sponsors(telegram, store, config.bot, lambda: env().rules.sponsor, clock)
        retire = config.retire or _in_no_file
        desk = StaffDesk(decisions, self.board, store, membership, self._finished, clock, rng, retire, sponsors)
        self._queues = PersonQueues(desk.handle, parts.background, clock, parts.flight_recorder)

    @property
    def is_busy(self) -> bool:
        return bool(self._queues.busy)

    @property
    def is_polled_here(self) -> bool:
        return self._task is not None

    async def begin(self, fence: Fence) -> None:
        """Poll the bot, from the moment its lease is taken."""
        parts, put = self._parts, partial(self._receive, fence)
        telegram, tokens, clock, rng = parts.telegram, parts.tokens, parts.clock, parts.rng
        intake = Intake(self.bot, telegram, parts.store, put, tokens, clock, rng, parts.membership)
        task = self._task = PollingTask(
            self.bot, fence, telegram, intake, self._menus, parts.keep_going, clock, rng, tokens
        )
        await task.begin()

    async def end(self) -> None:
        """End in good order, before the lease is given back."""
        if self._task is not None:
            await self._task.end()
            self._task = None

    def _receive(self, fence: Fence, arrival: Arrival, crashes: int) -> None:
        self._queues.put(Work(arrival.event, (arrival.ref,), fences=(fence,), crashes=crashes))

    def _finished(self, refs: tuple[UpdateRef, ...]) -> None:
        if self._task is not None and self._task.intake is not None:
            for ref in refs:
                self._task.intake.window.finish(ref.update)

    async def _fleet(self) -> KnownBots:
        """Ask Telegram for the names that are not known yet."""
        bots = tuple(self._fleet_bots())
        await asyncio.gather(*(self._name(bot) for bot in bots if bot not in self._usernames))
        return KnownBots(tuple(FleetBot(bot, self._usernames.get(bot, "")) for bot in bots), self._can_retire)

    async def _name(self, bot: BotId) -> None:
        with suppress(TelegramError, TimeoutError):
            async with asyncio.timeout(NAME_S):
                self._usernames[bot] = (await self._parts.telegram.identify(bot)).username

    def _menus(self) -> tuple[CommandList, ...]:
        """Show strangers that the bot is not for them, and no command but /help."""
        languages = self._parts.words.languages
        return tuple(
            CommandList(
                "" if language == languages[0] else language,
                ((HELP, self._parts.words.plain(Text(f"staff_commands.{HELP}"), language)),),
                self._parts.words.plain(text("team.stranger"), language),
                self._parts.words.plain(text("team.stranger"), language),
            )
            for language in languages
        )
