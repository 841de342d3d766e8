"""The state that the memory store holds and the log brings back: tables in memory, and how a record changes them.

A new record and a replayed one change the tables by the same methods, so the store after a crash equals the log
replayed. Nothing here writes to the log or waits.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import takewhile

from passerby.adapters.memory.chats import Chats
from passerby.adapters.memory.crashes import Crashes
from passerby.adapters.memory.done import DoneMarks
from passerby.adapters.memory.history import (
    Adopted,
    Begun,
    Crashed,
    Ended,
    Entry,
    FileSeen,
    Inherited,
    Marked,
    Noted,
    Record,
    Sighted,
    Snapshot,
    Trimmed,
)
from passerby.adapters.memory.outbox import OutboxEntries
from passerby.adapters.memory.sightings import Sightings
from passerby.adapters.memory.tickets import TicketPools
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Idle, Participant
from passerby.ports.clock import Clock
from passerby.ports.facts import Fact, PersonErased
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit

IDLE_KEPT_S = 600.0
FILES_KEPT = 100_000


class State:
    """`clock` says when somebody was last heard of. `touched`: that time, in monotonic seconds.

    `dirty`: people whose newest value the records do not have yet, each with the number of its fact in the journal. In
    the order of these numbers.
    """

    def __init__(self, clock: Clock, generation: str, tickets: TicketPools) -> None:
        self._clock = clock
        self.generation = generation
        self.newborn = True
        self.people: dict[PersonId, Participant] = {}
        self.touched: dict[PersonId, float] = {}
        self.dirty: dict[PersonId, int] = {}
        self.tickets = tickets
        self.chats = Chats()
        self.outbox = OutboxEntries()
        self.done = DoneMarks()
        self.crashes = Crashes()
        self.journal: deque[tuple[int, Fact]] = deque()
        self.journal_end = 0
        self.trimmed = 0
        self.files: dict[tuple[str, BotId], str] = {}
        self.sightings = Sightings()
        self.conducts: dict[int, dict[PersonId, bytes]] = {}
        self.candidates: dict[int, set[PersonId]] = {}
        self.memos: dict[str, bytes] = {}
        self.has_erased = False
        """Whether the log still holds data of a person who was erased since, and whom the records have dropped."""

    def begin(self, generation: str, *, newborn: bool) -> None:
        """Begin a generation with the data that is there."""
        self.generation, self.newborn, self.trimmed = generation, newborn, 0

    def apply(self, record: Entry | Marked) -> None:
        # The same number as the first time, unless earlier facts were lost to damage.
        self.journal_end = record.number - 1
        if isinstance(record, Entry):
            self._apply_commit(record.what, record.at)
            return
        for mark in record.marks:
            self._apply_mark(mark, record.at)

    def _apply_commit(self, commit: Commit, at: float) -> None:
        for ref in commit.updates:
            self.done.add(ref, at)
        for chat in commit.ended:
            self.chats.end(chat, at)
        self._take_in(commit.puts, at)
        for outgoing in commit.outbox:
            self.outbox.put(outgoing, commit.owner)
        for id_ in commit.sent:
            self.outbox.settle(id_)
        self._add_facts(commit.facts)
        for put in commit.puts:
            self.dirty.pop(put.person, None)
            self.dirty[put.person] = self.journal_end

    def _apply_mark(self, mark: Mark, at: float) -> None:
        for ref in mark.updates:
            self.done.add(ref, at)
        for id_ in mark.sent:
            self.outbox.settle(id_)
        if mark.chat is not None:
            self.chats.hear(mark.chat, mark.pairs, mark.speaker, at)
        if mark.anchor is not None and self.chats.anchor(mark.anchor):
            self._add_facts(mark.facts)

    def _add_facts(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.journal_end += 1
            self.journal.append((self.journal_end, fact))

    def _take_in(self, people: Iterable[Participant], at: float) -> None:
        touched = self._clock.monotonic()
        for person in people:
            before = self.people.get(person.person)
            self.people[person.person] = person
            self.touched[person.person] = touched
            self.tickets.note(before, person)
            self.chats.note(person, at)

    def welcome(self, people: Sequence[Participant], anchors: Iterable[Anchor], at: float) -> None:
        """Take in people from the records."""
        self._take_in(people, at)
        self.chats.welcome(people, anchors, self.outbox.will_tell)

    def trim(self, upto: int) -> None:
        self.trimmed = max(self.trimmed, upto)
        while self.journal and self.journal[0][0] <= upto:
            _, fact = self.journal.popleft()
            self.has_erased = self.has_erased or isinstance(fact, PersonErased)
        for person in [person for person, _ in takewhile(lambda each: each[1] <= upto, self.dirty.items())]:
            del self.dirty[person]

    def see_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        self.files.pop((unique, bot), None)
        if file_id is not None:
            self.files[unique, bot] = file_id
            if len(self.files) > FILES_KEPT:
                del self.files[next(iter(self.files))]

    def note_memo(self, name: str, value: bytes | None) -> None:
        if value is None:
            self.memos.pop(name, None)
        else:
            self.memos[name] = value

    def expire(self, now: float, monotonic: float) -> None:
        self.done.sweep(now)
        self.crashes.sweep(now)
        self.chats.rotate(now)
        idle_before = monotonic - IDLE_KEPT_S
        for person in [person for person, at in self.touched.items() if at < idle_before]:
            if isinstance(self.people[person].state, Idle) and person not in self.dirty:
                del self.people[person], self.touched[person]

    def redate(self, by_s: float) -> None:
        """Move the dates of everything that expires."""
        self.done.redate(by_s)
        self.crashes.redate(by_s)
        self.chats.redate(by_s)

    def replay(self, record: Record) -> None:
        match record:
            case Begun(generation=generation, newborn=newborn):
                self.begin(generation, newborn=newborn)
            case Ended():
                pass
            case Entry() | Marked():
                self.apply(record)
            case Adopted(at=at, people=people, anchors=anchors, whole=whole):
                self.welcome(people, anchors, at)
                self.newborn = self.newborn and not whole
            case Inherited(owners=owners, heir=heir):
                self.outbox.hand_over(owners, heir)
            case Trimmed(upto=upto):
                self.trim(upto)
            case FileSeen(unique=unique, bot=bot, file_id=file_id):
                self.see_file(unique, bot, file_id)
            case Sighted(at=at, bits=bits):
                self.sightings.note(bits, at)
            case Crashed(at=at, refs=refs, crash=crash):
                self.crashes.add(refs, crash, at)
            case Noted(name=name, value=value):
                self.note_memo(name, value)
            case Snapshot() as snapshot:
                self._restore(snapshot)

    def snapshot(self) -> Snapshot:
        chats, searches = self.chats.dump()
        return Snapshot(
            self.generation,
            self.newborn,
            self.journal_end,
            self.trimmed,
            list(self.journal),
            [each for each in self.people.values() if not isinstance(each.state, Idle) or each.person in self.dirty],
            list(self.dirty.items()),
            chats,
            searches,
            self.outbox.dump(),
            self.done.dump(),
            [(unique, bot, file_id) for (unique, bot), file_id in self.files.items()],
            self.sightings.dump(),
            self.crashes.dump(),
            self.memos,
            self.chats.dump_over(),
        )

    def _restore(self, snapshot: Snapshot) -> None:
        self.generation = snapshot.generation
        self.newborn = snapshot.newborn
        self.journal_end, self.trimmed = snapshot.journal_end, snapshot.trimmed
        self.journal.extend(snapshot.journal)
        self._take_in(snapshot.people, 0.0)
        self.dirty = dict(sorted(snapshot.uncarried, key=lambda each: each[1]))
        self.chats.restore(snapshot.chats, snapshot.searches)
        self.outbox.restore(snapshot.outbox)
        self.done.restore(snapshot.done)
        self.crashes.restore(snapshot.crashes)
        self.files = {(unique, bot): file_id for unique, bot, file_id in snapshot.files}
        self.sightings.restore(snapshot.sightings)
        self.memos = dict(snapshot.memos)
        self.chats.restore_over(snapshot.over)
