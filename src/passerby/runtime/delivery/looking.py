"""Looks at pictures before they are passed on, if the operator wants that (`PICTURES_LOOKED_AT`).

A look can only add the blur. It never removes it, holds nothing back, and tells nobody. A picture that nobody could
look at in time is blurred, too: the fetch failed, the model's process died, or others are waiting. The bytes are in
memory until the answer, and the answer is kept nowhere.
"""

import asyncio
from typing import Final

import msgspec

from passerby.domain.pictures import covered
from passerby.kernel.content import Content, Kind
from passerby.kernel.effect import Relay
from passerby.kernel.ids import BotId
from passerby.ports.looking import LookerAway, PictureJudge, Pictures
from passerby.ports.soon import own_task
from passerby.ports.telegram import TelegramError
from passerby.telemetry import logs

WAIT_S: Final = 1.5
"""The longest that a message waits for a look at all of its pictures."""
MOST_BYTES: Final = 4 * 2**20
"""Telegram's photos have a few hundred kilobytes."""
MOST_AT_ONCE: Final = 4
"""How many messages may wait for a look. The next ones go out blurred at once."""


class Looking:
    def __init__(self, pictures: Pictures, looker: PictureJudge, wait_s: float = WAIT_S) -> None:
        self._pictures = pictures
        self._looker = looker
        self._wait_s = wait_s
        self._under_way = 0
        self._faults = logs.Faults()

    async def __call__(self, relay: Relay) -> Relay:
        """Return the message as it is passed on. Never raises."""
        if self._under_way >= MOST_AT_ONCE:
            return covered(relay)
        await own_task()
        self._under_way += 1
        seen: list[Content] = []
        try:
            async with asyncio.timeout(self._wait_s):
                for content in relay.contents:
                    shown = await self._seen(relay.source_bot, content)
                    seen.append(shown)
        except (TelegramError, LookerAway, TimeoutError) as error:
            self._faults.began("pictures", "pictures.unseen", error=logs.name_of(error))
            return covered(relay, tuple(seen))
        finally:
            self._under_way -= 1
        self._faults.over("pictures", "pictures.seen")
        return covered(relay, tuple(seen))

    async def _seen(self, bot: BotId, content: Content) -> Content:
        if content.kind is not Kind.PHOTO or content.spoiler or content.file is None:
            return content
        picture = await self._pictures.read_file(bot, content.file, MOST_BYTES)
        doubtful = await self._looker.is_doubtful(picture)
        return msgspec.structs.replace(content, spoiler=True) if doubtful else content
