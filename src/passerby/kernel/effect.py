"""Things to do, named in the imperative. Effects are data: the runtime carries them out after the decision is stored.

`Say`, `Revise` and `Owe` are durable: they enter the outbox in the same atomic commit as the change that caused them.
The relay effects (`Relay` and the ones that follow a relayed message) are not: until they are delivered, Telegram still
holds the update they came from. `Answer` and `Discard` are best effort: they may be lost.
"""

from enum import IntEnum

import msgspec

from passerby.kernel.content import Content, Entity
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.money import Bill
from passerby.kernel.text import Text


class Priority(IntEnum):
    """Which message goes first when a bot's budget is short. The smaller value goes first."""

    CHAT = 0
    MATCH = 1
    COMMAND = 2
    SYSTEM = 3
    BROADCAST = 4


class Button(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An inline button. `action` finds its decider. `token` says what the button is about, a chat for example; it is
    opaque."""

    label: Text
    action: str
    token: str = ""


class Menu(msgspec.Struct, frozen=True, gc=False, tag="menu"):
    """An inline keyboard, as rows."""

    rows: tuple[tuple[Button, ...], ...]


class Keys(msgspec.Struct, frozen=True, gc=False, tag="keys"):
    """A reply keyboard, as rows of text keys. Pressing a key sends its label as a message. Without rows, it removes the
    keyboard."""

    rows: tuple[tuple[str, ...], ...] = ()


Keyboard = Menu | Keys


class Say(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Tell a person something.

    `anchors` marks the notice that opens a chat. Messages that its reader wrote before it arrived were not meant for
    the partner. `bill` makes it an invoice. `search` makes it a passing notice: it says that this search goes on (the
    ticket's `since`), and is not sent once that search is over.
    """

    to: PersonId
    text: Text
    keyboard: Keyboard | None = None
    reply_to: MessageId | None = None
    priority: Priority = Priority.COMMAND
    anchors: ChatId | None = None
    bill: Bill | None = None
    search: float | None = None


class Revise(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Change one of our notices in place, for example a menu after a button press. `search`: see `Say`."""

    to: PersonId
    message: MessageId
    text: Text
    keyboard: Menu | None = None
    search: float | None = None


class Owe(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Store a notice to send later, under a name. A later one with the same name replaces it. It survives the
    process."""

    to: PersonId
    name: str
    text: Text


class Answer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Stop the spinner of a pressed button, with or without a line of text for the person."""

    query: str
    text: Text | None = None
    alert: bool = False


class Relay(msgspec.Struct, frozen=True, gc=False, tag="relay", omit_defaults=True):
    """Pass a message or an album on to the partner, in the chat it was written in.

    `sources` are the sender's messages on `source_bot`; `contents` run parallel and are already sanitised. `copyable`
    says that the originals hold nothing that must stay private, so that a bot may copy them as they are. `reply_to` is
    the message that it replies to, as the sender sees it. The partner's side of that message is looked up at the time
    of sending, because it may still be on its way. `thread` is the partner's topic; it is filled in when the decision
    is stored. `look`: before it is sent, a model looks at its pictures (see `runtime.delivery.looking`).
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
    look: bool = False


class RelayEdit(msgspec.Struct, frozen=True, gc=False, tag="edit", omit_defaults=True):
    """Apply an edit to the partner's copy of a message. `source` is the message as its writer's bot sees it."""

    chat: ChatId
    sender: PersonId
    source: MessageRef
    to: PersonId
    content: Content
    thread: MessageId | None = None


class React(msgspec.Struct, frozen=True, gc=False, tag="react", omit_defaults=True):
    """Show a reaction on the partner's side of a message. With None, remove it."""

    chat: ChatId
    sender: PersonId
    source: MessageRef
    to: PersonId
    emoji: str | None


class RelayDelete(msgspec.Struct, frozen=True, gc=False, tag="delete", omit_defaults=True):
    """Delete the partner's copy of a message that the sender takes back.

    `tidy` are messages in the sender's own chat that are deleted after the copy: the original and the command.
    """

    chat: ChatId
    sender: PersonId
    source: MessageRef
    to: PersonId
    tidy: tuple[MessageId, ...] = ()


class Explain(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Store a person's comment on their report about a chat. It is stored sealed, with the complaint, for the people
    who decide about complaints."""

    chat: ChatId
    by: PersonId
    words: str


class AskStaff(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Store what a person asks staff about payments: their payment case, or more of it. The words are stored sealed."""

    case: str
    by: PersonId
    words: str


class Attach(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Keep a message as evidence for a person's report about a chat: their choice number `place`. It is stored
    sealed."""

    chat: ChatId
    by: PersonId
    whom: PersonId
    place: int
    bot: BotId
    content: Content


class Discard(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Delete messages in a person's own chat with the bot. Best effort, like `Answer`."""

    to: PersonId
    messages: tuple[MessageId, ...]


RelayEffect = Relay | RelayEdit | React | RelayDelete
"""The effects that reach the partner. They share one queue, so that an edit never overtakes its message."""

Effect = Say | Revise | Owe | Answer | Discard | Explain | AskStaff | Attach | RelayEffect
