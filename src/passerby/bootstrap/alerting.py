"""The readings and the channels of the alerts, put together from the settings."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.request import RequestBuilder

from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.cases import oldest_open
from passerby.adapters.sql.payment_cases import oldest_payment_case
from passerby.bootstrap.parts import Parts
from passerby.bootstrap.token_watch import TokenWatch
from passerby.domain.alerts import rules
from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records, RecordsLost
from passerby.ports.telegram import TelegramError
from passerby.runtime.alerting.channels import Channel, NotTold, WebhookChannel
from passerby.runtime.alerting.readings import THE_FLEET, Reading
from passerby.runtime.alerting.watch import AlertConfig, Probe
from passerby.settings import Settings, addresses
from passerby.telemetry import metrics

PATIENCE_S: Final = 8.0
STORES_EVERY_S: Final = 5.0
SERVERS_EVERY_S: Final = 15.0
TELEGRAM_EVERY_S: Final = 60.0
CERTIFICATE_EVERY_S: Final = 3600.0
CASES_EVERY_S: Final = 60.0
AT_ONCE: Final = 8
PAYMENT: Final = "payment"
"""The lane of payment cases, in the reading of cases that wait (see `domain.alerts.rules`)."""
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0


def alert_config(settings: Settings, thresholds: Mapping[str, float], parts: Parts) -> AlertConfig:
    """`thresholds` are read at each look."""
    tokens, store, records, clock = parts.tokens, parts.store, parts.records, parts.clock
    probes = [
        Probe(rules.STORE_AWAY.name, STORES_EVERY_S, StoreProbe(store, records, clock).ask),
        Probe(rules.TELEGRAM_QUEUE.name, TELEGRAM_EVERY_S, partial(pending_updates, settings.bot_api_url, tokens)),
        Probe(rules.CASES_WAIT.name, CASES_EVERY_S, partial(oldest_cases, records, clock)),
    ]
    if settings.postgres_uri is not None:
        probes.append(Probe(rules.POSTGRES_CONNECTIONS.name, SERVERS_EVERY_S, partial(server_connections, records)))
    if settings.is_shared:
        probes.append(Probe(rules.REDIS_MEMORY.name, SERVERS_EVERY_S, partial(redis_memory, store)))
    if settings.update_mode == "webhook" and settings.webhook_url is not None:
        ask = partial(certificate_days, settings.webhook_url, clock)
        probes.append(Probe(rules.CERTIFICATE.name, CERTIFICATE_EVERY_S, ask))
    channels: list[Channel] = []
    url, secret, heartbeat = settings.alert_webhook_url, settings.alert_webhook_secret, settings.heartbeat_url
    if url is not None and secret is not None:
        channels.append(WebhookChannel(partial(post, url.get_secret_value()), secret.get_secret_value().encode()))
    return AlertConfig(
        thresholds=thresholds,
        channels=channels,
        probes=probes,
        beat=partial(ask_heartbeat, heartbeat.get_secret_value()) if heartbeat is not None else None,
        forget=forget,
        polls=settings.update_mode == "polling",
    )


def forget() -> None:
    """Drop the metrics that only the holder of the duty measures. Otherwise Prometheus would see old values."""
    for gauge in (
        metrics.STORE_AWAY,
        metrics.BOT_PENDING,
        metrics.REDIS_MEMORY,
        metrics.CERTIFICATE_DAYS,
        metrics.CASE_OLDEST,
    ):
        gauge.clear()
    metrics.POSTGRES_SHARE.drop("server")


class StoreProbe:
    """For how long each store has not answered, in seconds."""

    def __init__(self, store: LiveStore, records: Records, clock: Clock) -> None:
        self._looks: dict[str, Callable[[], Awaitable[object]]] = {
            "live": store.figures,
            "records": lambda: records.applied(""),
        }
        self._clock = clock
        self._away_since: dict[str, float] = {}

    async def ask(self) -> Reading:
        now = self._clock.monotonic()
        answered = await asyncio.gather(*map(_answers, self._looks.values()))
        found = {}
        for name, answers in zip(self._looks, answered, strict=True):
            if answers:
                self._away_since.pop(name, None)
            else:
                self._away_since.setdefault(name, now)
            found[name] = self._clock.monotonic() - self._away_since.get(name, self._clock.monotonic())
            metrics.STORE_AWAY.set(found[name], name)
        return found


async def _answers(look: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await look()
    except (LiveStoreLost, RecordsLost, TimeoutError):
        return False
    return True


async def pending_updates(bot_api_url: str, watch: TokenWatch) -> Reading:
    """How many updates wait at Telegram for each bot that answers."""
    tokens = {bot: token.get_secret_value() for bot, token in watch.tokens.items()}
    webhook_api = BotApiWebhooks(tokens, bot_api_url)
    slots = asyncio.Semaphore(AT_ONCE)
    found: dict[str, float] = {}

    async def one(bot: BotId) -> None:
        try:
            async with slots, asyncio.timeout(PATIENCE_S):
                count = (await webhook_api.state(bot)).pending_update_count
        except (TelegramError, TimeoutError):
            return
        found[str(bot)] = count
        metrics.BOT_PENDING.set(count, bot)

    try:
        await asyncio.gather(*map(one, tokens))
    finally:
        await webhook_api.aclose()
    return found


async def server_connections(records: SqlRecords) -> Reading | None:
    """The share of the server's connections that are in use, by anybody."""
    try:
        share = await records.connections_percent()
    except RecordsLost:
        return None
    if share is None:
        return {}
    metrics.POSTGRES_SHARE.set(share, "server")
    return {"server": share}


async def oldest_cases(records: SqlRecords, clock: Clock) -> Reading | None:
    """For how many hours the oldest case of each kind has waited for a decision."""
    try:
        opened = {lane.name.lower(): at for lane, at in (await oldest_open(records.engine)).items()}
        asked_at = await oldest_payment_case(records.engine)
    except RecordsLost:
        return None
    if asked_at is not None:
        opened[PAYMENT] = asked_at
    found = {kind: max(0.0, clock.now() - at) for kind, at in opened.items()}
    metrics.CASE_OLDEST.clear()
    for kind, waited_s in found.items():
        metrics.CASE_OLDEST.set(waited_s, kind)
    return {kind: waited_s / HOUR_S for kind, waited_s in found.items()}


async def redis_memory(store: LiveStore) -> Reading | None:
    # Imported here because one process with its state in memory does not need it.
    from passerby.adapters.redis.usage import memory_percent

    try:
        share = await memory_percent(store)
    except LiveStoreLost:
        return None
    if share is None:
        return {}
    metrics.REDIS_MEMORY.set(share)
    return {THE_FLEET: share}


async def certificate_days(webhook_url: str, clock: Clock) -> Reading | None:
    """For how many days the certificate that visitors of WEBHOOK_URL get is still valid. It is not verified."""
    url = addresses.split(webhook_url)
    if url is None or url.scheme != "https" or url.hostname is None:
        return {}
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(url.hostname, url.port or 443, ssl=context)
    except (OSError, TimeoutError):
        return None
    try:
        tls = writer.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    if der is None:
        return None
    from cryptography import x509

    ends = x509.load_der_x509_certificate(der).not_valid_after_utc.timestamp()
    days = (ends - clock.now()) / DAY_S
    metrics.CERTIFICATE_DAYS.set(days)
    return {THE_FLEET: days}


async def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """Raises: NotTold."""
    try:
        async with _client(url) as client:
            request = client.post(url).headers({"Content-Type": "application/json", **headers}).body_bytes(body)
            status = await _status(request)
    except PyreqwestError as error:
        raise NotTold(f"ALERT_WEBHOOK_URL does not answer ({type(error).__name__})") from None
    if status >= 300:
        raise NotTold(f"ALERT_WEBHOOK_URL answers {status}")


async def ask_heartbeat(url: str) -> None:
    """Raises: NotTold."""
    try:
        async with _client(url) as client:
            status = await _status(client.get(url))
    except PyreqwestError as error:
        raise NotTold(f"HEARTBEAT_URL does not answer ({type(error).__name__})") from None
    if status >= 300:
        raise NotTold(f"HEARTBEAT_URL answers {status}")


async def _status(request: RequestBuilder) -> int:
    """The body of the answer is not read: it may be of any size."""
    async with request.streamed_read_buffer_limit(0).build_streamed() as answer:
        return answer.status


def _client(url: str) -> Client:
    """Redirects are not followed: they could lead into the own network."""
    builder = ClientBuilder().timeout(timedelta(seconds=PATIENCE_S)).follow_redirects(False)
    parts = addresses.split(url)
    if parts is not None and parts.hostname is not None and addresses.is_loopback(parts.hostname):
        builder = builder.no_proxy()
    return builder.build()
