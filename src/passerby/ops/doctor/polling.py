"""Checks who polls the bots: this installation and nobody else.

While the fleet runs, its processes say when they last got an answer. A second program that polls shows in that, because
Telegram answers only one. While nothing runs, the doctor polls for a few seconds itself. It confirms nothing, but the
other program's request ends with an error: that is how both notice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from redis.exceptions import RedisError

from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.errors import RedisUnfit
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.leases import watched
from passerby.kernel.ids import BotId
from passerby.ops.cluster.installations import serving
from passerby.ops.cluster.overview import SILENT_S, glance, overview
from passerby.ops.doctor.finding import Finding, Verdict, fail, well
from passerby.ports.telegram import TelegramError
from passerby.ports.webhook_api import WebhookApi
from passerby.runtime.membership.report import read_report
from passerby.settings import Settings, addresses

CHECK: Final = "polling"
AT_ONCE: Final = 8
PATIENCE_S: Final = 5.0
WATCHED_S: Final = 5
"""Programs that were interrupted poll again within this time."""

_ELSEWHERE: Final = "stop the other one, or ask @BotFather for a new token (/revoke)"


async def checks(settings: Settings, now: Callable[[], float]) -> AsyncIterator[Finding]:
    if settings.update_mode != "polling" or not settings.tokens:
        return
    ages = await _polled_by_us(settings, now)
    if ages is None:
        return
    found = judged(ages)
    if free := [bot for bot in settings.tokens if bot not in ages]:
        found += await _intruded(settings, free)
    for each in [each for each in found if each.verdict is Verdict.FAIL] or found[:1]:
        yield each


def judged(ages: Mapping[BotId, float | None]) -> list[Finding]:
    """Findings about bots that we poll. `ages`: the seconds since the last answer; None if there was none yet."""
    remedy = "look for intake.conflict or intake.faltered in passerby logs: perhaps another program polls it"
    known = {bot: age for bot, age in ages.items() if age is not None}
    silent = [
        fail(CHECK, f"bot {bot} was not polled for {age:.0f} s", remedy) for bot, age in known.items() if age > SILENT_S
    ]
    if silent or not known:
        return silent
    return [
        well(CHECK, f"we poll {_bots(len(known))}, and the last answer came {max(known.values()):.0f} s ago at most")
    ]


def _bots(count: int) -> str:
    return "one bot" if count == 1 else f"{count} bots"


async def _polled_by_us(settings: Settings, now: Callable[[], float]) -> Mapping[BotId, float | None] | None:
    """The bots that a process of ours has. Empty if none runs. None if nobody can tell."""
    at, seen = now(), await asyncio.to_thread(glance, settings.run_path)
    if seen.statuses:
        picture = overview(None, seen, at=at, bots=tuple(settings.tokens), pending={}, polls=True)
        return {BotId(each.bot): each.polled_ago_s for each in picture.bots if each.owner is not None}
    beside = await asyncio.to_thread(
        serving, frozenset(settings.tokens), addresses.without_password(settings.bot_api_url), besides=settings.run_path
    )
    if beside or seen.pids:
        return None
    if not settings.is_shared:
        return {}
    keys = Keys(settings.redis_name)
    try:
        async with asyncio.timeout(PATIENCE_S):
            connection = await connector(settings.redis_url.get_secret_value(), keys)()
            try:
                members = await watched(connection, keys)
            finally:
                await connection.disconnect(nowait=True)
    except (RedisUnfit, RedisError, OSError):
        return None  # its own check says why
    reports = [read_report(blob) for blob in members.workers.values()]
    polled = [report.figures.polled_at for report in reports if report.figures is not None]
    ours: dict[BotId, float | None] = {}
    for bot in settings.tokens:
        if f"bot:{bot}" in members.holders:
            last = max((each.get(bot, 0.0) for each in polled), default=0.0)
            ours[bot] = at - last if last else None
    return ours


async def _intruded(settings: Settings, bots: list[BotId]) -> list[Finding]:
    tokens = {bot: settings.tokens[bot].get_secret_value() for bot in bots}
    api, slots = BotApiWebhooks(tokens, settings.bot_api_url), asyncio.Semaphore(AT_ONCE)

    async def one(bot: BotId) -> bool:
        async with slots:
            return await _is_polled(api, bot)

    try:
        found = await asyncio.gather(*map(one, bots))
    finally:
        await api.aclose()
    polled = [bot for bot, is_polled in zip(bots, found, strict=True) if is_polled]
    if not polled:
        return [well(CHECK, f"nobody else polls {_bots(len(bots))}; watched for {WATCHED_S} s")]
    return [fail(CHECK, f"another program polls bot {bot}", _ELSEWHERE) for bot in polled]


async def _is_polled(api: WebhookApi, bot: BotId) -> bool:
    try:
        return await api.is_polled(bot, WATCHED_S)
    except TelegramError:
        return False  # the bot's own check says why


__all__ = ["checks"]
