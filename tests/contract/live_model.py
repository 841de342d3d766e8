"""The simplest live store: dictionaries, without log, expiry or efficiency."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from passerby.kernel.decision import Counterpart, Facts
from passerby.kernel.ids import NOWHERE, BotId, ChatId, MessageRef, PersonId, UpdateRef, search_of
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.ports.facts import Fact
from passerby.ports.leases import WorkerId
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.participants import Commit, Committed
from passerby.ports.tickets import TicketChange


@dataclass
class Model:
    people: dict[PersonId, Participant] = field(default_factory=dict)
    done: set[UpdateRef] = field(default_factory=set)
    outbox: list[Outgoing] = field(default_factory=list)
    owners: dict[str, WorkerId] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    trimmed: int = 0
    told: dict[PersonId, int] = field(default_factory=dict)
    """The number of the fact with a person's newest value."""
    open: set[ChatId] = field(default_factory=set)
    map: dict[tuple[ChatId, MessageRef], Counterpart] = field(default_factory=dict)
    anchors: dict[tuple[ChatId, PersonId], MessageRef] = field(default_factory=dict)
    """Also of searches, under the names of `search_of`."""
    speakers: dict[ChatId, PersonId | None] = field(default_factory=dict)
    """The last speaker in each open chat. The longest idle chat first."""
    files: dict[tuple[str, BotId], str] = field(default_factory=dict)

    def commit(self, commit: Commit) -> Committed:
        if commit.updates and set(commit.updates) <= self.done:
            return Committed.ALREADY_DONE
        for person, version in commit.seen:
            held = self.people.get(person)
            if (held.version if held is not None else 0) != version:
                return Committed.STALE
        for put in commit.puts:
            held = self.people.get(put.person)
            if put.version != (held.version if held else 0) + 1:
                return Committed.STALE
        for chat in commit.ended:
            self._end(chat)
        self._take(commit.puts)
        self.owners.update((each.id, commit.owner) for each in commit.outbox)
        self.outbox = [each for each in (*self.outbox, *commit.outbox) if each.id not in commit.sent]
        self.facts.extend(commit.facts)
        self.told.update((put.person, len(self.facts)) for put in commit.puts)
        self.done.update(commit.updates)
        return Committed.YES

    def mark(self, mark: Mark) -> None:
        self.done.update(mark.updates)
        self.outbox = [each for each in self.outbox if each.id not in mark.sent]
        if mark.chat in self.open:
            for pair in mark.pairs:
                self.map[mark.chat, pair.source] = Counterpart(pair.copy, True, pair.print, pair.rest)
                for each in pair.rest:
                    self.map[mark.chat, MessageRef(pair.copy.bot, each)] = Counterpart(pair.source, False)
                self.map[mark.chat, pair.copy] = Counterpart(pair.source, False)
            if mark.chat is not None and mark.speaker is not None:
                del self.speakers[mark.chat]
                self.speakers[mark.chat] = mark.speaker
        if mark.anchor is not None and self._anchor(mark.anchor.chat, mark.anchor.person, mark.anchor.at):
            self.facts.extend(mark.facts)

    def adopt(self, people: list[Participant], anchors: Sequence[Anchor] = ()) -> None:
        strangers = [each for each in people if each.person not in self.people]
        self._take(strangers)
        known = {(anchor.chat, anchor.person): anchor.at for anchor in anchors}
        for each in strangers:
            for about in _talks(each):
                if not self._will_tell(about, each.person):
                    self._anchor(about, each.person, known.get((about, each.person), NOWHERE))

    def inherit(self, heir: WorkerId, living: Collection[WorkerId]) -> list[Outgoing]:
        inherited = [each for each in self.outbox if self.owners[each.id] not in (heir, *living)]
        self.owners.update((each.id, heir) for each in inherited)
        return inherited

    def owners_of_all(self) -> set[WorkerId]:
        return {self.owners[each.id] for each in self.outbox}

    def outbox_of(self, owner: WorkerId) -> list[Outgoing]:
        return [each for each in self.outbox if self.owners[each.id] == owner]

    def is_preceded(self, entry: str) -> bool:
        ids = [each.id for each in self.outbox]
        if entry not in ids:
            return False
        at = ids.index(entry)
        (to, bot), owner = (self.outbox[at].to, self.outbox[at].bot), self.owners[entry]
        return any(
            (each.to, each.bot) == (to, bot)
            and self.owners[each.id] != owner
            and not (isinstance(each, Notice) and each.lets_others_pass)
            for each in self.outbox[:at]
        )

    def is_told(self, chat: ChatId, person: PersonId) -> bool:
        if self._is_over(chat, person):
            return True
        return (chat, person) in self.anchors or not self._will_tell(chat, person)

    def facts_of(self, person: PersonId, about: MessageRef) -> Facts | None:
        me = self.people.get(person)
        if me is None or not isinstance(me.state, Chatting):
            return Facts(me, anchor=self.anchors.get((search_of(person), person))) if me else None
        chat, partner = me.state.chat, me.state.partner
        found = self.map.get((chat, about))
        anchors = self.anchors.get((chat, person)), self.anchors.get((chat, partner))
        return Facts(me, self.people.get(partner), found, *anchors)

    def tickets(self) -> dict[PersonId, TicketChange]:
        return {
            person: TicketChange(person, each.state.ticket, each.version)
            for person, each in self.people.items()
            if isinstance(each.state, Searching)
        }

    def may_vanish(self, person: PersonId) -> bool:
        """Whether the person is idle and the records hold their newest value."""
        me = self.people[person]
        return isinstance(me.state, Idle) and self.told.get(person, 0) <= self.trimmed

    def _take(self, people: tuple[Participant, ...] | list[Participant]) -> None:
        for each in people:
            self.people[each.person] = each
            if isinstance(each.state, Chatting):
                self.open.add(each.state.chat)
                self.speakers.setdefault(each.state.chat, None)
            if not isinstance(each.state, Searching):
                self.anchors.pop((search_of(each.person), each.person), None)

    def _anchor(self, about: ChatId, person: PersonId, at: MessageRef) -> bool:
        """Set an anchor. Returns whether it was new."""
        if self._is_over(about, person) or (about, person) in self.anchors:
            return False
        self.anchors[about, person] = at
        return True

    def _will_tell(self, about: ChatId, person: PersonId) -> bool:
        """Whether the notice that brings an anchor is not sent yet."""
        return any(isinstance(each, Notice) and (each.to, each.anchors) == (person, about) for each in self.outbox)

    def _is_over(self, about: ChatId, person: PersonId) -> bool:
        """Whether a chat or a person's search is over."""
        me = self.people.get(person)
        searching = me is not None and isinstance(me.state, Searching) and about == search_of(person)
        return about not in self.open and not searching

    def _end(self, chat: ChatId) -> None:
        self.open.discard(chat)
        self.speakers.pop(chat, None)
        self.map = {key: value for key, value in self.map.items() if key[0] != chat}
        self.anchors = {key: value for key, value in self.anchors.items() if key[0] != chat}


def _talks(person: Participant) -> list[ChatId]:
    """The subject of a notice: somebody's chat or their search."""
    match person.state:
        case Chatting(chat=chat):
            return [chat]
        case Searching():
            return [search_of(person.person)]
        case _:
            return []
