"""The outbox: what is not sent yet. Every entry has an owner, and keeps its place when it changes hands."""

from collections.abc import Callable, Iterable

import msgspec

from passerby.kernel.ids import ChatId, PersonId
from passerby.ports.leases import WorkerId
from passerby.ports.outbox import Notice, Outgoing


class Kept(msgspec.Struct):
    outgoing: Outgoing
    owner: WorkerId


class OutboxEntries:
    def __init__(self) -> None:
        self._entries: dict[str, Kept] = {}  # the oldest first, here and for each person
        self._of_person: dict[PersonId, dict[str, Kept]] = {}
        self._of_owner: dict[WorkerId, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, outgoing: Outgoing, owner: WorkerId) -> None:
        self.settle(outgoing.id)
        kept = self._entries[outgoing.id] = Kept(outgoing, owner)
        self._of_person.setdefault(outgoing.to, {})[outgoing.id] = kept
        self._of_owner[owner] = self._of_owner.get(owner, 0) + 1

    def settle(self, entry: str) -> None:
        kept = self._entries.pop(entry, None)
        if kept is None:
            return
        theirs = self._of_person[kept.outgoing.to]
        del theirs[entry]
        if not theirs:
            del self._of_person[kept.outgoing.to]
        self._count_down(kept.owner)

    def of(self, owner: WorkerId) -> list[Outgoing]:
        if owner not in self._of_owner:
            return []
        return [kept.outgoing for kept in self._entries.values() if kept.owner == owner]

    def owners_of(self, entries: Iterable[str]) -> dict[str, WorkerId]:
        return {entry: self._entries[entry].owner for entry in entries if entry in self._entries}

    def owners(self, which: Callable[[WorkerId], bool]) -> list[WorkerId]:
        """The owners of entries for whom `which` is true."""
        return [owner for owner in self._of_owner if which(owner)]

    def hand_over(self, owners: Iterable[WorkerId], heir: WorkerId) -> list[Outgoing]:
        """Give the heir all entries of these owners. Returns them, oldest first."""
        from_whom = set(owners)
        inherited = []
        for kept in self._entries.values():
            if kept.owner in from_whom:
                kept.owner = heir
                inherited.append(kept.outgoing)
        for owner in from_whom:
            self._of_owner.pop(owner, None)
        if inherited:
            self._of_owner[heir] = self._of_owner.get(heir, 0) + len(inherited)
        return inherited

    def is_preceded(self, entry: str) -> bool:
        kept = self._entries.get(entry)
        if kept is None:
            return False
        for other in self._of_person[kept.outgoing.to].values():
            if other is kept:
                return False
            passable = isinstance(other.outgoing, Notice) and other.outgoing.lets_others_pass
            if other.owner != kept.owner and other.outgoing.bot == kept.outgoing.bot and not passable:
                return True
        raise AssertionError("an entry is among those for its person")

    def addressed_to(self, person: PersonId) -> list[Outgoing]:
        return [kept.outgoing for kept in self._of_person.get(person, {}).values()]

    def will_tell(self, chat: ChatId, person: PersonId) -> bool:
        """Whether the notice that tells a person about a chat is not sent yet."""
        theirs = self._of_person.get(person, {}).values()
        return any(isinstance(kept.outgoing, Notice) and kept.outgoing.anchors == chat for kept in theirs)

    def dump(self) -> list[tuple[WorkerId, Outgoing]]:
        return [(kept.owner, kept.outgoing) for kept in self._entries.values()]

    def restore(self, entries: Iterable[tuple[WorkerId, Outgoing]]) -> None:
        for owner, outgoing in entries:
            self.put(outgoing, owner)

    def _count_down(self, owner: WorkerId) -> None:
        left = self._of_owner[owner] - 1
        if left:
            self._of_owner[owner] = left
        else:
            del self._of_owner[owner]
