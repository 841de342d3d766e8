"""Changes copies that were sent: deletes them, or edits them. Both may be repeated without harm.

A bot may delete its messages for 48 hours (source: Bot API, deleteMessage).
"""

import asyncio
from typing import Final

import msgspec

from passerby.domain.broadcasts.actions import RECALL_S
from passerby.domain.broadcasts.fates import variant_for
from passerby.kernel.broadcast import Broadcast, Copy
from passerby.kernel.staff import AuditNote
from passerby.ports.broadcasts import BroadcastRecords
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import DeleteMessages, FloodWait, OutgoingCall, Refused, Telegram, TelegramError
from passerby.runtime.broadcasts.copies import Copies
from passerby.runtime.delivery.spare_budget import SpareBudget, Take
from passerby.runtime.membership.tokens import Tokens

AT_ONCE = 100
EVER: Final = 0.0
_ALL_REVISIONS: Final = 1_000_000
PAUSE_S = 0.05
TRIES = 100


class CopyChanges:
    def __init__(
        self,
        records: BroadcastRecords,
        telegram: Telegram,
        copies: Copies,
        spare: SpareBudget,
        tokens: Tokens,
        clock: Clock,
    ) -> None:
        self._records = records
        self._telegram = telegram
        self._copies = copies
        self._spare = spare
        self._tokens = tokens
        self._clock = clock

    async def step(self, broadcast: Broadcast, now: float) -> bool:
        """Change some copies. Returns whether there may be more. Raises: RecordsLost."""
        recalls = broadcast.recalls
        revision = _ALL_REVISIONS if recalls else broadcast.revision
        after = now - RECALL_S if recalls else EVER
        found = await self._records.copies(broadcast.number, revision, after, AT_ONCE)
        if not found:
            await self._finish(broadcast, now)
            return False
        ends = await asyncio.gather(*(self._changed(broadcast, each) for each in found))
        done = [each for each, end in zip(found, ends, strict=True) if end]
        failed = [each for each, end in zip(found, ends, strict=True) if end is False]
        await self._records.followed(broadcast.number, done, failed, None if recalls else revision)
        return bool(done or failed)

    async def _changed(self, broadcast: Broadcast, copy: Copy) -> bool | None:
        """True: done. False: it will never work. None: try again later."""
        if not await self._has_budget(copy):
            return None
        if broadcast.recalls:
            call: OutgoingCall = DeleteMessages(copy.bot, copy.whom, (copy.message,))
        else:
            variant = variant_for(broadcast.variants, copy.language, copy.arm)
            if variant is None:
                return False
            call = self._copies.correcting(broadcast, variant, copy)
        try:
            await self._telegram.send(call)
        except Refused:
            return False
        except FloodWait as error:
            await self._spare.flooded(error.bot or copy.bot, copy.whom, error.retry_after_s)
            return None
        except TelegramError:
            return None
        return True

    async def _has_budget(self, copy: Copy) -> bool:
        for _ in range(TRIES):
            if self._tokens.is_lost(copy.bot):
                return False
            try:
                taken = await self._spare.take(copy.bot, copy.whom)
            except LiveStoreLost:
                return False
            if taken is Take.TAKEN:
                return True
            await self._clock.sleep(PAUSE_S)
        return False

    async def _finish(self, broadcast: Broadcast, now: float) -> None:
        def change(newest: Broadcast, number: int) -> tuple[Broadcast, ...]:
            if broadcast.recalls:
                return (msgspec.structs.replace(newest, recalled=True, corrected=newest.revision),)
            return (msgspec.structs.replace(newest, corrected=broadcast.revision),)

        action = "broadcast.recalled" if broadcast.recalls else "broadcast.corrected"
        await self._records.change(broadcast.number, change, AuditNote(action, f"broadcast {broadcast.number}"), now)
