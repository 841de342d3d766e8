"""The message map of a chat: which message is the copy of which, and which notice told each side about the chat.

Users: the courier, when it replies, edits and deletes, and when a send has finished.
"""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Final, Protocol

import msgspec

from passerby.kernel.decision import Counterpart
from passerby.kernel.ids import ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.ports.facts import Fact
from passerby.ports.leases import Fence

RECEIVED_S: Final = 26 * 3600.0
"""How long after a chat it is known which messages were copies. For a day, people can report the chat and choose some
of them as evidence; a queue may hold their choice for some time."""


class Anchor(msgspec.Struct, frozen=True, gc=False):
    """The notice that told a person about a chat has arrived. With `search_of` as the chat: about their search."""

    chat: ChatId
    person: PersonId
    at: MessageRef


class Copied(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A message and its copy on the other side. `print` is the fingerprint of what the copy shows.

    `rest`: the messages after `copy`, by the same bot, if the copy took several.
    """

    source: MessageRef
    copy: MessageRef
    print: int
    rest: tuple[MessageId, ...] = ()


class Mark(msgspec.Struct, frozen=True, gc=False, tag="mark", omit_defaults=True):
    """The results of a finished send: updates done, outbox entries settled, pairs for the message map of a chat.

    `facts` go into the journal if the anchor was new. `speaker` is the person whose message was delivered in the chat.
    """

    updates: tuple[UpdateRef, ...] = ()
    sent: tuple[str, ...] = ()
    chat: ChatId | None = None
    pairs: tuple[Copied, ...] = ()
    anchor: Anchor | None = None
    facts: tuple[Fact, ...] = ()
    speaker: PersonId | None = None
    fences: tuple[Fence, ...] = ()


class MessageMap(Protocol):
    async def counterpart(self, chat: ChatId, about: MessageRef) -> Counterpart | None:
        """The other side's message for `about`. None after 48 h, if the chat has ended, or if there is none."""
        ...

    async def received_in(self, chats: Sequence[ChatId], about: MessageRef) -> ChatId | None:
        """The one of these chats that ended within RECEIVED_S and in which `about` was the copy of a message.

        So a message that somebody chose to show us is proved to come from their partner in that chat.
        """
        ...

    def mark(self, mark: Mark) -> Awaitable[None]:
        """Returns when it is stored. Idempotent. A pair or an anchor for a chat that has ended is dropped.

        Raises: Fenced, if somebody else has taken one of the leases.
        """
        ...

    async def told(self, chat: ChatId, person: PersonId) -> bool:
        """Whether the notice about a chat has reached the person. Also true if it never will, or the chat is over."""
        ...

    async def open_chats(self, chats: Iterable[ChatId]) -> set[ChatId]:
        """The chats among these that are still open."""
        ...
