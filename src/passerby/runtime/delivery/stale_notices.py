"""Corrects notices that were decided on in an earlier generation of the store.

The new generation may not have a decision that was made just before, but its notices may still be on their way. A
person who is told "you are in a chat" but is in none would write to nobody. A person who is told "your partner left"
after a new one was found would leave the new partner. So we compare the state that a notice's keyboard shows with the
reader's state. If they differ:

- An answer to one message stays an answer to it. It says only what became of the message.
- A text that says where its reader stands is replaced by one about their real state. They are told that once, however
  many such notices wait for them.
- All other texts stay as they are. Only their keyboard changes.

There is one exception: an earlier state that is over, if the notice of the present state is still to come. Then both
come in the right order, and without the first one nobody would tell the person that their last chat is over.

A notice whose entry is settled is not sent: a repair has replaced it by its own. A notice about a search that is over
is not sent either, if another notice is still to come.
"""

import msgspec

from passerby.dialogue.keyboards import keys_for, state_of
from passerby.dialogue.states import NOW, UNSENT, tells_state
from passerby.kernel.decision import Facts
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Chatting, Idle, State
from passerby.kernel.text import text
from passerby.ports.live_store import LiveStore
from passerby.ports.outbox import Notice
from passerby.runtime.delivery.passing_notices import search_is_over


def as_things_stand(notice: Notice, facts: Facts) -> Notice:
    """Return the notice if it fits its reader's state or says nothing about it; otherwise one that does."""
    says, state = state_of(notice.keyboard), facts.me.state
    if says is None or (says is type(state) and not _of_another_chat(notice, state)):
        return notice
    if not tells_state(notice.text.key):
        return msgspec.structs.replace(notice, keyboard=keys_for(state))
    if notice.reply_to is not None:
        return msgspec.structs.replace(notice, text=text(UNSENT[type(state)]), keyboard=keys_for(state))
    is_told = facts.anchor is not None or isinstance(state, Idle)
    if not is_told and says is not Chatting:
        return notice
    return msgspec.structs.replace(notice, text=text(NOW[type(state)]), keyboard=keys_for(state), anchors=None)


def _of_another_chat(notice: Notice, state: State) -> bool:
    return notice.anchors is not None and isinstance(state, Chatting) and notice.anchors != state.chat


class Corrections:
    """Remembers which readers were told their real state, for as long as a generation lasts."""

    def __init__(self, store: LiveStore) -> None:
        self._store = store
        self._generation = ""
        self._told: dict[tuple[PersonId, str], str] = {}

    async def correct(self, notice: Notice, *, is_stored: bool) -> tuple[Notice | None, Facts | None]:
        """Return the notice as it may be sent, and its reader; None instead of the notice if nobody needs it any more.

        `is_stored`: its entry was in the store when this generation was repaired. Raises: LiveStoreLost.
        """
        generation = self._store.generation
        facts = await self._store.load(notice.to)
        if is_stored and notice.id not in await self._store.owners_of((notice.id,)):
            return None, facts
        if facts is None:
            return notice, None
        corrected = as_things_stand(notice, facts)
        if corrected.text == notice.text and search_is_over(notice, facts):
            return None, facts
        if corrected.text == notice.text or corrected.reply_to is not None:
            return corrected, facts
        if generation != self._generation:
            self._generation = generation
            self._told.clear()
        first = self._told.setdefault((notice.to, corrected.text.key), notice.id)
        return corrected if first == notice.id else None, facts
