"""What a live store is, as simply as it can be said: dictionaries, no log, no expiry, no efficiency."""

from dataclasses import dataclass, field

from passerby.kernel.decision import Counterpart, Facts
from passerby.kernel.ids import NOWHERE, BotId, ChatId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.ports.facts import Fact
from passerby.ports.live_store import Commit, Committed, Mark, Outgoing, TicketChange


@dataclass
class Model:
    people: dict[PersonId, Participant] = field(default_factory=dict)
    done: set[UpdateRef] = field(default_factory=set)
    outbox: list[Outgoing] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    trimmed: int = 0
    told: dict[PersonId, int] = field(default_factory=dict)
    """The number of the fact that tells the records of a person's newest value."""
    open: set[ChatId] = field(default_factory=set)
    map: dict[tuple[ChatId, MessageRef], Counterpart] = field(default_factory=dict)
    anchors: dict[tuple[ChatId, PersonId], MessageRef] = field(default_factory=dict)
    files: dict[tuple[str, BotId], str] = field(default_factory=dict)

    def commit(self, commit: Commit) -> Committed:
        if commit.updates and set(commit.updates) <= self.done:
            return Committed.ALREADY_DONE
        for put in commit.puts:
            held = self.people.get(put.person)
            if put.version != (held.version if held else 0) + 1:
                return Committed.STALE
        for chat in commit.ended:
            self._end(chat)
        self._take(commit.puts)
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
                self.map[mark.chat, pair.source] = Counterpart(pair.copy, True, pair.print)
                self.map[mark.chat, pair.copy] = Counterpart(pair.source, False)
        if mark.anchor is not None and mark.anchor.chat in self.open:
            self.anchors.setdefault((mark.anchor.chat, mark.anchor.person), mark.anchor.at)

    def adopt(self, people: list[Participant]) -> None:
        strangers = [each for each in people if each.person not in self.people]
        self._take(strangers)
        for each in strangers:
            if isinstance(each.state, Chatting):
                self.anchors.setdefault((each.state.chat, each.person), NOWHERE)

    def facts_of(self, person: PersonId, about: MessageRef) -> Facts | None:
        me = self.people.get(person)
        if me is None or not isinstance(me.state, Chatting):
            return Facts(me) if me else None
        chat = me.state.chat
        partner = self.people.get(me.state.partner)
        return Facts(me, partner, self.map.get((chat, about)), self.anchors.get((chat, person)))

    def tickets(self) -> dict[PersonId, TicketChange]:
        return {
            person: TicketChange(person, each.state.ticket, each.version)
            for person, each in self.people.items()
            if isinstance(each.state, Searching)
        }

    def may_vanish(self, person: PersonId) -> bool:
        """Idle, and the records hold what they are."""
        me = self.people[person]
        return isinstance(me.state, Idle) and self.told.get(person, 0) <= self.trimmed

    def _take(self, people: tuple[Participant, ...] | list[Participant]) -> None:
        for each in people:
            self.people[each.person] = each
            if isinstance(each.state, Chatting):
                self.open.add(each.state.chat)

    def _end(self, chat: ChatId) -> None:
        self.open.discard(chat)
        self.map = {key: value for key, value in self.map.items() if key[0] != chat}
        self.anchors = {key: value for key, value in self.anchors.items() if key[0] != chat}
