"""Compares the live store with the records, and repairs the people on whom they differ.

It also ends the chats of people in doubt (`doubt`, `doubt_everybody`). That needs the live store only.

The rules are in `domain.reconcile`. A comparison reads both stores, and looks twice before it believes a difference. A
repair is a commit like any other. It names the versions that it replaces, so it is not stored if
the person has acted meanwhile. The journal carries it to the records.

Why it looks twice: one store is read a moment after the other. A person who acts in between seems to differ, but does
not. The second look reads the live store, then the records, then the live store again. Versions only grow, so it is
sure about two cases:

- A live value was read *after* the records, and its version is lower. The live store is older.
- The journal had carried a live value to the records, and the records were read *after* that and do not have it. The
  records have lost it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from itertools import chain

from passerby.dialogue.keyboards import keys_for, state_of
from passerby.domain.reconcile import REASON, Difference, View, compare, in_doubt, mend, one_sided
from passerby.kernel.effect import Priority
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Chatting, Participant, Searching
from passerby.kernel.text import text
from passerby.ports.clock import Clock
from passerby.ports.doubts import StoredPerson
from passerby.ports.facts import BlockChanged, ChatClosed, Fact, PersonChanged
from passerby.ports.leases import Fence, WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.participants import Commit, Committed
from passerby.ports.records import Records
from passerby.telemetry import logs, metrics

LOOKS = 3
"""How often one comparison looks at people who act during each of its looks. The next comparison sees them again."""

DOUBT_LOOKS = 20
"""How often a doubt looks at people who act during each of its looks. Then the caller waits and tries again."""

DOUBT_PAUSE_S = 0.05
"""The pause between two looks of a doubt."""

AT_ONCE = 50
"""How many groups are repaired at the same time, so that they share one sync of the disk."""

TakeUp = Callable[[Iterable[Outgoing]], Awaitable[None]]

_WHY = {
    Difference.LIVE_IS_OLDER: "the live store has lost its newest writes; all its chats end",
    Difference.RECORDS_ARE_OLDER: "the database is older than the live store",
}
_DAMAGED = "the live store was damaged"
_ALONE = "one side of a chat is lost"


class Reconciler:
    """`take_up` hands the notices of a repair to the courier. `worker` is their owner in the outbox. `unanswered` is
    called when a repair got no answer: its notices may be in the outbox, and nothing here sends them.

    `alone`: no other process uses the live store, so an older chat or search in it is from a run before this one.
    """

    def __init__(
        self,
        worker: WorkerId,
        store: LiveStore,
        records: Records,
        clock: Clock,
        take_up: TakeUp,
        unanswered: Callable[[], None] = lambda: None,
        *,
        alone: bool = False,
    ) -> None:
        self._worker = worker
        self._store = store
        self._records = records
        self._clock = clock
        self._take_up = take_up
        self._unanswered = unanswered
        self._is_alone = alone
        self._alone_since = clock.now() if alone else float("-inf")
        self._doubting = asyncio.Lock()
        self._reported: tuple[int, str] | None = None
        """The difference that was logged last and is not repaired yet. The repair is tried until it can be stored."""

    async def reconcile(self) -> bool:
        """Compare everybody who is active in either store, and repair the differences.

        Returns whether every repair was stored. If a person in doubt acted meanwhile, theirs was not, and the next
        comparison sees them again. Raises: LiveStoreLost, RecordsLost.
        """
        doubts = self._store.doubts
        active = await self._records.active()
        views = await self._views(active.people, doubts.people)
        differences = await self._confirmed(views)
        alone = await self._alone(views)
        found = set(differences.values())
        if doubts.is_older:
            found.add(Difference.LIVE_IS_OLDER)
        was_older = Difference.LIVE_IS_OLDER in found and not doubts.is_damaged
        doubtful = set(differences)
        if was_older or doubts.everybody:
            doubtful |= {person for person, view in views.items() if view.is_still_busy}
        doubtful |= (doubts.people & views.keys()) | alone
        if doubtful:
            otherwise = _DAMAGED if doubts or not alone else _ALONE
            why = next((why for kind, why in _WHY.items() if kind in found and not doubts.is_damaged), otherwise)
            if self._reported != (len(doubtful), why):
                logs.record("stores.differ", "error", count=len(doubtful), reason=why)
            self._reported = len(doubtful), why
        agreed = True
        for group in in_doubt(views, sorted(doubtful)):
            agreed = await self._repair({person: views[person] for person in group}, doubts.people) and agreed
        states = [view.live.state for view in views.values() if view.live is not None]
        open_chats = {state.chat for state in states if isinstance(state, Chatting)}
        await self._close(each for each in active.chats if each not in open_chats)
        self._reported = None
        return agreed

    async def doubt(self, bot: BotId, fence: Fence, *, at_start: bool = False) -> int:
        """End every chat and search of the people who know a bot, and tell them. Somebody else has served the bot.

        `at_start`: this may be an older state of the files. If no other process uses them, every chat and search that
        is older than this process ends, too. Returns how many people were told.

        Raises: Fenced, LiveStoreLost. After LiveStoreLost, some people may still be in their chats, and the caller
        tries again.
        """
        before = self._alone_since if at_start else float("-inf")
        return await self._end(lambda view: bot in view.newest.bots or _since(view.newest) < before, (fence,))

    async def doubt_everybody(self) -> int:
        """End every chat and search: all bots have gone back to an older state. Returns how many people were told.

        Only for a process that uses the live store alone, before it takes updates. Raises: LiveStoreLost.
        """
        return await self._end(lambda _: True)

    async def _end(self, concerns: Callable[[View], bool], fences: tuple[Fence, ...] = ()) -> int:
        """End the chats and searches of these people. Raises: LiveStoreLost, also if somebody acts at every look."""
        async with self._doubting:
            told = 0
            left: set[PersonId] | None = None
            for look in range(DOUBT_LOOKS):
                if look:
                    await self._clock.sleep(DOUBT_PAUSE_S)
                views = {person: view for person, view in await self._living() if view.is_busy}
                doubtful = {person for person, view in views.items() if concerns(view)}
                doubtful = doubtful if left is None else doubtful & left
                left = set()
                groups = in_doubt(views, sorted(doubtful))
                for at in range(0, len(groups), AT_ONCE):
                    parts = [{person: views[person] for person in group} for group in groups[at : at + AT_ONCE]]
                    repaired = await asyncio.gather(*(self._repair(part, (), fences) for part in parts))
                    for part, is_stored in zip(parts, repaired, strict=True):
                        if is_stored:
                            told += len(part)
                        else:
                            left |= doubtful & part.keys()
                if not left:
                    return told
            raise LiveStoreLost("people in doubt acted during every look")

    async def _living(self) -> Iterable[tuple[PersonId, View]]:
        """Everybody as the live store has them, for a doubt that does not concern the records."""
        people = [stored.participant for stored in await self._store.everybody()]
        return ((each.person, View(each, each, is_carried=True)) for each in people)

    async def _views(self, active: Sequence[Participant], doubtful: Collection[PersonId]) -> dict[PersonId, View]:
        """`doubtful`: the live store may have lost these people altogether, and the records may hold them as idle."""
        live = {stored.participant.person: stored for stored in await self._store.everybody()}
        recorded = {each.person: each for each in active}
        recorded |= await self._records.people([each for each in live.keys() | doubtful if each not in recorded])
        return {person: _view(live.get(person), recorded.get(person)) for person in live.keys() | recorded.keys()}

    async def _confirmed(self, views: dict[PersonId, View]) -> dict[PersonId, Difference]:
        """The people who differ for sure, and how. Puts what the second look found into `views`.

        People who act during a look are looked at again, a few times at most.
        """
        suspects = sorted(person for person, view in views.items() if compare(view) is not Difference.NONE)
        confirmed: dict[PersonId, Difference] = {}
        for _ in range(LOOKS):
            if not suspects:
                break
            before = await self._store.stored(suspects)
            recorded = await self._records.people(suspects)
            after = await self._store.stored(suspects)
            acting = []
            for person in suspects:
                views[person] = _view(after.get(person), recorded.get(person))
                if person not in after and person not in recorded:
                    del views[person]
                kinds = {compare(_view(stored.get(person), recorded.get(person))) for stored in (before, after)}
                if len(kinds) > 1:
                    acting.append(person)
                elif Difference.NONE not in kinds:
                    confirmed[person] = kinds.pop()
            suspects = acting
        return confirmed

    async def _alone(self, views: dict[PersonId, View]) -> set[PersonId]:
        """Return the people in a chat that their partner is not in, at two looks. The first look may read each side at
        a different time.

        Puts what the second look found into `views`.
        """
        suspects = one_sided(views)
        if not suspects:
            return suspects
        partners = {partner for person in suspects for partner in views[person].chats.values()}
        again = await self._store.stored(sorted(suspects | partners))
        for person, stored in again.items():
            former = views.get(person)
            views[person] = _view(stored, former.recorded if former is not None else None)
        return suspects & one_sided(views)

    async def _repair(
        self, views: dict[PersonId, View], lost: Collection[PersonId], fences: tuple[Fence, ...] = ()
    ) -> bool:
        """Take a group out of their chats and searches, in one commit.

        `lost`: the people whose newest change may be lost. They are told even if they are idle in both stores: they may
        just have begun to search. False: somebody of the group acted meanwhile, and nothing was stored.
        """
        now = self._clock.now()
        puts, notices, facts, ended = [], [], list[Fact](), dict[ChatId, None]()
        bots = {
            person: view.newest.bot
            for person, view in views.items()
            if view.is_busy or (person in lost and view.newest.profile.complete)
        }
        told = {person: bot for person, bot in bots.items() if bot is not None}
        stale = await self._stale_notices(told)
        for person, view in sorted(views.items()):
            put = mend(view, now)
            puts.append(put)
            facts += _facts(put, view, now)
            ended.update(dict.fromkeys(view.chats))
            if person in told:
                notices.append(
                    Notice(
                        f"repair:{person}:{put.version}",
                        person,
                        told[person],
                        text("chat.connection_lost"),
                        Priority.MATCH,
                        now,
                        keys_for(put.state),
                    )
                )
        facts += [ChatClosed(chat, None, REASON, now) for chat in ended]
        commit = Commit(
            tuple(puts),
            tuple(ended),
            tuple(notices),
            tuple(facts),
            sent=stale,
            owner=self._worker,
            fences=fences,
            seen=tuple((person, view.live.version if view.live else 0) for person, view in sorted(views.items())),
            repairs=True,
        )
        try:
            committed = await self._store.commit(commit)
        except LiveStoreLost:
            self._unanswered()
            raise
        if committed is not Committed.YES:
            return False
        metrics.REPAIRED.add(count=len(puts))
        await self._take_up(notices)
        return True

    async def _stale_notices(self, people: Iterable[PersonId]) -> tuple[str, ...]:
        """The unsent notices that tell these people a state from before the repair. Its own notice replaces them.

        Another process may be sending one just now. If it counted as sent already, the repair's notice would not wait
        for it, and might arrive before it. So those stay. After a roll call, nobody is sending any.
        """
        found = await asyncio.gather(*map(self._store.addressed_to, people))
        stale = tuple(
            each.id
            for each in chain.from_iterable(found)
            if isinstance(each, Notice) and state_of(each.keyboard) is not None and each.reply_to is None
        )
        if not stale or self._is_alone or self._store.doubts:
            return stale
        owners = await self._store.owners_of(stale)
        return tuple(each for each in stale if owners.get(each) == self._worker)

    async def _close(self, strays: Iterable[ChatId]) -> None:
        """Close chats that are open in the records but that nobody is in.

        If the journal has an end of the chat already, that one counts.
        """
        now = self._clock.now()
        closed = tuple(ChatClosed(chat, None, REASON, now) for chat in strays)
        if closed:
            await self._store.commit(Commit(facts=closed, repairs=True))


def _since(person: Participant) -> float:
    """When the chat or search of a person began."""
    match person.state:
        case Chatting(opened_at=began_at):
            return began_at
        case Searching(ticket=ticket):
            return ticket.since
        case _:
            return float("inf")


def _view(stored: StoredPerson | None, recorded: Participant | None) -> View:
    return View(stored.participant, recorded, stored.recorded) if stored is not None else View(None, recorded)


def _facts(put: Participant, view: View, now: float) -> list[Fact]:
    """The facts for the records: the person, and the blocks that the records lack: these have a table of their own."""
    known = view.recorded.blocked if view.recorded is not None else ()
    blocks = [BlockChanged(put.person, whom, True, now) for whom in put.blocked if whom not in known]
    return [PersonChanged(put, now), *blocks]
