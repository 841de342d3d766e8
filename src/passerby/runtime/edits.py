"""What messages say that were edited while they waited for their sender's word.

With the press of a button Telegram brings the message that it is about, and may bring it as it was when the button was
made. What an edit said is remembered here, so that it is that which goes: in memory, for content is not stored, and of
the latest few. Where this process has not seen the edit, the decider finds by its time that the text is an older one,
and asks again.
"""

import msgspec

from passerby.kernel.event import ButtonPressed, Event, MessageEdited
from passerby.kernel.ids import MessageRef

MOST = 500


class Edits:
    def __init__(self) -> None:
        self._newest: dict[MessageRef, MessageEdited] = {}

    def note(self, edit: MessageEdited) -> None:
        """Remember what a message says by now."""
        at = MessageRef(edit.bot, edit.message)
        self._newest.pop(at, None)
        if len(self._newest) >= MOST:
            del self._newest[next(iter(self._newest))]
        self._newest[at] = edit

    def as_edited(self, event: Event) -> Event:
        """The event; of a press, about the message as its sender sees it."""
        if not isinstance(event, ButtonPressed) or event.subject is None:
            return event
        subject = event.subject
        edit = self._newest.get(MessageRef(subject.bot, subject.messages[0]))
        if edit is None or edit.person != subject.person or edit.edited_at <= subject.edited_at:
            return event
        newer = msgspec.structs.replace(subject, contents=(edit.content,), edited_at=edit.edited_at)
        return msgspec.structs.replace(event, subject=newer)
