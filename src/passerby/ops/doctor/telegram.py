"""Checks the Bot API: whether each token works, whether updates arrive as UPDATE_MODE says, and the clocks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.kernel.ids import BotId
from passerby.ops.counting import counted
from passerby.ops.doctor.finding import Finding, ahead_by, fail, skew, warn, well
from passerby.ports.telegram import TelegramError, TokenRefused
from passerby.ports.webhook_api import Switches, WebhookApi, WebhookState
from passerby.settings import Settings

PATIENCE_S: Final = 10.0
PAUSE_S: Final = 0.5
AT_ONCE: Final = 8
MANY: Final = 50_000
"""Half of the updates that Telegram keeps for a bot. Above 100,000 it drops updates silently."""

RECENT_S: Final = 3600.0

COUNTING_S: Final = 3.0
"""The longest wait for the numbers of waiting updates, which `passerby status` shows."""


async def checks(settings: Settings, now: Callable[[], float]) -> AsyncIterator[Finding]:
    tokens = dict(settings.tokens)
    if settings.staff_bot is not None and settings.staff_bot_token is not None:
        tokens[settings.staff_bot] = settings.staff_bot_token
    webhook_api = BotApiWebhooks({bot: token.get_secret_value() for bot, token in tokens.items()}, settings.bot_api_url)
    slots = asyncio.Semaphore(AT_ONCE)
    # The staff bot is always polled.
    polled = settings.model_copy(update={"update_mode": "polling"})

    async def one(bot: BotId) -> list[Finding]:
        async with slots:
            is_staff = bot == settings.staff_bot
            return await _bot(webhook_api, bot, polled if is_staff else settings, now())

    try:
        for found in await asyncio.gather(*map(one, tokens)):
            for finding in found:
                yield finding
    finally:
        await webhook_api.aclose()
    yield await _clock(settings, now)


async def _bot(webhook_api: WebhookApi, bot: BotId, settings: Settings, now: float) -> list[Finding]:
    check = "staff bot" if bot == settings.staff_bot else f"bot {bot}"
    try:
        async with asyncio.timeout(PATIENCE_S):
            username = await _confirmed(lambda: webhook_api.username(bot))
            state = await webhook_api.state(bot)
            switches = await webhook_api.switches(bot)
    except (TelegramError, TimeoutError) as error:
        return [judged_name(check, error)]
    updates = webhook_findings(f"{check} updates", state, settings, now)
    return [judged_name(check, username), *updates, *switch_findings(f"{check} settings", switches)]


def judged_name(check: str, told: str | TelegramError | TimeoutError) -> Finding:
    """Whether a token works. `told`: what Telegram answers when it is asked for the bot's name."""
    if isinstance(told, str):
        return well(check, f"@{told} works")
    if isinstance(told, TokenRefused):
        return fail(check, "Telegram refuses its token", "ask @BotFather for the bot's token")
    return fail(check, f"Telegram does not answer ({type(told).__name__})", "look at the network and BOT_API_URL")


def switch_findings(check: str, switches: Switches) -> list[Finding]:
    """Findings about switches in @BotFather that only do harm here. Menus are named as @BotFather shows them."""
    found = [
        warn(check, told, remedy)
        for name, told, remedy in (
            (
                "can_join_groups",
                "it can be added to groups, where it does nothing",
                "@BotFather, /setjoingroups: Disable",
            ),
            (
                "can_read_all_group_messages",
                "it may read everything in groups, but does not need to",
                "@BotFather, /setprivacy: Enable",
            ),
            (
                "can_connect_to_business",
                "people may let it answer in their own chats, but it does not do that",
                "@BotFather, Bot Settings, Business Mode: turn it off",
            ),
            (
                "supports_guest_queries",
                "it can be asked in chats where it is a guest, and does not answer there",
                "@BotFather, Bot Settings, Guest Mode: turn it off",
            ),
            (
                "supports_inline_queries",
                "it is offered inline in other chats, and does not answer there",
                "@BotFather, /setinline: turn it off",
            ),
            (
                "allows_users_to_create_topics",
                "people can open topics in their chat with it, which split one chat into several",
                "@BotFather, Bot Settings, Threads Settings: forbid users to create threads",
            ),
            (
                "has_topics_enabled",
                "its private chats have topics; answers stay in the topic, and Telegram takes a fee on Stars",
                "@BotFather, Bot Settings, Threads Settings: turn threads off, unless you want them",
            ),
        )
        if getattr(switches, name)
    ]
    return found or [well(check, "nothing is switched on that it does not use")]


async def _confirmed(call: Callable[[], Awaitable[str]]) -> str:
    """Make a call. A refused token may be a mistake, so try twice more. Raises: TelegramError."""
    for _ in range(2):
        try:
            return await call()
        except TokenRefused:
            await asyncio.sleep(PAUSE_S)
    return await call()


def webhook_findings(check: str, state: WebhookState, settings: Settings, now: float) -> list[Finding]:
    """Compare a bot's webhook at Telegram with the settings here."""
    pending = counted(state.pending_update_count, "update waits", "updates wait")
    if settings.update_mode == "polling":
        if state.url:
            return [fail(check, "a webhook is set, so it cannot be polled", "run passerby webhook delete")]
    elif not state.url:
        return [fail(check, "no webhook is set", "run passerby webhook set")]
    elif not state.url.startswith(f"{settings.webhook_url}/"):
        return [fail(check, "its webhook leads somewhere else than WEBHOOK_URL", "run passerby webhook set")]
    elif now - state.last_error_date < RECENT_S:
        ago = f"{(now - state.last_error_date) / 60:.0f} min ago"
        return [warn(check, f"Telegram could not reach it {ago}; {pending}", "look at the proxy and the logs")]
    if state.pending_update_count >= MANY:
        return [warn(check, f"{pending}; Telegram keeps 100,000", "see whether this bot is served")]
    return [well(check, pending)]


async def _clock(settings: Settings, now: Callable[[], float]) -> Finding:
    """Compare our clock with the Date header of a response. The request needs no token."""
    builder = ClientBuilder().timeout(timedelta(seconds=PATIENCE_S)).follow_redirects(False)
    if "//127." in settings.bot_api_url or "//localhost" in settings.bot_api_url:
        builder = builder.no_proxy()
    try:
        async with builder.build() as client:
            asked_at = now()
            response = await client.get(settings.bot_api_url).build().send()
            answered_at = now()
            date = response.get_header("Date")
    except PyreqwestError as error:
        told = f"it does not answer ({type(error).__name__})"
        return fail("bot api", told, "look at the network, and at BOT_API_URL")
    if date is None:
        told = "it does not tell its time, so nobody knows whether this machine's clock is right"
        return warn("bot api clock", told, "make sure that chrony or ntpd sets this machine's clock")
    # The header has whole seconds.
    there = parsedate_to_datetime(date).timestamp() + 0.5
    return skew("bot api clock", ahead_by(asked_at, there, answered_at))


async def waiting(settings: Settings) -> dict[int, int | None]:
    """How many updates wait at Telegram for each bot. None for a bot if Telegram does not answer."""
    webhook_api = BotApiWebhooks(
        {bot: token.get_secret_value() for bot, token in settings.tokens.items()}, settings.bot_api_url
    )
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(bot: BotId) -> int | None:
        try:
            async with slots, asyncio.timeout(COUNTING_S):
                return (await webhook_api.state(bot)).pending_update_count
        except (TelegramError, TimeoutError):
            return None

    try:
        return dict(zip(settings.tokens, await asyncio.gather(*map(one, settings.tokens)), strict=True))
    finally:
        await webhook_api.aclose()
