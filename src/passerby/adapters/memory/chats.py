"""The open chats: their message maps, their anchors, and when something was delivered last.

Also the anchors of searches. This table does not decide who chats with whom: a chat is open because a participant is
chatting in it, and `Chats.note` gets every participant's new value.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from passerby.kernel.decision import Counterpart
from passerby.kernel.ids import NOWHERE, ChatId, MessageRef, PersonId, search_of
from passerby.kernel.participant import Chatting, Idle, Participant, Searching
from passerby.ports.idle_chats import IdleChat
from passerby.ports.message_map import RECEIVED_S, Anchor, Copied
from passerby.ports.packed_pairs import MOST, SIZE, copies_in, found_in, is_among, packed

MAP_ROTATED_AFTER_S = 24 * 3600.0
"""Half the age that a pair of the message map may reach (48 h). Each rotation drops the older half."""

_KEPT: Final = MOST - MOST // 8
"""How many records stay if there are too many. Fewer than allowed, so that this happens seldom."""


class Chat(msgspec.Struct):
    """`young` and `old` are the message map, in two halves by age (see `ports.packed_pairs`). `word_at`: when something
    was delivered last. `anchors` is a tuple, because there are two at most, and a dictionary takes four times as much.
    """

    people: tuple[PersonId, PersonId]
    rotated_at: float
    word_at: float
    speaker: PersonId | None = None
    young: bytes | bytearray = b""
    old: bytes | bytearray = b""
    anchors: tuple[tuple[PersonId, MessageRef], ...] = ()

    def rotate(self, now: float) -> None:
        """Drop what is too old. In steps from the chat's beginning, so that a replay gives the same result."""
        while now - self.rotated_at >= MAP_ROTATED_AFTER_S:
            self.old, self.young, self.rotated_at = self.young, b"", self.rotated_at + MAP_ROTATED_AFTER_S

    def remember(self, pairs: Iterable[Copied]) -> None:
        young = self.young
        if not isinstance(young, bytearray):
            young = self.young = bytearray(young)
        for pair in pairs:
            young += packed(pair)
        if len(young) > MOST * SIZE:
            del young[: len(young) - _KEPT * SIZE]

    def find(self, about: MessageRef) -> Counterpart | None:
        return found_in(self.young, about) or found_in(self.old, about)

    def anchor_of(self, person: PersonId) -> MessageRef | None:
        for each, at in self.anchors:
            if each == person:
                return at
        return None

    def set_anchor(self, person: PersonId, at: MessageRef) -> bool:
        """Return False if the person had one."""
        if self.anchor_of(person) is not None:
            return False
        self.anchors = (*self.anchors, (person, at))
        return True


class FlatChat(msgspec.Struct, frozen=True, array_like=True):
    """A chat as it is stored in a snapshot."""

    id: ChatId
    people: tuple[PersonId, PersonId]
    rotated_at: float
    word_at: float
    speaker: PersonId | None
    young: bytes
    old: bytes
    anchors: tuple[tuple[PersonId, MessageRef], ...]


class Chats:
    def __init__(self) -> None:
        self.open: dict[ChatId, Chat] = {}
        """The open chats, in the order of their last deliveries."""
        self._searches: dict[PersonId, MessageRef | None] = {}
        self._over: dict[ChatId, tuple[float, bytes]] = {}  # when it ended, and what was received in it; oldest first

    def __len__(self) -> int:
        return len(self.open)

    def __contains__(self, chat: ChatId) -> bool:
        return chat in self.open

    def get(self, chat: ChatId) -> Chat | None:
        return self.open.get(chat)

    def search_anchor(self, person: PersonId) -> MessageRef | None:
        return self._searches.get(person)

    def note(self, person: Participant, at: float) -> None:
        """Take in a participant's new value. `at` in Unix seconds."""
        state = person.state
        if isinstance(state, Chatting) and state.chat not in self.open:
            self.open[state.chat] = Chat((person.person, state.partner), state.opened_at, at)
        if isinstance(state, Searching):
            self._searches.setdefault(person.person, None)
        else:
            self._searches.pop(person.person, None)

    def end(self, chat: ChatId, at: float) -> None:
        was = self.open.pop(chat, None)
        if was is None:
            return
        was.rotate(at)
        received = copies_in(was.old) + copies_in(was.young)
        if received:
            self._over[chat] = at, received

    def received_in(self, chats: Iterable[ChatId], about: MessageRef, now: float) -> ChatId | None:
        for chat in chats:
            at, received = self._over.get(chat, (0.0, b""))
            if now - at < RECEIVED_S and is_among(received, about):
                return chat
        return None

    def anchor(self, anchor: Anchor) -> bool:
        """Remember the notice that told somebody about a chat or search. False: it is over, or they knew before."""
        chat, person = self.open.get(anchor.chat), anchor.person
        if chat is not None:
            return chat.set_anchor(person, anchor.at)
        if anchor.chat == search_of(person) and person in self._searches and self._searches[person] is None:
            self._searches[person] = anchor.at
            return True
        return False

    def is_told(self, chat: ChatId, person: PersonId) -> bool:
        """Whether the person was told about the chat or search, as far as is known, or it is over."""
        found = self.open.get(chat)
        if found is not None:
            return found.anchor_of(person) is not None
        return chat != search_of(person) or self._searches.get(person, NOWHERE) is not None

    def welcome(
        self,
        people: Iterable[Participant],
        anchors: Iterable[Anchor],
        will_tell: Callable[[ChatId, PersonId], bool],
    ) -> None:
        """Set the anchors of people from the records, as far as the records know them. Call `note` first.

        `will_tell`: whether the notice that tells a person about a chat or search is unsent. It brings the anchor.
        """
        known = {(anchor.chat, anchor.person): anchor.at for anchor in anchors}
        for each in people:
            if isinstance(each.state, Idle):
                continue
            chat = each.state.chat if isinstance(each.state, Chatting) else search_of(each.person)
            if not will_tell(chat, each.person):
                self.anchor(Anchor(chat, each.person, known.get((chat, each.person), NOWHERE)))

    def hear(self, chat: ChatId, pairs: Iterable[Copied], speaker: PersonId | None, at: float) -> None:
        """Something was delivered: remember the pairs, and the speaker if it was a message."""
        found = self.open.get(chat)
        if found is None:
            return
        if pairs:
            if at - found.rotated_at >= MAP_ROTATED_AFTER_S:
                found.rotate(at)
            found.remember(pairs)
        if speaker is not None:
            found.word_at, found.speaker = at, speaker
            self.open[chat] = self.open.pop(chat)

    def idle(self, since: float, limit: int) -> Iterator[IdleChat]:
        for id_, chat in self.open.items():
            if limit <= 0 or chat.word_at > since:
                return
            yield IdleChat(id_, chat.people, chat.word_at, chat.speaker)
            limit -= 1

    def redate(self, by_s: float) -> None:
        for chat in self.open.values():
            chat.rotated_at += by_s
            chat.word_at += by_s
        self._over = {chat: (at + by_s, received) for chat, (at, received) in self._over.items()}

    def rotate(self, now: float) -> None:
        for over in [chat for chat, (at, _) in self._over.items() if now - at >= RECEIVED_S]:
            del self._over[over]
        for chat in self.open.values():
            chat.rotate(now)

    def dump_over(self) -> list[tuple[ChatId, float, bytes]]:
        return [(chat, at, received) for chat, (at, received) in self._over.items()]

    def restore_over(self, over: Iterable[tuple[ChatId, float, bytes]]) -> None:
        self._over = {chat: (at, received) for chat, at, received in over}

    def dump(self) -> tuple[list[FlatChat], list[tuple[PersonId, MessageRef]]]:
        chats = [
            FlatChat(
                id_,
                chat.people,
                chat.rotated_at,
                chat.word_at,
                chat.speaker,
                bytes(chat.young),
                bytes(chat.old),
                chat.anchors,
            )
            for id_, chat in self.open.items()
        ]
        return chats, [(person, at) for person, at in self._searches.items() if at is not None]

    def restore(self, chats: Iterable[FlatChat], searches: Iterable[tuple[PersonId, MessageRef]]) -> None:
        """Call `note` for everybody first."""
        self.open = {
            flat.id: Chat(flat.people, flat.rotated_at, flat.word_at, flat.speaker, flat.young, flat.old, flat.anchors)
            for flat in chats
        }
        self._searches.update(searches)
