"""What is to be done, in the imperative. Effects are data: the shell carries them out after the decision has settled.

`Say`, `Revise` and `Owe` are durable: they enter the outbox in the same atomic commit as the change that caused them.
The relay effects (`Relay` and what follows a relayed message) are not: until they are delivered, Telegram still holds
the update that they came from. `Answer` and `Discard` are best effort: they may be lost.
"""

from enum import IntEnum

import msgspec

from passerby.kernel.content import Content, Entity
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.text import Text


class Priority(IntEnum):
    """Who goes first when a bot's budget is short; smaller first."""

    CHAT = 0
    MATCH = 1
    COMMAND = 2
    SYSTEM = 3
    BROADCAST = 4


class Button(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An inline button: `action` finds its decider, `token` says what it is about (opaque; a chat, say)."""

    label: Text
    action: str
    token: str = ""


class Menu(msgspec.Struct, frozen=True, gc=False, tag="menu"):
    """An inline keyboard, by rows."""

    rows: tuple[tuple[Button, ...], ...]


class Keys(msgspec.Struct, frozen=True, gc=False, tag="keys"):
    """A reply keyboard, by rows of text keys whose wording is also what pressing one sends. No rows: remove it."""

    rows: tuple[tuple[str, ...], ...] = ()


Keyboard = Menu | Keys


class Say(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Tell a person something.

    `anchors` marks the notice that opens a chat: what its reader wrote before it arrived was not meant for the partner.
    """

    to: PersonId
    text: Text
    keyboard: Keyboard | None = None
    reply_to: MessageId | None = None
    priority: Priority = Priority.COMMAND
    anchors: ChatId | None = None


class Revise(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Change a notice of ours in place: a menu that was pressed, say."""

    to: PersonId
    message: MessageId
    text: Text
    keyboard: Menu | None = None


class Owe(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Store a notice to be said later, under a name. A later one with the same name replaces it; it outlives the
    process."""

    to: PersonId
    name: str
    text: Text


class Answer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Stop the spinner of a pressed button, with a line for its presser or without."""

    query: str
    text: Text | None = None
    alert: bool = False


class Relay(msgspec.Struct, frozen=True, gc=False, tag="relay", omit_defaults=True):
    """Pass a message, or an album, on to the partner of the chat that it was written in.

    `source` are the sender's messages on `source_bot`; `contents` run parallel and are already sanitised. `copyable`
    says that the originals hold nothing that must not be passed on, so that one bot may copy them as they are.
    `reply_to` is the message answered as the sender sees it; which message that is for the partner is looked up when it
    is sent, for it may be on its way itself. `thread` is the partner's topic; whoever settles knows it.
    """

    chat: ChatId
    sender: PersonId
    source_bot: BotId
    sources: tuple[MessageId, ...]
    to: PersonId
    contents: tuple[Content, ...]
    copyable: bool = False
    reply_to: MessageRef | None = None
    quote: str | None = None
    quote_position: int = 0
    quote_entities: tuple[Entity, ...] = ()
    thread: MessageId | None = None


class RelayEdit(msgspec.Struct, frozen=True, gc=False, tag="edit", omit_defaults=True):
    """Let the partner's copy of a message follow an edit. `source` is the message as its writer's bot sees it."""

    chat: ChatId
    sender: PersonId
    source: MessageRef
    to: PersonId
    content: Content
    thread: MessageId | None = None


class React(msgspec.Struct, frozen=True, gc=False, tag="react", omit_defaults=True):
    """Show a reaction on the partner's counterpart of a message, or with None take it away."""

    chat: ChatId
    sender: PersonId
    source: MessageRef
    to: PersonId
    emoji: str | None


class RelayDelete(msgspec.Struct, frozen=True, gc=False, tag="delete", omit_defaults=True):
    """Delete the partner's copy of a message that the sender takes back.

    `tidy` are messages in the sender's own chat that go once the copy has: the original, and the command.
    """

    chat: ChatId
    sender: PersonId
    source: MessageRef
    to: PersonId
    tidy: tuple[MessageId, ...] = ()


class Explain(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Store a person's comment on their report of a chat: sealed, with the complaint, for the people who decide on
    it."""

    chat: ChatId
    by: PersonId
    words: str


class Discard(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Delete messages in the chat with a person themselves. Best effort, like `Answer`."""

    to: PersonId
    messages: tuple[MessageId, ...]


RelayEffect = Relay | RelayEdit | React | RelayDelete
"""What goes from one partner to the other. In one queue, so that what follows a message never overtakes it."""

Effect = Say | Revise | Owe | Answer | Discard | Explain | RelayEffect
