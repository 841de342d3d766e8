"""The one place where adapters are constructed and handed to the runtime."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import SystemRandom
from typing import Literal

from passerby.adapters.botapi import BotApi
from passerby.adapters.botapi.files import Disguised
from passerby.adapters.botapi.webhook_api import BotApiWebhooks, arrival
from passerby.adapters.memory import FileLog
from passerby.adapters.sql import DatabaseUnusable, Pool, SqlRecords
from passerby.bootstrap.guarding import Guard
from passerby.bootstrap.stores import Start, database, heed_key, live_path, open_log, unusable
from passerby.catalogue import Catalogue
from passerby.domain.budgets import Budget
from passerby.domain.quota import Quota
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.rules import ContactPolicy, Rules
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.runtime.background.loop_watch import LoopWatch
from passerby.runtime.delivery.courier import PARK_AFTER_S
from passerby.runtime.flight_recorder import RECORDING, FlightRecorder, RecorderInUse
from passerby.runtime.supervise import supervise
from passerby.runtime.tasks import Background
from passerby.runtime.worker import App, NoBotWorks
from passerby.runtime.worker_status import WorkerStatus
from passerby.settings import Settings, WrongSetting, addresses, former_keys, open_key
from passerby.telemetry import logs, metrics
from passerby.web import CannotListen, Listener, Pages, Webhooks, listen_on_socket, listen_on_tcp
from passerby.web.endpoints import endpoint_of
from passerby.web.webhook_admin import WebhookAdmin


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()  # noqa: TID251  # where time comes from

    def monotonic(self) -> float:
        return time.monotonic()  # noqa: TID251  # where time comes from

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


Role = Literal["all", "worker", "web"]
"""What a process does: all there is; what leases say (polling, pairing, recording); or only take webhooks."""

LOOK_AGAIN_S = 30.0
WEBHOOKS_PARKED_AFTER_S = 20.0
"""A webhook's update holds up its own chat alone, and Telegram waits a minute for the answer."""


async def serve(
    settings: Settings,
    *,
    role: Role = "all",
    name: str = "passerby",
    on_ready: Callable[[], None] | None = None,
    stop: asyncio.Event,
    on_beat: Callable[[], None] | None = None,
) -> None:
    """Do one process's part of the fleet until `stop` is set, then finish what is in hand and return.

    `name` is what operators call the process. `on_beat` is called often, in turns of the event loop; with it, the
    process ends if the loop is stuck. Stores on other machines that are away are waited for (see `opening`).
    Raises: WrongSetting, for faults that only show at the start: a database in use, or all tokens refused.
    """
    if not settings.tokens:
        raise WrongSetting("BOT_TOKENS", "there is none", "give at least one token, or try `passerby demo` without")
    clock, rng = SystemClock(), SystemRandom()
    start = Start(settings, clock, stop)
    _warn_of_a_lost_key(settings)
    key, former = open_key(settings), former_keys(settings)
    async with AsyncExitStack() as closing:
        # A second process on the same files is turned away before it can be taken for the first.
        log = None if settings.is_shared else open_log(settings)
        if log is not None:
            heed_key(log, key, former)
        recorder = _open_recorder(settings, name, rng)
        closing.callback(recorder.close)
        # Before anything is waited for: a process that waits is alive.
        polls = settings.update_mode == "polling"
        listeners = Listeners(settings, (key, *former), name, webhooks=not polls and role != "worker")
        closing.push_async_callback(listeners.aclose)
        store = await start.live_store(log, rng)
        if store is None:
            return
        closing.push_async_callback(_close_store, store)
        if not await start.schema(closing, needed=store.newborn):
            return
        pool = Pool(settings.db_pool_max, settings.db_pool_min, evict_every_s=settings.db_pool_evict_s)
        records = SqlRecords.at(database(settings), pool)
        closing.push_async_callback(records.aclose)
        tending = Background(lambda error: logs.failed("records.unusable", error))
        tending.spawn(records.tend(clock))
        closing.push_async_callback(tending.aclose)
        telegram = BotApi(
            {bot: token.get_secret_value() for bot, token in settings.tokens.items()},
            Disguised(store, key),
            base_url=settings.bot_api_url,
            unlimited_files=settings.bot_api_local,
            on_connected=lambda: metrics.CONNECTIONS.add("tls" if settings.bot_api_url[:5] == "https" else "plain"),
            sightings=store,
            key=key,
        )
        closing.push_async_callback(telegram.aclose)
        words = Catalogue.load(Path(__file__).parents[1])

        looking = Background(lambda error: logs.failed("webhook.unseen", error))
        closing.push_async_callback(looking.aclose)

        announced = False
        app: App | None = None

        async def guard(log: FileLog) -> None:
            start.end(await Guard(settings, log, key, clock).watch())

        def make() -> App:
            nonlocal app
            app = App(
                telegram=telegram,
                store=store,
                records=records,
                features=ALL,
                introduce=introduce,
                words=words,
                clock=clock,
                rng=rng,
                rules=_rules(settings),
                key=key,
                former_keys=former,
                bot_budget=Budget(settings.bot_rate_per_s, max(1, round(settings.bot_rate_per_s))),
                chat_budget=Budget(settings.chat_rate_per_s, settings.chat_burst),
                quota=Quota(settings.person_at_once, settings.person_rate_per_s),
                polls=polls,
                leads=role != "web",
                shared=settings.is_shared,
                park_after_s=PARK_AFTER_S if polls else WEBHOOKS_PARKED_AFTER_S,
                name=name,
                home=home_of(settings),
                recorder=recorder,
                token_refused_after_s=settings.token_refused_after_s,
                # Somebody at a terminal should be told about wrong tokens; a supervised process waits until they work.
                insists=role == "all" and not announced,
            )
            return app

        serves = {"api": addresses.without_password(settings.bot_api_url), "bots": tuple(settings.tokens)}

        def ready(app: App) -> None:
            nonlocal announced
            listeners.begin(app, WorkerStatus(app, store, records, name, role, serves))
            refused = len(app.refused_bots)
            if refused:
                reason = f"{refused} more: Telegram refuses the token, and is asked again"
                logs.record("runtime.ready", bots=len(telegram.bots) - refused, reason=reason)
            else:
                logs.record("runtime.ready", bots=len(telegram.bots))
            if announced:
                return
            looking.spawn(_look_at_room(records, store, clock))
            if not polls and role != "worker":
                looking.spawn(_look_at_webhooks(settings))
            if on_ready is not None:
                on_ready()
            announced = True

        if on_beat is not None:
            watch = LoopWatch(recorder, on_beat)
            closing.callback(watch.close)
            watch.begin()
        if log is not None:
            looking.spawn(guard(log))
        looking.spawn(start.watch(store, records, lambda: announced))
        try:
            whole = await supervise(make, stop, clock, settings.shutdown_timeout_s, ready, listeners.end)
        except NoBotWorks:
            remedy = "ask @BotFather for the bots' tokens"
            raise WrongSetting("BOT_TOKENS", "Telegram refuses every one", remedy) from None
        except DatabaseUnusable as error:
            raise unusable(settings, error) from None
        if start.failure is not None:
            raise start.failure
        _say_goodbye(whole, app.unrecorded if app is not None else 0)


def _say_goodbye(whole: bool, unrecorded: int) -> None:
    reason = "all done" if whole else "the rest is done by the next start"
    if not unrecorded:
        logs.record("runtime.stopped", reason=reason)
        return
    reason = "not everything is in the database yet: the live store keeps it, and the next start stores it"
    logs.record("runtime.stopped", "warning", count=unrecorded, reason=reason)


class Listeners:
    """What this process answers to: operators, on a socket and perhaps a port, and Telegram's webhooks.

    It outlasts the runs of the worker behind it, which follow each other. Webhooks are only listened for while one
    takes them: where several processes share the port, they then come to the others.
    """

    def __init__(self, settings: Settings, keys: tuple[bytes, ...], name: str, *, webhooks: bool) -> None:
        self._pages = Pages(metrics.exposition)
        self._webhooks = Webhooks((endpoint_of(bot, key) for key in keys for bot in settings.tokens), arrival)
        self._endpoint = settings.webhook_place if webhooks else None
        self._listeners: list[Listener] = []
        self._at_endpoint: Listener | None = None
        listen: list[tuple[str, Callable[[], Listener]]] = [
            ("RUN_DIR", lambda: listen_on_socket(self._pages, settings.run_path / f"{name}.sock"))
        ]
        if (place := settings.metrics_place) is not None:
            listen.append(("METRICS_LISTEN", lambda: listen_on_tcp(self._pages, *place, or_next=True)))
        for setting, begin in listen:
            try:
                listener = begin()
            except CannotListen as error:
                logs.record("pages.unavailable", "warning", setting=setting, reason=str(error))
            else:
                self._listeners.append(listener)
                logs.record("pages.listening", "debug", setting=setting, address=listener.address)

    def begin(self, app: App, worker_status: WorkerStatus) -> None:
        """Raises: WrongSetting."""
        self._pages.watched = worker_status
        self._webhooks.open(app)
        if self._endpoint is not None and self._at_endpoint is None:
            try:
                self._at_endpoint = listen_on_tcp(self._webhooks, *self._endpoint, shared=True)
            except CannotListen as error:
                raise WrongSetting("WEBHOOK_LISTEN", str(error), "name an address that is free") from None
            logs.record("webhook.listening", "debug", address=self._at_endpoint.address)

    def end(self, lapsed: bool) -> None:
        """`lapsed`: another run begins soon. Else nothing more is to come in."""
        if lapsed:
            self._webhooks.abandon()
            return
        self._webhooks.close()
        if self._at_endpoint is not None:
            self._at_endpoint.refuse()

    async def aclose(self) -> None:
        self._webhooks.abandon()
        if self._at_endpoint is not None:
            self._listeners.append(self._at_endpoint)
        await asyncio.gather(*(listener.aclose() for listener in self._listeners))


def _rules(settings: Settings) -> Rules:
    return Rules(
        minimum_age=settings.minimum_age,
        contact_policy=ContactPolicy(settings.contact_policy),
        just_met_s=settings.contact_policy_min * 60,
        idle_nudge_s=settings.idle_nudge_min * 60,
        idle_end_s=settings.idle_end_min * 60,
        patience=settings.patience,
        free_filters=settings.free_filters,
        brands=settings.pools,
    )


async def _close_store(store: LiveStore) -> None:
    try:
        await store.aclose()
    except LiveStoreLost as error:
        logs.failed("store.lost", error, reason=str(error))


def home_of(settings: Settings) -> str:
    """The installation's name, for operators who look at several of them."""
    return f"{socket.gethostname()}:{settings.run_path.absolute()}"


def _open_recorder(settings: Settings, name: str, rng: SystemRandom) -> FlightRecorder:
    """Open the flight recorder. Without it, an update that takes the process down would come again and again."""
    path = settings.run_path / f"{name}{RECORDING}"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return FlightRecorder.open(path, f"{rng.getrandbits(64):016x}")
    except RecorderInUse:
        reason = f"another process called {name} runs out of RUN_DIR"
    except OSError as error:
        reason = f"{path.name} cannot be made in RUN_DIR ({error.strerror or logs.name_of(error)})"
    logs.record("recorder.unavailable", "warning", reason=reason)
    return FlightRecorder()


def webhook_admin(settings: Settings) -> WebhookAdmin:
    """What `passerby webhook` works with. Close it. Raises: WrongSetting."""
    key = open_key(settings)
    tokens = {bot: token.get_secret_value() for bot, token in settings.tokens.items()}
    endpoints = {bot: endpoint_of(bot, key) for bot in tokens}
    former = {bot: tuple(endpoint_of(bot, each) for each in former_keys(settings)) for bot in tokens}
    webhooks = BotApiWebhooks(tokens, settings.bot_api_url)
    return WebhookAdmin(webhooks, endpoints, settings.webhook_url, SystemClock(), former=former)


async def _look_at_room(records: SqlRecords, store: LiveStore, clock: SystemClock) -> None:
    """Say so if all the processes together may want more connections than the database gives."""
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


async def _look_at_webhooks(settings: Settings) -> None:
    looking = webhook_admin(settings)
    try:
        await looking.complain(settings.tokens)
    finally:
        await looking.aclose()


def _warn_of_a_lost_key(settings: Settings) -> None:
    """The key file is made at the first start. Missing at a later one, it was lost."""
    supervise = live_path(settings)
    is_missing = settings.secret_key is None and not settings.key_path.exists()
    if is_missing and supervise.exists() and supervise.stat().st_size:
        reason = f"{settings.key_path.name} is gone, so a new key is made: what the old one sealed stays unreadable"
        logs.record("key.lost", "warning", setting="SECRET_KEY", reason=reason)
