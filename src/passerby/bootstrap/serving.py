"""Serves the bots with one process, from its first file to its last line in the log.

The stages of a start, in this order: files, listeners, live store, records, Telegram's client. They outlast the
workers: when a worker has lapsed, another follows (see `runtime.supervise`). All is closed in the opposite order.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Literal

from pydantic import SecretStr

from passerby.adapters.botapi import BotApi
from passerby.adapters.botapi.files import Disguised
from passerby.adapters.memory import FileLog
from passerby.adapters.sql import DatabaseUnusable, SqlBroadcasts, SqlRecords, SqlStaff
from passerby.adapters.sql.installation import note_limits
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.adapters.sql.panel_faults import keep_faults
from passerby.bootstrap.alerting import alert_config
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.copies import until_alone
from passerby.bootstrap.duties import more_duties
from passerby.bootstrap.file_guard import Guard
from passerby.bootstrap.files import open_files
from passerby.bootstrap.listeners import Listeners, listening
from passerby.bootstrap.looking import check, looking
from passerby.bootstrap.override_watch import OverrideWatch
from passerby.bootstrap.parts import Parts
from passerby.bootstrap.self_watch import SelfWatch, places, server_time
from passerby.bootstrap.start import Start
from passerby.bootstrap.token_watch import TokenWatch
from passerby.bootstrap.told_to_stop import ToldToStop
from passerby.bootstrap.webhook_admin import check_webhooks
from passerby.catalogue import Catalogue
from passerby.domain.budgets import Budget
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.ids import BotId
from passerby.kernel.rules import Quota
from passerby.ops.stores import unusable
from passerby.ops.token_file import retirer
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.runtime.background.loop_watch import LoopWatch
from passerby.runtime.delivery.courier import PARK_AFTER_S
from passerby.runtime.delivery.sends import Look
from passerby.runtime.staff.duty import StaffConfig
from passerby.runtime.supervise import supervise
from passerby.runtime.tasks import Background
from passerby.runtime.worker import NoBotWorks, Worker
from passerby.runtime.worker_config import WorkerConfig
from passerby.runtime.worker_status import WorkerStatus
from passerby.settings import Settings, WrongSetting, addresses, no_bot
from passerby.staff import ALL as STAFF_FEATURES
from passerby.telemetry import faults, logs, metrics

Role = Literal["all", "worker", "web"]
"""all: everything, in one process. worker: whatever its leases say (polling, pairing, recording). web: only receives
webhooks."""

LOOK_AGAIN_S = 30.0
FAULTS_EVERY_S = 15.0
WEBHOOKS_PARKED_AFTER_S = 20.0
"""An update from a webhook delays only its own chat, and Telegram waits a minute for the answer."""


async def serve(
    settings: Settings,
    *,
    role: Role = "all",
    name: str = "passerby",
    on_ready: Callable[[], None] | None = None,
    stop: asyncio.Event,
    on_beat: Callable[[], None] | None = None,
) -> None:
    """Do one process's part of the work until `stop` is set, then finish the current work and return.

    `name` is what operators call the process. `on_beat` is called often, from the event loop. With it, the process ends
    if the loop is stuck. A store on another machine that is away is waited for (see `start`).
    Raises: WrongSetting, for faults that only show at the start: a database in use, or all tokens refused.
    """
    if not settings.tokens:
        raise no_bot()
    check(settings)
    start = Start(settings, SystemClock(), stop)
    try:
        async with AsyncExitStack() as closing:
            await _serve(closing, start, settings, role, name, on_ready, stop, on_beat)
    except ToldToStop:
        return


async def _serve(
    closing: AsyncExitStack,
    start: Start,
    settings: Settings,
    role: Role,
    name: str,
    on_ready: Callable[[], None] | None,
    stop: asyncio.Event,
    on_beat: Callable[[], None] | None,
) -> None:
    clock, rng = SystemClock(), SystemRandom()
    files = closing.enter_context(open_files(settings, name, rng, clock))
    receives = settings.update_mode == "webhook" and role != "worker"
    keys = (files.key, *files.former_keys)
    # Before anything is waited for, so that probes see a process that is alive.
    listeners = await closing.enter_async_context(listening(settings, keys, name, webhooks=receives))
    store = await closing.enter_async_context(start.live_store(files.log, keys, rng))
    records = await closing.enter_async_context(start.records(needed=store.newborn))
    telegram = await closing.enter_async_context(_telegram(settings, store, files.key))
    tokens = TokenWatch(settings, clock)
    background = Background(lambda error: logs.failed("webhook.unseen", error))
    closing.push_async_callback(background.aclose)
    had_crashed = files.recorder.was_cut_off or start.had_crashed
    parts = Parts(clock, rng, files, store, records, telegram, tokens, had_crashed)
    look = await closing.enter_async_context(looking(settings, telegram, clock))
    words = Catalogue.load(Path(__file__).parents[1])
    overriding = OverrideWatch(
        settings, SqlOverrides(records.engine), clock, words, partial(note_limits, records.engine)
    )
    process = Process(settings, role, name, parts, words, overriding, look)
    with suppress(RecordsLost):  # then the defaults count until they are there
        await overriding.take_up_new()
    background.spawn(overriding.run())

    def ready(app: Worker) -> None:
        is_first = not process.was_ready
        process.ready(app, listeners)
        if is_first:
            background.spawn(_read_texts(words, clock))
            background.spawn(_warn_of_few_connections(records, store, clock))
            if receives:
                background.spawn(check_webhooks(settings))
            if on_ready is not None:
                on_ready()

    if settings.panel_url is not None and role != "worker":
        from passerby.bootstrap.panel import serving_panel  # without a panel, nothing of it is imported

        await closing.enter_async_context(serving_panel(settings, parts, process.words, role, overriding))
    if on_beat is not None:
        watch = LoopWatch(files.recorder, on_beat)
        closing.callback(watch.close)
        watch.begin()
    if files.log is not None:
        background.spawn(_guard(settings, files.log, files.key, clock, start))
    self_watch = SelfWatch(places(settings), files.crashes, clock, partial(server_time, settings.bot_api_url))
    background.spawn(self_watch.run())
    background.spawn(start.watch_release(store))
    if settings.panel_url is not None:
        background.spawn(_keep_faults(records, clock))

    def bots_changed() -> None:
        process.bots_changed()
        listeners.know_bots(tokens.tokens)

    background.spawn(tokens.run(bots_changed))
    background.spawn(start.watch(store, records, lambda: process.was_ready))
    if files.log is not None:
        if settings.update_mode == "polling":
            await until_alone(files.log, store, records, telegram, clock, stop)
        else:
            files.log.note_alone()
    try:
        whole = await supervise(process.make, stop, clock, settings.shutdown_timeout_s, ready, listeners.end)
    except NoBotWorks:
        remedy = "ask @BotFather for the bots' tokens"
        raise WrongSetting("BOT_TOKENS", "Telegram refuses every one", remedy) from None
    except DatabaseUnusable as error:
        raise unusable(settings, error) from None
    if start.failure is not None:
        raise start.failure
    _say_goodbye(whole, process.unrecorded)


class Process:
    """Makes one worker after another, and says when they are ready."""

    def __init__(
        self,
        settings: Settings,
        role: Role,
        name: str,
        parts: Parts,
        words: Catalogue,
        overriding: OverrideWatch,
        look: Look | None = None,
    ) -> None:
        self._settings = settings
        self._role = role
        self._name = name
        self.parts = parts
        self._overriding = overriding
        self.words = words
        self._look = look
        self._app: Worker | None = None
        self.was_ready = False

    @property
    def unrecorded(self) -> int:
        """How many facts the last worker could not write to the records."""
        return self._app.unrecorded if self._app is not None else 0

    def bots_changed(self) -> None:
        """Serve the bots that the token file names now."""
        tokens = self.parts.tokens.tokens
        self.parts.telegram.take(_tokens(self._settings, tokens))
        if self._app is not None:
            self._app.roster.serve(tokens)

    def make(self) -> Worker:
        settings, parts = self._settings, self.parts
        polls = settings.update_mode == "polling"
        self._app = Worker(
            telegram=parts.telegram,
            store=parts.store,
            records=parts.records,
            features=ALL,
            introduce=introduce,
            words=self.words,
            clock=parts.clock,
            rng=parts.rng,
            flight_recorder=parts.files.recorder,
            more_duties=more_duties(settings, parts),
            alerts=alert_config(settings, self._overriding.thresholds, parts),
            staff=self._staff(),
            staff_records=SqlStaff(parts.records.engine),
            broadcasts=SqlBroadcasts(parts.records.engine),
            config=WorkerConfig(
                rules=self._overriding.rules,
                look=self._look,
                rules_now=self._overriding.rules_now,
                checker=settings.staff_bot,
                key=parts.files.key,
                former_keys=parts.files.former_keys,
                bot_budget=Budget(settings.bot_rate_per_s, max(1, round(settings.bot_rate_per_s))),
                chat_budget=Budget(settings.chat_rate_per_s, settings.chat_burst),
                quota=Quota(settings.person_at_once, settings.person_rate_per_s),
                polls=polls,
                leads=self._role != "web",
                shared=settings.is_shared,
                had_crashed=parts.had_crashed,
                park_after_s=PARK_AFTER_S if polls else WEBHOOKS_PARKED_AFTER_S,
                name=self._name,
                home=home_of(settings),
                token_refused_after_s=settings.token_refused_after_s,
                # A person at a terminal wants to hear about wrong tokens. A supervised process waits until they work.
                insists=self._role == "all" and not self.was_ready,
            ),
        )
        return self._app

    def _staff(self) -> StaffConfig | None:
        bot = self._settings.staff_bot
        if bot is None:
            return None
        records, retire = SqlStaff(self.parts.records.engine), retirer(self._settings)
        return StaffConfig(bot, records, STAFF_FEATURES, self._settings.panel_url or "", retire, records.ledgered)

    def ready(self, app: Worker, listeners: Listeners) -> None:
        """Open the listeners to this worker, and log that it is ready. Raises: WrongSetting."""
        parts = self.parts
        serves = {"api": addresses.without_password(self._settings.bot_api_url), "bots": tuple(parts.tokens.tokens)}
        listeners.begin(app, WorkerStatus(app, parts.store, parts.records, self._name, self._role, serves))
        refused = len(app.refused_bots)
        if refused:
            reason = f"Telegram refuses the tokens of {refused} more; it is asked again later"
            logs.record("runtime.ready", bots=len(parts.tokens.tokens) - refused, reason=reason)
        else:
            logs.record("runtime.ready", bots=len(parts.tokens.tokens))
        self.was_ready = True


@asynccontextmanager
async def _telegram(settings: Settings, store: LiveStore, key: bytes) -> AsyncIterator[BotApi]:
    telegram = BotApi(
        _tokens(settings, settings.tokens),
        Disguised(store, key),
        base_url=settings.bot_api_url,
        unlimited_files=settings.bot_api_local,
        on_connected=lambda: metrics.CONNECTIONS.add("tls" if settings.bot_api_url[:5] == "https" else "plain"),
        sightings=store,
        key=key,
        staff=settings.staff_bot,
    )
    try:
        yield telegram
    finally:
        await telegram.aclose()


def _tokens(settings: Settings, fleet: Mapping[BotId, SecretStr]) -> dict[BotId, str]:
    """All tokens by bot, the staff bot's last."""
    tokens = {bot: token.get_secret_value() for bot, token in fleet.items()}
    if settings.staff_bot is not None and settings.staff_bot_token is not None:
        tokens[settings.staff_bot] = settings.staff_bot_token.get_secret_value()
    return tokens


def home_of(settings: Settings) -> str:
    """The installation's name, for operators with several of them."""
    return f"{socket.gethostname()}:{settings.run_path.absolute()}"


async def _guard(settings: Settings, log: FileLog, key: bytes, clock: SystemClock, start: Start) -> None:
    start.end(await Guard(settings, log, key, clock).watch())


async def _read_texts(words: Catalogue, clock: SystemClock) -> None:
    """Read the texts of all languages, a little in each turn of the event loop."""
    for _ in words.read_all():
        await clock.sleep(0)


async def _warn_of_few_connections(records: SqlRecords, store: LiveStore, clock: SystemClock) -> None:
    """Warn if all processes together may want more connections than the database allows."""
    crowded: str | None = None
    while True:
        try:
            processes = max(1, len((await store.members()).workers))
            crowded = await records.shortage(processes)
        except (LiveStoreLost, RecordsLost):  # the next read or write reports it
            await clock.sleep(LOOK_AGAIN_S)
        else:
            break
    if crowded is not None:
        logs.record("records.crowded", "warning", reason=crowded)


async def _keep_faults(records: SqlRecords, clock: SystemClock) -> None:
    """Take the faults of this process to the records, where the panel reads them."""
    while True:
        await clock.sleep(FAULTS_EVERY_S)
        with suppress(RecordsLost):  # they are in the log, too
            await keep_faults(records.engine, faults.take(), clock.now())


def _say_goodbye(whole: bool, unrecorded: int) -> None:
    reason = "all done" if whole else "the rest is done by the next start"
    if not unrecorded:
        logs.record("runtime.stopped", reason=reason)
        return
    reason = "not everything is in the database yet: the live store keeps it, and the next start stores it"
    logs.record("runtime.stopped", "warning", count=unrecorded, reason=reason)
