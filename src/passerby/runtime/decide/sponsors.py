"""Asks Telegram whether a person is a member of the sponsor's channel.

One bot asks for the whole fleet: the staff bot, which is an admin of the channel. The answers are kept in the store's
cache, for all workers: members for a day, or until `chat_member` says that they left. If it cannot be known, the person
counts as a member, so nobody ever waits for a channel that is away.
"""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from passerby.domain.entitlement import is_vip
from passerby.kernel.event import ChannelJoined, ChannelLeft
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.rules import Sponsor
from passerby.ports.caches import Caches
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.soon import own_task
from passerby.ports.telegram import FloodWait, Telegram, TelegramError
from passerby.telemetry import logs

MEMBER_S: Final = 86_400.0
"""How long a member counts as one without another look. A person who leaves is heard of before."""
SUGGESTED_S: Final = 7 * 86_400.0
ASK_S: Final = 2.0
"""How long a search waits for Telegram's answer."""
REST_S: Final = 30.0
"""How long nobody is asked about after Telegram gave no answer: otherwise each search would wait for nothing."""


class Sponsors:
    """`checker` is the bot that asks; None: there is none, so nobody is asked to join. `sponsor` is the one of the
    moment."""

    def __init__(
        self,
        telegram: Telegram,
        caches: Caches,
        checker: BotId | None,
        sponsor: Callable[[], Sponsor | None],
        clock: Clock,
    ) -> None:
        self._telegram = telegram
        self._caches = caches
        self._checker = checker
        self._sponsor = sponsor
        self._clock = clock
        self._rests_until = 0.0
        self._faults = logs.Faults()

    @property
    def are_on(self) -> bool:
        """Whether there is a sponsor, and a bot that asks."""
        return self._checker is not None and self._sponsor() is not None

    async def is_shown(self, me: Participant) -> bool:
        """Whether the person should see the channel now. VIPs never do."""
        sponsor, checker = self._sponsor(), self._checker
        if sponsor is None or checker is None or is_vip(me, self._clock.now()):
            return False
        names = [_member(sponsor.channel, me.person)]
        if not sponsor.required:
            names.append(_suggested(me.person))
        try:
            for name in names:
                if await self._is_kept(name, checker):
                    return False
            if await self._is_member(sponsor.channel, checker, me.person) is not False:
                return False
            if not sponsor.required:
                await self._keep(_suggested(me.person), checker, SUGGESTED_S)
        except LiveStoreLost:
            return False
        return True

    async def note(self, event: ChannelJoined | ChannelLeft) -> None:
        """Keep what Telegram says about a member. Raises: LiveStoreLost."""
        sponsor = self._sponsor()
        if sponsor is None or event.bot != self._checker:
            return
        if sponsor.channel.lower() not in (str(event.channel), f"@{event.name}".lower()):
            return
        lasts_s = MEMBER_S if isinstance(event, ChannelJoined) else 0.0
        await self._keep(_member(sponsor.channel, event.person), event.bot, lasts_s)

    async def _is_member(self, channel: str, checker: BotId, person: PersonId) -> bool | None:
        if self._clock.monotonic() < self._rests_until:
            return None
        await own_task()
        try:
            async with asyncio.timeout(ASK_S):
                is_member = await self._telegram.is_member(checker, channel, person)
        except (TelegramError, TimeoutError) as error:
            rest_s = error.retry_after_s if isinstance(error, FloodWait) else REST_S
            self._rests_until = self._clock.monotonic() + rest_s
            reason = error.reason if isinstance(error, TelegramError) else "no answer"
            self._faults.began("sponsor", "channel.unknown", reason=reason)
            return None
        self._faults.over("sponsor", "channel.known")
        if is_member:
            await self._keep(_member(channel, person), checker, MEMBER_S)
        return is_member

    async def _is_kept(self, name: str, checker: BotId) -> bool:
        until = await self._caches.file_id(name, checker)
        return until is not None and float(until) > self._clock.now()

    async def _keep(self, name: str, checker: BotId, lasts_s: float) -> None:
        until = f"{self._clock.now() + lasts_s:.0f}" if lasts_s else None
        await self._caches.remember_file(name, checker, until)


def _member(channel: str, person: PersonId) -> str:
    """A name in the cache, beside those of files. It does not tell who the person is."""
    return f"member:{blake2b(f'{channel.lower()} {person}'.encode(), digest_size=12).hexdigest()}"


def _suggested(person: PersonId) -> str:
    return f"suggested:{blake2b(str(person).encode(), digest_size=12).hexdigest()}"
