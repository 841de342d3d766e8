"""Notices that tell their reader of a chat which has ended before they were sent.

"Partner found" may wait for some seconds: for a budget, for Telegram, or for a process that takes it over. If its chat
ends meanwhile, the store is asked right before the call is written:

- The notice of the end is behind it, in the same queue. Then both are sent in this order. Without the first one, its
  reader would hear that a partner has left of whom they never knew.
- Otherwise it is not sent. Its reader ended the chat by blocking the bot, so nobody tells them of the end. Or they have
  been told already: by a repair, or through another bot.

Only the reader's state decides, so it does not matter how the chat ended, or in which process.
"""

from passerby.dialogue.keyboards import state_of
from passerby.dialogue.states import tells_end
from passerby.kernel.decision import Facts
from passerby.kernel.participant import Chatting
from passerby.ports.live_store import LiveStore
from passerby.ports.outbox import Notice


def tells_of_ended_chat(notice: Notice, facts: Facts | None) -> bool:
    """Whether a notice says that a chat begins which its reader is not in any more. `facts` None: the live store does
    not have the reader."""
    if not _begins_chat(notice):
        return False
    state = facts.me.state if facts is not None else None
    return not (isinstance(state, Chatting) and state.chat == notice.anchors)


async def is_end_told_next(notice: Notice, store: LiveStore) -> bool:
    """Whether the notice of the end comes behind this one, through the same bot. Raises: LiveStoreLost."""
    entries = await store.addressed_to(notice.to)
    names = [each.id for each in entries]
    if notice.id not in names:
        return False
    for entry in entries[names.index(notice.id) + 1 :]:
        if not isinstance(entry, Notice) or entry.bot != notice.bot:
            continue
        if tells_end(entry.text.key):
            return True
        if _begins_chat(entry):
            return False
    return False


def _begins_chat(notice: Notice) -> bool:
    return notice.anchors is not None and state_of(notice.keyboard) is Chatting
