"""`LiveStore` for one process: decisions, done marks, and how a store that lost something is rebuilt.

The other roles are in `delivery`, `feeds`, `conducts` and `membership`. `logged` explains what is written to the log,
and when.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

from passerby.adapters.memory.conducts import MemoryConducts
from passerby.adapters.memory.delivery import MemoryDelivery
from passerby.adapters.memory.feeds import MemoryFeeds
from passerby.adapters.memory.history import Adopted, Crashed, Entry, Noted
from passerby.adapters.memory.leases import WorkerTable
from passerby.adapters.memory.log import Log
from passerby.kernel.decision import Facts
from passerby.kernel.ids import BotId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.ports.clock import Clock
from passerby.ports.done_marks import Known
from passerby.ports.doubts import Doubts, RollCallAnswers, StoredPerson
from passerby.ports.leases import Fence, WorkerId
from passerby.ports.live_store import Figures, LiveStoreLost
from passerby.ports.message_map import Anchor
from passerby.ports.participants import Commit, Committed
from passerby.ports.soon import Soon

JOURNAL_BOUND: Final = 1_000_000
"""Facts. This many arise in some hours at a hundred a second, and take about half a gigabyte."""


class MemoryStore(MemoryDelivery, MemoryFeeds, MemoryConducts):
    """The port says what it promises. `rng` names the store's generation; `clock` dates what expires.

    If the journal holds `journal_bound` facts, commits that bring more are refused. Marks are not: there are no more of
    their facts than there were notices in accepted commits.
    """

    def __init__(
        self, log: Log, clock: Clock, rng: Random, *, journal_bound: int = JOURNAL_BOUND, boot: str = ""
    ) -> None:
        super().__init__(log, clock, rng, boot)
        self._journal_bound = journal_bound

    def load(self, person: PersonId, about: MessageRef | None = None) -> Soon[Facts | None]:
        if self._refusing:
            return Soon.failed(self._wiped())
        people, chats = self._state.people, self._state.chats
        me = people.get(person)
        if me is None:
            return Soon.of(None)
        state = me.state
        if type(state) is Chatting:
            chat = chats.open.get(state.chat)
            if chat is None:
                return Soon.of(Facts(me, people.get(state.partner)))
            mine = theirs = None
            for each, at in chat.anchors:
                if each == person:
                    mine = at
                elif each == state.partner:
                    theirs = at
            counterpart = chat.find(about) if about is not None else None
            return Soon.of(Facts(me, people.get(state.partner), counterpart, mine, theirs))
        self._state.touched[person] = self._clock.monotonic()  # for the others it says nothing (see `State.expire`)
        return Soon.of(Facts(me, anchor=chats.search_anchor(person)) if isinstance(state, Searching) else Facts(me))

    async def commit(self, commit: Commit) -> Committed:
        if not commit.repairs:
            self._check()
        if commit.fences:
            self._check_fences(commit.fences)
        updates, state = commit.updates, self._state
        if updates and all(ref in state.done for ref in updates):
            await self._durable()
            return Committed.ALREADY_DONE
        replaced = () if commit.repairs else ((put.person, put.version - 1) for put in commit.puts)
        for person, version in (*replaced, *commit.seen):
            held = state.people.get(person)
            if (held.version if held is not None else 0) != version:
                return Committed.STALE
        if commit.facts and len(state.journal) + len(commit.facts) > self._journal_bound:
            raise LiveStoreLost("the journal is full")
        entry = Entry(self._clock.now(), commit, state.journal_end + 1)
        self._write(entry)
        state.apply(entry)
        if commit.puts or commit.outbox:
            await self._durable()
        return Committed.YES

    async def done(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        self._check()
        found = self._state.done.among(bot, updates)
        if found:
            await self._durable()  # a commit may not be synced yet, and Telegram is told next
        return found

    async def known(self, bot: BotId, updates: Iterable[int]) -> Known:
        updates = tuple(updates)
        self._check()
        found = self._state.done.among(bot, updates)
        if found:
            await self._durable()  # as above
        return Known(found, self._state.crashes.of(bot, updates))

    async def record_crash(self, updates: Iterable[UpdateRef], crash: str) -> None:
        self._check()
        crashed = Crashed(self._clock.now(), list(updates), crash)
        self._write(crashed)
        self._state.crashes.add(crashed.refs, crash, crashed.at)

    async def adopt(
        self,
        participants: Sequence[Participant],
        *,
        anchors: Sequence[Anchor] = (),
        whole: bool = False,
        outdated: bool = False,
    ) -> None:
        if not whole:
            self._check()
        at, state = self._clock.now(), self._state
        strangers = [each for each in participants if each.person not in state.people]
        busy = [each for each in strangers if not isinstance(each.state, Idle)]
        if busy or (whole and state.newborn):
            self._write(Adopted(at, busy, list(anchors), whole))  # the idle are in the records as well
        state.welcome(strangers, anchors, at)
        if whole:
            state.newborn = False
            if outdated:
                self._doubts = Doubts(is_unsure=True, is_older=True)
            elif self._doubts:
                self._rewrite(keep_former=self._doubts.is_damaged)
                self._doubts = Doubts()
            self._roll = set()
        if self._refusing and not outdated:
            self._refusing = False
            epoch = max(self._worker_table.epoch, int(at * 1000))
            self._worker_table = WorkerTable(epoch, wiped_at=self._clock.monotonic())

    async def memos(self, names: Sequence[str]) -> dict[str, bytes]:
        self._check()
        return {name: self._state.memos[name] for name in names if name in self._state.memos}

    async def keep_memo(self, name: str, value: bytes | None, fence: Fence | None = None) -> None:
        self._check()
        if fence is not None:
            self._check_fences((fence,))
        self._write(Noted(name, value))
        self._state.note_memo(name, value)
        await self._durable()

    async def claim_doubts(self, worker: WorkerId, ttl_s: float) -> bool:
        return True  # nobody else is here

    async def answer_roll(self, worker: WorkerId | None) -> RollCallAnswers:
        if worker is not None and (self._refusing or self._doubts):
            self._roll.add(worker)
        return RollCallAnswers(frozenset(self._roll), frozenset())

    async def everybody(self) -> list[StoredPerson]:
        return list((await self.stored(tuple(self._state.people))).values())

    async def stored(self, persons: Sequence[PersonId]) -> dict[PersonId, StoredPerson]:
        people, dirty = self._state.people, self._state.dirty
        return {each: StoredPerson(people[each], each not in dirty) for each in persons if each in people}

    async def figures(self) -> Figures:
        self._check()
        state = self._state
        return Figures(state.tickets.waiting, len(state.chats), len(state.outbox), len(state.journal))
