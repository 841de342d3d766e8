"""A copy of an installation serves nobody while the original does.

Both would send messages to people who have left in the other one. The original cannot notice a second program for sure:
Telegram ends only polls that wait, and on a busy bot none does. But the copy knows that it is one (see
`adapters.memory.log`), and it can watch without confirming anything. If its own poll is ended, or the first update that
waits is another one than before, somebody else serves the bot.

Each watch may end one poll of the original. Two within a short time would end its chats (see
`runtime.inbound.continuity`), so we watch again only after a while.
"""

import asyncio
import math
from typing import Final

from passerby.bootstrap.told_to_stop import ToldToStop
from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import Conflict, Telegram, TelegramError
from passerby.runtime.inbound.continuity import CONFLICTS_S
from passerby.runtime.inbound.polling import is_about_webhook
from passerby.runtime.waiting import event_within
from passerby.telemetry import logs

WATCHED_S: Final = 10.0
"""A program whose poll was ended polls again within this time."""

LOOK_S: Final = 1.0
AGAIN_S: Final = CONFLICTS_S + 30.0

_REASON: Final = "the installation that these files were copied from still runs: stop one of the two"


async def until_the_original_stops(telegram: Telegram, clock: Clock, stop: asyncio.Event) -> None:
    """Return when nobody else serves the bots. Raises: ToldToStop."""
    faults = logs.Faults()
    while (bot := await _served_elsewhere(telegram, clock, stop)) is not None:
        faults.began("copy", "copy.waits", bot=bot, reason=_REASON)
        if await event_within(stop, AGAIN_S):
            raise ToldToStop
    faults.over("copy", "copy.begins")


async def _served_elsewhere(telegram: Telegram, clock: Clock, stop: asyncio.Event) -> BotId | None:
    """Return a bot that somebody else serves; None if there is none."""
    watches = {asyncio.ensure_future(_is_served(telegram, bot, clock)): bot for bot in telegram.bots}
    stopped = asyncio.ensure_future(stop.wait())
    waiting = {stopped, *watches}
    try:
        while len(waiting) > 1:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if stopped in done:
                raise ToldToStop
            for watch in done:
                if watch.result():
                    return watches[watch]
        return None
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _is_served(telegram: Telegram, bot: BotId, clock: Clock) -> bool:
    """Whether somebody else takes the bot's updates."""
    ends_at = clock.monotonic() + WATCHED_S
    first: int | None = None
    while (left_s := ends_at - clock.monotonic()) > 0:
        try:
            arrivals = await telegram.updates(bot, None, 1, 0 if first is not None else math.ceil(left_s))
        except Conflict as conflict:
            return not is_about_webhook(conflict)
        except (TelegramError, LiveStoreLost):
            pass  # whoever begins to serve the bot says why
        else:
            now = arrivals[0].ref.update if arrivals else None
            if first is not None and now != first:
                return True
            first = now
        await clock.sleep(LOOK_S)
    return False
