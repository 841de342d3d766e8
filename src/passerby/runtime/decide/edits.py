"""Remembers the newest text of held messages that were edited while they waited for their sender.

When a button is pressed, Telegram sends the message that it is about, perhaps as it was when the button was made. So
the newest edits are remembered here, and the edited message is the one that is passed on. They are kept in memory,
because content is not stored, and only the latest few. If this process has not seen an edit, the decider sees from the
edit's time that the text is older, and asks again.
"""

import msgspec

from passerby.kernel.event import ButtonPressed, Event, MessageEdited
from passerby.kernel.ids import MessageRef

MOST = 500


class Edits:
    def __init__(self) -> None:
        self._newest: dict[MessageRef, MessageEdited] = {}

    def note(self, edit: MessageEdited) -> None:
        """Remember the message as it is after this edit."""
        at = MessageRef(edit.bot, edit.message)
        self._newest.pop(at, None)
        if len(self._newest) >= MOST:
            del self._newest[next(iter(self._newest))]
        self._newest[at] = edit

    def as_edited(self, event: Event) -> Event:
        """The event. A press gets the message as its sender sees it now."""
        if type(event) is not ButtonPressed or event.subject is None:
            return event
        subject = event.subject
        edit = self._newest.get(MessageRef(subject.bot, subject.messages[0]))
        if edit is None or edit.person != subject.person or edit.edited_at <= subject.edited_at:
            return event
        newer = msgspec.structs.replace(subject, contents=(edit.content,), edited_at=edit.edited_at)
        return msgspec.structs.replace(event, subject=newer)
