"""Notes what people do in their first messages, for the watch for farms, and when they have written enough for a real
chat.

This runs on the way of every message, so it does next to nothing: one look-up for a message that is not among the first
of its side. Words stay in a short queue in memory until the watch hashes them, within seconds.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from passerby.domain.farms.conduct import CUT_S, DROPPED_S, LISTENED_TO, LIVELY, Disliked, Ended, Note, Pressed, Wrote
from passerby.domain.farms.hello import HELLO
from passerby.domain.journeys import is_open
from passerby.kernel.content import Kind
from passerby.kernel.decision import Decision, Facts
from passerby.kernel.effect import Relay, Say
from passerby.kernel.event import Event, MessageEdited, MessageReceived, ReactionChanged, WroteEnough
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.opinion import Block, Complain, Rate
from passerby.kernel.participant import Chatting, Participant, Rating

MOST_SIDES: Final = 50_000
"""The sides of chats that are followed. If there are more, the oldest are forgotten, and start over."""
MOST_NOTES: Final = 20_000
"""If the watch does not come for them, the oldest are dropped."""

_WITHHELD: Final = frozenset(
    {
        *("chat.confirm_name", "chat.confirm_link", "chat.confirm_email", "chat.confirm_phone", "chat.confirm_unread"),
        *("chat.held", "chat.links_off"),
    }
)
"""Answers to a message for the partner that is not passed on, or not yet."""

_LONG: Final = 16
_HINT: Final = re.compile(r"[\d@./_:]")
"""Later messages are noted only if they are this long, or have a sign that addresses have. Most are short and have
none."""

_SIGNS: Final = {
    Kind.STICKER: LIVELY["sticker"],
    Kind.VOICE: LIVELY["voice"],
    Kind.VIDEO_NOTE: LIVELY["video_note"],
    Kind.PHOTO: LIVELY["photo"],
}


class _Side:
    """One person in one chat. Times are in Unix seconds, by our clock."""

    __slots__ = ("chat", "first_at", "last_at", "relayed", "written")

    def __init__(self, chat: ChatId, at: float) -> None:
        self.chat = chat
        self.written = 0
        self.relayed = 0
        self.first_at = at
        self.last_at = at


def _matters(facts: Facts) -> bool:
    """Whether a real chat would still change something for one of the two."""
    return is_open(facts.me) or (facts.partner is not None and is_open(facts.partner))


class ConductNotes:
    """`wrote` is called when somebody has written `enough` messages in a chat, at most LISTENED_TO, if that matters."""

    def __init__(self, enough: int = LISTENED_TO, wrote: Callable[[WroteEnough], None] = lambda event: None) -> None:
        self._enough = enough
        self._wrote = wrote
        self._sides: dict[PersonId, _Side] = {}
        self._notes: deque[Note] = deque(maxlen=MOST_NOTES)

    def take(self) -> list[Note]:
        """The notes since the last call."""
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def decided(self, event: Event, facts: Facts, decision: Decision, now: float) -> None:
        """Note what a stored decision tells about its people."""
        state = facts.me.state
        if isinstance(state, Chatting):
            side = self._sides.get(facts.me.person)
            if side is None or side.chat != state.chat or side.written < LISTENED_TO:
                self._spoke(event, facts, state, side, decision, now)
        if decision.changes:
            self._parted(facts, decision.changes, now)
        for opinion in decision.opinions:
            match opinion:
                case Block(whom=whom, blocked=True) | Complain(whom=whom):
                    self._notes.append(Disliked(whom, now))
                case Rate(rating=Rating.BAD) if facts.me.last is not None:
                    self._notes.append(Disliked(facts.me.last.partner, now))

    def _spoke(
        self, event: Event, facts: Facts, state: Chatting, side: _Side | None, decision: Decision, now: float
    ) -> None:
        if not isinstance(event, MessageReceived):
            if isinstance(event, MessageEdited | ReactionChanged):
                sign = LIVELY["edit" if isinstance(event, MessageEdited) else "reaction"]
                self._notes.append(Pressed(event.person, now, sign))
            return
        passed_on = next((effect for effect in decision.effects if isinstance(effect, Relay)), None)
        is_relayed = passed_on is not None
        if not is_relayed and not any(
            isinstance(effect, Say) and effect.text.key in _WITHHELD for effect in decision.effects
        ):
            return  # a command, or something else that was not for the partner
        me = event.person
        if side is None or side.chat != state.chat:
            if len(self._sides) >= MOST_SIDES:
                del self._sides[next(iter(self._sides))]
            self._sides.pop(me, None)
            side = self._sides[me] = _Side(state.chat, now)
        gap_s: float | None = None
        partner = self._sides.get(state.partner)
        heard = partner is not None and partner.chat == state.chat
        if side.written == 0:
            gap_s = now - state.opened_at
        elif partner is not None and heard and partner.last_at > side.last_at:
            gap_s = now - partner.last_at
        lively = _SIGNS.get(event.contents[0].kind, 0) | (LIVELY["reply"] if event.reply_to is not None else 0)
        if passed_on is not None and passed_on.contents[0].text == HELLO:
            lively |= LIVELY["wave"]
        words = "\n".join(content.text for content in event.contents if content.text)
        if side.written == 0 or lively or len(words) >= _LONG or _HINT.search(words) is not None:
            opens = side.written == 0 and not heard
            self._notes.append(Wrote(me, state.chat, now, side.written, gap_s, words, lively, opens))
        side.written += 1
        side.last_at = now
        side.relayed += is_relayed
        if is_relayed and side.relayed == self._enough and _matters(facts):
            self._wrote(WroteEnough(me, event.bot, state.chat))

    def _parted(self, facts: Facts, changes: Iterable[Participant], now: float) -> None:
        """Note the chats that these changes end, for the sides that have written something."""
        before: Mapping[PersonId, Participant] = {
            each.person: each for each in (facts.me, facts.partner) if each is not None
        }
        for after in changes:
            was = before.get(after.person)
            if was is None or not isinstance(was.state, Chatting):
                continue
            if isinstance(after.state, Chatting) and after.state.chat == was.state.chat:
                continue
            side = self._sides.pop(after.person, None)
            if side is not None and side.chat == was.state.chat:
                left = after.last is not None and after.last.left
                cut, dropped = now - side.first_at < CUT_S, now - side.last_at < DROPPED_S
                self._notes.append(Ended(after.person, now, not left and cut, not left and dropped))
