"""Handles the updates of the staff bot: decide, store, answer. Only then is an update done.

If the process dies in between, Telegram brings the update again. The decision is in the records, so it is answered
again and not done again.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random

from passerby.kernel.drain import RetireBot
from passerby.kernel.effect import Say
from passerby.kernel.event import ButtonPressed, ChannelJoined, ChannelLeft, MessageReceived
from passerby.kernel.ids import BotId, PersonId, UpdateRef
from passerby.kernel.staff import StaffDecision
from passerby.kernel.text import text
from passerby.ports.clock import Clock
from passerby.ports.leases import Fenced
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.participants import Commit
from passerby.ports.records import RecordsLost
from passerby.ports.soon import own_task
from passerby.runtime.backoff import Backoff, persistently, steady
from passerby.runtime.decide.sponsors import Sponsors
from passerby.runtime.delivery.staff_board import StaffBoard
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.membership.fencing import OwnLeases, write_refused
from passerby.runtime.staff.decisions import StaffDecisions
from passerby.telemetry import logs

BUG_TRIES = 5
BUGGY = Backoff(0.2, 0.8, 0.0, 1.0)
FATAL_CRASHES = 2
AWAY = steady(0.5, 0.5, 1.5)


class StaffDesk:
    """`finished` is called with updates that are done. `retire` removes a bot's token, and says what went wrong.
    `sponsors` hears who joins and leaves the sponsor's channel."""

    def __init__(
        self,
        decisions: StaffDecisions,
        board: StaffBoard,
        store: LiveStore,
        leases: OwnLeases,
        finished: Callable[[tuple[UpdateRef, ...]], None],
        clock: Clock,
        rng: Random,
        retire: Callable[[BotId], str] = lambda bot: "",
        sponsors: Sponsors | None = None,
    ) -> None:
        self._sponsors = sponsors
        self._retire = retire
        self._decisions = decisions
        self._board = board
        self._store = store
        self._leases = leases
        self._finished = finished
        self._clock = clock
        self._rng = rng
        self._faults = logs.Faults()

    async def handle(self, work: Work) -> None:
        """Do one piece of work. Raises nothing but cancellation."""
        await own_task()  # the records' drivers use time-outs
        event = work.event
        if isinstance(event, MessageReceived | ButtonPressed):
            if work.crashes >= FATAL_CRASHES:
                logs.record("staff.put_aside", "error", reason="it has ended the process more than once")
            else:
                decision = await self._decided(work)
                if decision is None:
                    return
                await self._carry_out(decision, event)
        if isinstance(event, ChannelJoined | ChannelLeft) and self._sponsors is not None:
            with suppress(LiveStoreLost):  # then the person is asked about again
                await self._sponsors.note(event)
        await self._mark_done(work)

    async def _mark_done(self, work: Work) -> None:
        """Store that the updates are done: an answer that Telegram sent before we confirmed them may repeat them."""
        commit = Commit(updates=work.refs, fences=work.fences)
        try:
            await persistently(partial(self._store.commit, commit), LiveStoreLost, self._clock, self._rng)
        except Fenced:
            await write_refused(self._leases, work.fences)
        self._finished(work.refs)

    async def _decided(self, work: Work) -> StaffDecision | None:
        """The decision, stored. None if another process has the bot now."""
        bugs = 0
        while all(map(self._leases.holds, work.fences)):
            try:
                decision = await self._decisions.on_event(work.event, work.refs[0])
            except RecordsLost as error:
                self._faults.began("records", "staff.waiting", reason=str(error))
                await self._clock.sleep(AWAY.pause_s(1, self._rng))
            except Exception as error:  # noqa: BLE001  # the supervisor: a bug ends one unit of work
                bugs += 1
                logs.failed("staff.broken", error, kind=type(work.event).__name__, attempt=bugs)
                if bugs == BUG_TRIES:
                    return StaffDecision()
                await self._clock.sleep(BUGGY.pause_s(bugs, self._rng))
            else:
                self._faults.over("records", "staff.resumed")
                return decision
        return None

    async def _carry_out(self, decision: StaffDecision, event: MessageReceived | ButtonPressed) -> None:
        """Send the effects, in order. Each reader gets their own language."""
        languages: dict[PersonId, str] = {}
        if any(not _is_for(event.person, effect) for effect in decision.effects):
            languages = {each.person: each.language for each in await self._board.everybody()}
        for effect in decision.effects:
            if isinstance(effect, RetireBot):
                if problem := self._retire(effect.bot):
                    said = Say(event.person, text("bots.not_removed", bot=str(effect.bot), why=problem))
                    await self._board.send(said, event.language)
                continue
            mine = _is_for(event.person, effect)
            language = event.language if mine else languages.get(_reader(effect) or event.person, "")
            await self._board.send(effect, language)


def _reader(effect: object) -> PersonId | None:
    return getattr(effect, "to", None)


def _is_for(person: PersonId, effect: object) -> bool:
    return _reader(effect) in (None, person)
