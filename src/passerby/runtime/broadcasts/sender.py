"""The duty that sends broadcasts, for the whole fleet: one worker has it at a time, under a lease.

It looks at every broadcast that is open and takes it a step further. Pausing, stopping and resuming are changes of the
broadcast in the records, so they take effect at the next look. Two holders for a moment do no harm: targets are claimed
one by one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from random import Random

import msgspec

from passerby.domain.broadcasts.actions import LASTS_S, edition_of
from passerby.domain.broadcasts.canary import COUNTED_FROM, PLACES, WATCH_S, canary_below, verdict
from passerby.domain.team import may
from passerby.kernel.broadcast import Broadcast, BroadcastState, Settled, TargetState
from passerby.kernel.effect import Priority, Say
from passerby.kernel.ids import BotId
from passerby.kernel.rules import Rules
from passerby.kernel.staff import AuditNote, Permission, StaffMember
from passerby.kernel.text import Text, amount, text
from passerby.ports.broadcasts import BroadcastRecords, Claimable
from passerby.ports.clock import Clock
from passerby.ports.leases import duty_lease
from passerby.ports.records import RecordsLost
from passerby.runtime.broadcasts.copy_changes import CopyChanges
from passerby.runtime.broadcasts.rounds import Rounds
from passerby.runtime.delivery.spare_budget import SpareBudget
from passerby.runtime.delivery.staff_board import StaffBoard
from passerby.runtime.membership.tokens import Tokens
from passerby.telemetry import logs

BROADCASTS = duty_lease("broadcasts")

EVERY_S = 1.0
AWAY_S = 2.0
COUNT_EVERY_S = 5.0
LATE_S = 2 * 3600.0
"""A schedule that is late by more than this asks instead of sending: its time has passed."""

Tell = Callable[[Broadcast, Text], Awaitable[None]]
"""Tells the staff who made a broadcast, or those who may approve it."""


class Telling:
    """Tells staff in the staff bot, each in their own language. Without a board, nobody is told."""

    def __init__(self, board: StaffBoard | None) -> None:
        self._board = board

    async def tell(self, broadcast: Broadcast, said: Text) -> None:
        about = {broadcast.made_by, broadcast.submitted_by, broadcast.approved_by}
        await self._send(said, lambda each: each.number in about)

    async def ask(self, broadcast: Broadcast, said: Text) -> None:
        """Tell those who may approve it."""
        await self._send(said, lambda each: may(each, Permission.BROADCAST) and each.number != broadcast.submitted_by)

    async def _send(self, said: Text, whom: Callable[[StaffMember], bool]) -> None:
        if self._board is None:
            return
        for each in await self._board.everybody():
            if each.revoked_at is None and whom(each):
                await self._board.send(Say(each.person, said, priority=Priority.SYSTEM), each.language)


class BroadcastSender:
    def __init__(
        self,
        records: BroadcastRecords,
        rounds: Rounds,
        following: CopyChanges,
        spare: SpareBudget,
        tokens: Tokens,
        bots: Callable[[], Sequence[BotId]],
        tell: Tell,
        ask: Tell,
        rules: Callable[[], Rules],
        clock: Clock,
        rng: Random,
    ) -> None:
        self._records = records
        self._rounds = rounds
        self._following = following
        self._spare = spare
        self._tokens = tokens
        self._bots = bots
        self._tell = tell
        self._ask = ask
        self._rules = rules
        self._clock = clock
        self._rng = rng
        self._faults = logs.Faults()
        self._counted_at: dict[int, float] = {}
        self._served: dict[int, tuple[BotId, ...]] = {}
        """The bots that were served when the targets of a broadcast were last looked at."""

    async def run(self) -> None:
        """Run until cancelled, or until `stop` has been called."""
        self._rounds.is_stopping = False
        by = f"{self._rng.getrandbits(64):016x}"
        disowned = False
        while not self._rounds.is_stopping:
            pause_s = EVERY_S
            try:
                if not disowned:
                    await self._records.disown(by)
                    disowned = True
                if await self._look(by):
                    pause_s = 0.0
            except RecordsLost as error:
                self._faults.began("records", "broadcast.waiting", reason=str(error))
                pause_s = AWAY_S
            else:
                self._faults.over("records", "broadcast.resumed")
            await self._clock.sleep(pause_s)

    def stop(self) -> None:
        self._rounds.is_stopping = True

    async def _look(self, by: str) -> bool:
        """Take each open broadcast a step further. Returns whether there may be more to do at once."""
        busy = False
        for broadcast in await self._records.open():
            now = self._clock.now()
            if broadcast.state is BroadcastState.SCHEDULED:
                await self._schedule(broadcast, now)
            elif broadcast.state is BroadcastState.STARTING:
                busy |= await self._freeze(broadcast, now)
            elif broadcast.state is BroadcastState.RUNNING:
                busy |= await self._send(broadcast, by, now)
            if broadcast.recalls or broadcast.revision > broadcast.corrected:
                busy |= await self._following.step(broadcast, now)
        return busy

    async def _schedule(self, broadcast: Broadcast, now: float) -> None:
        at = broadcast.starts_at
        if at is None or at > now:
            return
        if now - at > LATE_S:
            if await self._change(broadcast, "broadcast.late", state=BroadcastState.PAUSED, why="broadcasts.why_late"):
                await self._tell(broadcast, text("broadcasts.paused", number=broadcast.number, why=_why("late")))
        elif broadcast.weekly:
            await self._records.change(
                broadcast.number, partial(_with_edition, now=now), _note(broadcast, "broadcast.edition"), now
            )
        else:
            await self._change(broadcast, "broadcast.begun", state=BroadcastState.STARTING)

    async def _freeze(self, broadcast: Broadcast, now: float) -> bool:
        alone = self._rules().approval_above
        if not await self._records.freeze(broadcast.number, now, LASTS_S, canary_below, alone):
            return False
        frozen = await self._records.broadcast(broadcast.number)
        if frozen is not None and frozen.state is BroadcastState.SUBMITTED:
            await self._ask(frozen, text("broadcasts.approve_this", number=frozen.number))
        return True

    async def _send(self, broadcast: Broadcast, by: str, now: float) -> bool:
        if broadcast.ends_at is not None and now >= broadcast.ends_at:
            await self._records.expire(broadcast.number, now)
            await self._end(broadcast)
            return False
        if broadcast.watched_until is not None:
            if now >= broadcast.watched_until:
                await self._judge(broadcast)
            return False
        await self._reassign(broadcast)
        below = PLACES if broadcast.wave else broadcast.canary_below
        bots = [bot for bot in self._bots() if self._spare.is_open(bot)]
        claimable = (Claimable(broadcast.number, bot, below, now, broadcast.usual_hour) for bot in bots)
        ends = await asyncio.gather(*(self._rounds.run(broadcast, each, by) for each in claimable))
        settled = [each for some in ends for each in some]
        if _is_refused(settled):
            await self._pause(broadcast, "broadcasts.why_refused")
            return False
        if not settled:
            await self._look_for_end(broadcast, below, now)
        return any(each.state is not TargetState.WAITING for each in settled)

    async def _reassign(self, broadcast: Broadcast) -> None:
        """Give people who wait for a bot that is gone another bot. This is checked when the bots change."""
        served = tuple(bot for bot in self._bots() if not self._tokens.is_lost(bot))
        if self._served.get(broadcast.number) != served and not await self._records.reassign(broadcast.number, served):
            self._served[broadcast.number] = served

    async def _look_for_end(self, broadcast: Broadcast, below: int, now: float) -> None:
        """Nobody could be claimed. Perhaps everybody has had their turn."""
        if now - self._counted_at.get(broadcast.number, 0.0) < COUNT_EVERY_S:
            return
        self._counted_at[broadcast.number] = now
        if not broadcast.wave:
            if not await self._records.due(broadcast.number, below, now):
                await self._change(broadcast, "broadcast.watched", watched_until=now + WATCH_S)
        elif not (await self._records.progress(broadcast.number)).left:
            await self._end(broadcast)

    async def _judge(self, broadcast: Broadcast) -> None:
        why = verdict(await self._records.watched(broadcast.number, broadcast.canary_below))
        if why:
            await self._pause(broadcast, why)
        else:
            await self._change(broadcast, "broadcast.goes_on", wave=1, watched_until=None)

    async def _pause(self, broadcast: Broadcast, why: str) -> None:
        if await self._change(broadcast, "broadcast.paused", why, state=BroadcastState.PAUSED, why=why):
            await self._tell(broadcast, text("broadcasts.paused", number=broadcast.number, why=text(why)))

    async def _end(self, broadcast: Broadcast) -> None:
        now, progress = self._clock.now(), await self._records.progress(broadcast.number)
        state, sent = BroadcastState.ENDED, progress[TargetState.SENT]
        if not await self._change(broadcast, "broadcast.ended", state=state, ended_at=now, sent=sent):
            return
        self._counted_at.pop(broadcast.number, None)
        self._served.pop(broadcast.number, None)
        if not broadcast.is_test:
            await self._tell(broadcast, reported(broadcast, progress.counts))

    async def _change(self, broadcast: Broadcast, action: str, reason: str = "", **values: object) -> bool:
        """Change the broadcast, unless its state has changed since."""

        def change(newest: Broadcast, number: int) -> tuple[Broadcast, ...]:
            is_same = (newest.state, newest.wave) == (broadcast.state, broadcast.wave)
            return (msgspec.structs.replace(newest, **values),) if is_same else ()

        note = _note(broadcast, action, reason)
        return await self._records.change(broadcast.number, change, note, self._clock.now())


def _with_edition(newest: Broadcast, number: int, now: float) -> tuple[Broadcast, ...]:
    if newest.state is not BroadcastState.SCHEDULED or newest.starts_at is None or newest.starts_at > now:
        return ()
    return edition_of(newest, number, now)


def _note(broadcast: Broadcast, action: str, reason: str = "") -> AuditNote:
    return AuditNote(action, f"broadcast {broadcast.number}", reason=reason)


def _why(reason: str) -> Text:
    return text(f"broadcasts.why_{reason}")


def _is_refused(settled: Sequence[Settled]) -> bool:
    """Whether Telegram refuses the message itself: everything that was tried in a round."""
    tried = [each.state for each in settled if each.state in (TargetState.SENT, TargetState.REFUSED)]
    return len(tried) >= COUNTED_FROM and all(state is TargetState.REFUSED for state in tried)


def reported(broadcast: Broadcast, counts: Mapping[TargetState, int]) -> Text:
    """Return the report that staff read at the end. Every frozen person is in one of its numbers."""
    others = (
        TargetState.MUTED,
        TargetState.CAPPED,
        TargetState.HELD_OUT,
        TargetState.UNFIT,
        TargetState.EXPIRED,
    )
    return text(
        "broadcasts.report",
        number=broadcast.number,
        people=amount(broadcast.people),
        sent=amount(counts.get(TargetState.SENT, 0) + counts.get(TargetState.RECALLED, 0)),
        unknown=amount(counts.get(TargetState.UNKNOWN, 0)),
        unreachable=amount(counts.get(TargetState.UNREACHABLE, 0)),
        refused=amount(counts.get(TargetState.REFUSED, 0)),
        others=amount(sum(counts.get(each, 0) for each in others)),
    )
