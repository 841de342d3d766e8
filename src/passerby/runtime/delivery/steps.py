"""A relay effect that takes several sends: long words that follow their file, or an album that has to be split.

`Steps` are sent one after the other, in the order of the original. A refused step does not affect the others: an album
is halved until only the refused items are left out, a caption that is too long moves out of its file's message, long
text is cut into shorter messages. After each step the message map names what has arrived, so another process that takes
over sends only the rest.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from passerby.domain.fingerprint import Prints
from passerby.domain.pieces import LEAST, USUAL, Limits, cut_words, groups, pieces
from passerby.kernel.content import Content
from passerby.kernel.decision import Counterpart
from passerby.kernel.effect import Relay, RelayEdit
from passerby.kernel.event import Refusal
from passerby.kernel.ids import MessageId, MessageRef
from passerby.ports.message_map import Copied
from passerby.ports.telegram import DeleteMessages, EditContent, OutgoingCall, SendContent

FOR_ALL = frozenset({Refusal.UNREACHABLE, Refusal.BOT_LOST})
"""Refusals that concern the recipient, not the content: smaller pieces would be refused as well."""


class Steps(Protocol):
    def next(self) -> OutgoingCall | None:
        """Return the next call; None at the end."""
        ...

    def took(self, messages: tuple[MessageId, ...]) -> None:
        """Note that the current step has arrived, as these messages."""
        ...

    def refused(self, refusal: Refusal) -> None:
        """Note that the current step was refused and will not arrive."""
        ...

    def give_up(self, refusal: Refusal) -> None:
        """Stop: nothing more can be sent."""
        ...

    @property
    def copied(self) -> tuple[Copied, ...]:
        """The copies that the partner has so far."""
        ...

    @property
    def failed(self) -> Mapping[MessageId, Refusal]:
        """The sender's messages that did not arrive, or arrived in part."""
        ...


class _Send(msgspec.Struct, frozen=True):
    """Messages to send in one call: the places of their originals."""

    places: tuple[int, ...]


class _Follow(msgspec.Struct, frozen=True):
    """Words that follow the message at this place."""

    place: int
    words: Content
    most: int


class RelaySteps:
    """`whole` is the relay as one send; `arrived` are the copies that an earlier attempt delivered, by place."""

    def __init__(self, relay: Relay, whole: SendContent, arrived: Mapping[int, Counterpart], prints: Prints) -> None:
        self._whole = whole
        self._prints = prints
        self._relay = relay
        self._heads = {place: found.at.message for place, found in arrived.items()}
        self._rests = {place: list(found.rest) for place, found in arrived.items()}
        self._limits = dict.fromkeys(range(len(relay.contents)), USUAL)
        self._failed: dict[int, Refusal] = {}
        self._left: deque[_Send | _Follow] = deque()
        for group in groups(relay.contents):
            missing = tuple(place for place in group if place not in self._heads)
            if missing:
                self._left.append(_Send(missing))
            for place in group:
                self._left.extend(self._followers(place)[len(self._rests.get(place, ())) :])

    @property
    def alone(self) -> bool:
        """Whether all of it fits into one send."""
        return not self._heads and len(self._left) == 1

    def next(self) -> OutgoingCall | None:
        while self._left:
            step = self._left[0]
            if isinstance(step, _Send):
                return self._content_call(step.places)
            if step.place in self._heads:
                return self._words(step)
            self._left.popleft()  # words of a message that did not arrive
        return None

    def took(self, messages: tuple[MessageId, ...]) -> None:
        step = self._left.popleft()
        if isinstance(step, _Send):
            self._heads |= zip(step.places, messages, strict=False)
        else:
            self._rests.setdefault(step.place, []).extend(messages)

    def refused(self, refusal: Refusal) -> None:
        step = self._left.popleft()
        if isinstance(step, _Follow):
            if not self._cut_shorter(step, refusal):
                self._failed.setdefault(step.place, refusal)
                self._drop_followers(step.place)
            return
        if refusal is Refusal.UNCERTAIN:  # it may have arrived already: in pieces it would arrive twice
            self._failed.update(dict.fromkeys(step.places, refusal))
            return
        if len(step.places) > 1:
            half = len(step.places) // 2
            self._left.extendleft((_Send(step.places[half:]), _Send(step.places[:half])))
            return
        (place,) = step.places
        narrower = self._narrower(place) if refusal is Refusal.TOO_LONG else None
        if narrower is None:
            self._failed[place] = refusal
            return
        self._limits[place] = narrower
        self._drop_followers(place)
        self._left.extendleft(reversed((step, *self._followers(place))))

    def give_up(self, refusal: Refusal) -> None:
        for step in self._left:
            for place in step.places if isinstance(step, _Send) else (step.place,):
                self._failed.setdefault(place, refusal)
        self._left.clear()

    @property
    def copied(self) -> tuple[Copied, ...]:
        relay, bot = self._relay, self._whole.bot
        return tuple(
            Copied(
                MessageRef(relay.source_bot, relay.sources[place]),
                MessageRef(bot, head),
                self._prints.of(relay.contents[place], relay.chat),
                tuple(self._rests.get(place, ())),
            )
            for place, head in sorted(self._heads.items())
        )

    @property
    def failed(self) -> Mapping[MessageId, Refusal]:
        return {self._relay.sources[place]: refusal for place, refusal in sorted(self._failed.items())}

    def _drop_followers(self, place: int) -> None:
        """Drop the rest of some words. Words with a gap could mean something else."""
        self._left = deque(each for each in self._left if not (isinstance(each, _Follow) and each.place == place))

    def _followers(self, place: int) -> list[_Follow]:
        limits = self._limits[place]
        return [_Follow(place, words, limits.text) for words in pieces(self._relay.contents[place], limits)[1:]]

    def _content_call(self, places: Sequence[int]) -> SendContent:
        relay = self._relay
        content_call = msgspec.structs.replace(
            self._whole,
            sources=tuple(relay.sources[place] for place in places),
            contents=tuple(pieces(relay.contents[place], self._limits[place])[0] for place in places),
        )
        return _unanswering(content_call) if self._heads else content_call

    def _words(self, step: _Follow) -> SendContent:
        follow = msgspec.structs.replace(
            _unanswering(self._whole),
            sources=(self._relay.sources[step.place],),
            contents=(step.words,),
            copyable=False,
        )
        return msgspec.structs.replace(follow, reply_to=self._heads[step.place])

    def _cut_shorter(self, step: _Follow, refusal: Refusal) -> bool:
        most = step.most // 2
        if refusal is not Refusal.TOO_LONG or most < LEAST:
            return False
        cut = cut_words(step.words.text, step.words.entities, most)
        shorter = [
            _Follow(step.place, msgspec.structs.replace(step.words, text=words, entities=kept), most)
            for words, kept in cut
        ]
        self._left.extendleft(reversed(shorter))
        return True

    def _narrower(self, place: int) -> Limits | None:
        """Return tighter limits, so that fewer words go with the message itself; None if that is not possible."""
        content, limits = self._relay.contents[place], self._limits[place]
        most = limits.of(content)
        if most is None or most == 0 or not content.text:
            return None
        if content.file is not None:
            return msgspec.structs.replace(limits, caption=0)
        shorter = min(most, len(content.text)) // 2
        return msgspec.structs.replace(limits, text=shorter) if shorter >= LEAST else None


class _Delete(msgspec.Struct, frozen=True):
    messages: tuple[MessageId, ...]


class _Say(msgspec.Struct, frozen=True):
    """Words for a follow-up piece, at this place after the first one; a new message if there is no such piece yet."""

    place: int
    words: Content


class EditSteps:
    """An edit of a message whose copy has, or will have, several pieces. Each piece gets its share of the new words."""

    def __init__(self, relay_edit: RelayEdit, copy: Counterpart, prints: Prints, limits: Limits = USUAL) -> None:
        self._prints = prints
        self._relay_edit = relay_edit
        self._copy = copy
        self._limits = limits
        self._rest = list(copy.rest)
        self._refusal: Refusal | None = None
        self._begun = False
        self._plan()

    def _plan(self) -> None:
        content = self._relay_edit.content
        head, *words = pieces(content, self._limits)
        same = self._prints.fits_body(self._copy.print, content, self._relay_edit.chat)
        self._left: deque[EditContent | _Say | _Delete] = deque()
        if not (same and self._rest and words and content.file is not None):  # else the file has no words, as before
            self._left.append(self._edit(self._copy.at.message, head, words_only=same))
        self._left.extend(_Say(place, each) for place, each in enumerate(words))
        if gone := tuple(self._rest[len(words) :]):
            self._left.append(_Delete(gone))

    def next(self) -> OutgoingCall | None:
        if not self._left:
            return None
        step, to, bot = self._left[0], self._relay_edit.to, self._copy.at.bot
        match step:
            case EditContent():
                return step
            case _Delete(messages):
                return DeleteMessages(bot, to, messages)
            case _Say(place, words):
                if place < len(self._rest):
                    return self._edit(self._rest[place], words, words_only=True)
                source = self._relay_edit.source
                head = self._copy.at.message
                return SendContent(
                    bot,
                    to,
                    source.bot,
                    self._relay_edit.sender,
                    (source.message,),
                    (words,),
                    reply_to=head,
                    thread=self._relay_edit.thread,
                )

    def took(self, messages: tuple[MessageId, ...]) -> None:
        self._begun = True
        match self._left.popleft():
            case _Delete(gone):
                self._rest = [each for each in self._rest if each not in gone]
            case _Say(place) if place >= len(self._rest):
                self._rest.extend(messages)

    def refused(self, refusal: Refusal) -> None:
        step = self._left.popleft()
        if isinstance(step, EditContent) and refusal is Refusal.TOO_LONG and self._limits.caption:
            self._limits = Limits(caption=0)
            self._plan()
            return
        self._refusal = self._refusal or refusal
        if isinstance(step, EditContent):
            self._left.clear()

    def give_up(self, refusal: Refusal) -> None:
        self._refusal = self._refusal or refusal
        self._left.clear()

    @property
    def copied(self) -> tuple[Copied, ...]:
        shows = self._copy.print
        if self._refusal is None and not self._left:
            shows = self._prints.of(self._relay_edit.content, self._relay_edit.chat)
        elif self._begun:
            shows = self._prints.half_done(shows)
        return (Copied(self._relay_edit.source, self._copy.at, shows, tuple(self._rest)),)

    @property
    def failed(self) -> Mapping[MessageId, Refusal]:
        return {self._relay_edit.source.message: self._refusal} if self._refusal is not None else {}

    def _edit(self, message: MessageId, content: Content, *, words_only: bool) -> EditContent:
        relay_edit = self._relay_edit
        return EditContent(
            self._copy.at.bot, relay_edit.to, message, relay_edit.source.bot, relay_edit.sender, content, words_only
        )


def _unanswering(content_call: SendContent) -> SendContent:
    """Return the call without the reply: only the first send replies."""
    return msgspec.structs.replace(content_call, reply_to=None, quote=None, quote_position=0, quote_entities=())
