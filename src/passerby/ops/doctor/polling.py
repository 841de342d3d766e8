"""Checks who polls the bots: this installation and nobody else.

While the fleet runs, its processes say when they were last answered, and when another program ended a poll of theirs:
Telegram serves only one. While nothing runs, nobody can tell without polling. That would end the other program's poll,
and if that is a fleet of Passerby, the bot's chats. So the doctor polls only if it is told to (`tries`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping
from typing import Final, NamedTuple

from redis.exceptions import RedisError

from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.adapters.redis.connect import connector
from passerby.adapters.redis.errors import RedisUnfit
from passerby.adapters.redis.keys import Keys
from passerby.adapters.redis.leases import watched
from passerby.kernel.ids import BotId
from passerby.ops.cluster.installations import serving
from passerby.ops.cluster.overview import SILENT_S, glance
from passerby.ops.doctor.finding import Finding, Verdict, fail, warn, well
from passerby.ports.telegram import TelegramError
from passerby.ports.webhook_api import WebhookApi
from passerby.runtime.membership.report import Report, read_report
from passerby.settings import Settings, addresses
from passerby.telemetry.figures import Snapshot, together

CHECK: Final = "polling"
AT_ONCE: Final = 8
PATIENCE_S: Final = 5.0
WATCHED_S: Final = 5
"""Programs that were interrupted poll again within this time."""

RECENT_S: Final = 300.0

_ELSEWHERE: Final = "stop the other one, or ask @BotFather for a new token (/revoke)"
_LATER: Final = "run this again when the fleet runs; or add --poll, which interrupts such a program"
_LOGS: Final = "look for intake.faltered in passerby logs"


class Polls(NamedTuple):
    """Return the report of our processes about a bot: the seconds since the last answer, since another program ended a
    poll, and since updates were missing. None: never."""

    answered_s: float | None = None
    conflict_s: float | None = None
    missing_s: float | None = None


async def checks(settings: Settings, now: Callable[[], float], *, tries: bool) -> AsyncIterator[Finding]:
    if settings.update_mode != "polling" or not settings.tokens:
        return
    ours = await _polled_by_us(settings, now)
    if ours is None:
        return
    found = judged(ours)
    if free := [bot for bot in settings.tokens if bot not in ours]:
        if tries:
            found += await _intruded(settings, free)
        elif not ours:
            found.append(warn(CHECK, "nothing of ours polls now, so nobody knows whether another program does", _LATER))
    for each in [each for each in found if each.verdict is not Verdict.OK] or found[:1]:
        yield each


def judged(ours: Mapping[BotId, Polls]) -> list[Finding]:
    """Findings about bots that we poll."""
    found = []
    for bot, (answered_s, conflict_s, missing_s) in ours.items():
        if conflict_s is not None and conflict_s < RECENT_S:
            told = f"bot {bot}: another program polled it, or set a webhook, {conflict_s / 60:.0f} min ago"
            found.append(fail(CHECK, told, _ELSEWHERE))
        elif missing_s is not None and missing_s < RECENT_S:
            told = f"bot {bot}: updates were missing {missing_s / 60:.0f} min ago, so its chats ended: another program"
            found.append(warn(CHECK, f"{told} took them, or Telegram dropped them", _ELSEWHERE))
        elif answered_s is not None and answered_s > SILENT_S:
            found.append(fail(CHECK, f"bot {bot} was not polled for {answered_s:.0f} s", _LOGS))
    ages = [each.answered_s for each in ours.values() if each.answered_s is not None]
    if found or not ages:
        return found
    return [well(CHECK, f"we poll {_bots(len(ages))} and nobody else does; the last answer came {max(ages):.0f} s ago")]


def _bots(count: int) -> str:
    return "one bot" if count == 1 else f"{count} bots"


async def _polled_by_us(settings: Settings, now: Callable[[], float]) -> Mapping[BotId, Polls] | None:
    """The bots that a process of ours has. Empty if none runs. None if nobody can tell."""
    seen = await asyncio.to_thread(glance, settings.run_path)
    if seen.statuses:
        status = max(seen.statuses.values(), key=lambda each: len(each.workers))
        figures = [each.figures for each in seen.statuses.values() if each.figures is not None]
        return _told(settings, status.workers.values(), status.holders, figures, now())
    api = addresses.without_password(settings.bot_api_url)
    beside = await asyncio.to_thread(serving, frozenset(settings.tokens), api, besides=settings.run_path)
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
    return _told(
        settings, map(read_report, members.workers.values()), {str(lease) for lease in members.holders}, [], now()
    )


def _told(
    settings: Settings, reports: Iterable[Report], held: Container[str], figures: list[Snapshot], at: float
) -> Mapping[BotId, Polls]:
    """`figures`: newer ones than those of the reports."""
    every = [*figures, *(report.figures for report in reports if report.figures is not None)]
    newest = together(every) if every else Snapshot(at=at)
    answered, conflicts, missing = newest.polled_at, newest.conflict_at, newest.missing_at
    return {
        bot: Polls(
            at - answered[bot] if answered.get(bot) else None,
            at - conflicts[bot] if bot in conflicts else None,
            at - missing[bot] if bot in missing else None,
        )
        for bot in settings.tokens
        if f"bot:{bot}" in held
    }


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
