"""Decides what to do if the live store and the records hold different values for the same person.

Each change of a person has the next version number, and the journal carries it from the live store to the records. So
three situations are normal: both hold the same value; the live store is ahead and the journal still has the rest; or
the live store has dropped an idle person. Everything else means that one of the two has lost something:

- *The live store is older* (a damaged log, a Redis that was restored from an old file, an old primary). It may also
  have lost the newest writes, which the records never received. So every chat is *in doubt*, not only the ones with a
  difference.
- *The records are older* (a restored or deleted database). The live store is right; only people who differ are in
  doubt.

A person in doubt leaves their chat or search, and so does everybody who was in a chat with them according to either
store. All of them are told. No message is passed on while its chat is in doubt. The newest profile counts. A block is
kept if either store has it.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple

import msgspec

from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Idle, LastChat, Met, Participant, Searching

RECENT_KEPT = 10
REASON = "lost"
"""The reason that the records give for the end of these chats."""


class View(NamedTuple):
    """One person as the two stores hold them. `is_carried`: the journal has brought the live value to the records."""

    live: Participant | None
    recorded: Participant | None
    is_carried: bool = False

    @property
    def values(self) -> Iterator[Participant]:
        return (each for each in (self.live, self.recorded) if each is not None)

    @property
    def newest(self) -> Participant:
        return max(self.values, key=lambda each: each.version)

    @property
    def is_busy(self) -> bool:
        """Whether the person is searching or chatting according to either store."""
        return any(not isinstance(each.state, Idle) for each in self.values)

    @property
    def is_still_busy(self) -> bool:
        """Whether the person is searching or chatting according to the store that knows more. A repair that the journal
        has not carried yet leaves somebody busy only in the records."""
        return not isinstance(self.newest.state, Idle)

    @property
    def chats(self) -> dict[ChatId, PersonId]:
        """The chats that the person is in according to either store, and the partner in each."""
        return {each.state.chat: each.state.partner for each in self.values if isinstance(each.state, Chatting)}


class Difference(Enum):
    NONE = auto()
    LIVE_IS_OLDER = auto()
    RECORDS_ARE_OLDER = auto()


def compare(view: View) -> Difference:
    """Which store has lost something, judged by this person alone."""
    live, recorded = view.live, view.recorded
    if live is None:
        return Difference.LIVE_IS_OLDER if view.is_busy else Difference.NONE
    if live.is_blank and (recorded is None or recorded.is_blank):
        return Difference.NONE  # their data was erased
    held = recorded.version if recorded is not None else 0
    if live.version > held:
        return Difference.RECORDS_ARE_OLDER if view.is_carried else Difference.NONE
    if live.version < held or recorded is None or _place(live) != _place(recorded):
        return Difference.LIVE_IS_OLDER
    return Difference.NONE


def _place(person: Participant) -> tuple[object, ...]:
    match person.state:
        case Chatting(chat=chat, partner=partner):
            return chat, partner
        case Searching(ticket=ticket):
            return (ticket.pool,)
        case _:
            return ()


def one_sided(views: Mapping[PersonId, View]) -> set[PersonId]:
    """The people in a chat that their partner is not in, according to the newest value of each.

    One side of a chat is lost if the records of one person cannot be read when a live store is rebuilt.
    """
    found = set[PersonId]()
    for person, view in views.items():
        state = view.newest.state
        if isinstance(state, Chatting) and view.live is not None:
            other = views.get(state.partner)
            theirs = other.newest.state if other is not None else None
            if not isinstance(theirs, Chatting) or (theirs.chat, theirs.partner) != (state.chat, person):
                found.add(person)
    return found


def in_doubt(views: Mapping[PersonId, View], doubtful: Iterable[PersonId]) -> list[set[PersonId]]:
    """The people in doubt, and their partners according to either store, in groups that change in one commit."""
    linked: dict[PersonId, set[PersonId]] = {}
    for person, view in views.items():
        for partner in view.chats.values():
            linked.setdefault(person, set()).add(partner)
            linked.setdefault(partner, set()).add(person)
    groups: list[set[PersonId]] = []
    seen: set[PersonId] = set()
    for person in doubtful:
        group, waiting = set[PersonId](), [person]
        while waiting:
            each = waiting.pop()
            if each in views and each not in seen:
                seen.add(each)
                group.add(each)
                waiting += linked.get(each, ())
        if group:
            groups.append(group)
    return groups


def mend(view: View, now: float) -> Participant:
    """The value for both stores: in no chat and no search, with a version that is newer than both."""
    newest = view.newest
    blocked = dict.fromkeys((*newest.blocked, *(each for value in view.values for each in value.blocked)))
    last, recent = newest.last, newest.recent
    state = newest.state
    if isinstance(state, Chatting):
        last = LastChat(state.chat, state.partner, now, REASON, left=False)
        recent = (Met(state.partner, now, chat=state.chat), *recent)[:RECENT_KEPT]
    return msgspec.structs.replace(
        newest, version=newest.version + 1, state=Idle(), last=last, recent=recent, blocked=tuple(blocked)
    )
