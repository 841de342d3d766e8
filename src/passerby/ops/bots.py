"""Asks Telegram about bots and their tokens, for `passerby bots`."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Final

import msgspec

from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.kernel.drain import FleetBot, KnownBots
from passerby.kernel.ids import BotId
from passerby.ports.telegram import TelegramError
from passerby.settings import Settings, WrongSetting
from passerby.settings.forms import parse_tokens

PATIENCE_S: Final = 10.0
NAME_S: Final = 3.0
"""A report does not wait longer for a bot's name."""


class BotState(msgspec.Struct, frozen=True):
    """`fault` is empty if Telegram takes the token. `pending`: updates that wait at Telegram."""

    bot: int
    username: str = ""
    pending: int = 0
    fault: str = ""


async def states(settings: Settings) -> list[BotState]:
    """All bots of the settings, in the operator's order."""
    tokens = {bot: token.get_secret_value() for bot, token in settings.tokens.items()}
    api = BotApiWebhooks(tokens, settings.bot_api_url)

    async def one(bot: BotId) -> BotState:
        try:
            async with asyncio.timeout(PATIENCE_S):
                username, state = await api.username(bot), await api.state(bot)
        except (TelegramError, TimeoutError) as error:
            return BotState(bot, fault=type(error).__name__)
        return BotState(bot, username, state.pending_update_count)

    try:
        return list(await asyncio.gather(*map(one, tokens)))
    finally:
        await api.aclose()


async def known_bots(settings: Settings) -> KnownBots:
    """All bots of the settings, with the names that Telegram tells at once."""
    tokens = {bot: token.get_secret_value() for bot, token in settings.tokens.items()}
    api = BotApiWebhooks(tokens, settings.bot_api_url)

    async def one(bot: BotId) -> FleetBot:
        with suppress(TelegramError, TimeoutError):
            async with asyncio.timeout(NAME_S):
                return FleetBot(bot, await api.username(bot))
        return FleetBot(bot)

    try:
        return KnownBots(tuple(await asyncio.gather(*map(one, tokens))))
    finally:
        await api.aclose()


async def sister_of(settings: Settings, bot: BotId, wanted: BotId | None, closing: Collection[BotId]) -> BotState:
    """The bot where a bot's people go on: the wanted one, or the first that works. Raises: WrongSetting."""
    every = {each.bot: each for each in await states(settings)}
    if bot not in every:
        raise WrongSetting("BOT", f"there is no bot {bot}", "see `passerby bots list`")
    if wanted is not None:
        found = every.get(wanted)
        if found is None or wanted == bot:
            raise WrongSetting("--to", f"{wanted} is no other bot of the fleet", "see `passerby bots list`")
    else:
        able = [each for each in every.values() if each.bot not in (bot, *closing) and not each.fault]
        found = able[0] if able else None
    if found is None:
        raise WrongSetting(
            "BOT", "no other bot works, so its people can go nowhere", "add one with `passerby bots add`"
        )
    if found.fault:
        raise WrongSetting("--to", f"Telegram does not take the token of {found.bot}", "choose another bot")
    return found


async def username_of(settings: Settings, token: str) -> str:
    """How the bot of a token is called. Raises: WrongSetting, if Telegram does not take the token."""
    if not parse_tokens("TOKEN", token):
        raise WrongSetting("TOKEN", "is empty", "write it as @BotFather gave it")
    bot = BotId(int(token.partition(":")[0]))
    api = BotApiWebhooks({bot: token}, settings.bot_api_url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await api.username(bot)
    except (TelegramError, TimeoutError) as error:
        problem = f"Telegram does not take it ({type(error).__name__})"
        raise WrongSetting("TOKEN", problem, "ask @BotFather for the bot's token") from None
    finally:
        await api.aclose()
