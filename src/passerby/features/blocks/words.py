"""A comment that a person may add to their report: the next message they write.

The comment is stored sealed, with the complaint, and goes to nobody else. While the person searches or chats, their
messages are meant for a partner, so then only a reply to the question counts as the comment, and the question says so.
"""

import msgspec

from passerby.domain.aftermath import in_place
from passerby.domain.keyboards import keys_for
from passerby.kernel.decision import Decider, Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Explain, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import ChatId, MessageRef
from passerby.kernel.participant import Commenting, Idle, Participant, State
from passerby.kernel.text import text

COMMENT_S = 300.0
"""How long a comment can be added."""

LONGEST = 1000
"""Characters."""


def _skip(chat: str) -> Menu:
    return Menu(((Button(text("blocks.no_comment"), "wordless", chat),),))


def ask_for_words(event: ButtonPressed, chat: str, state: State) -> tuple[Revise, ...]:
    """Ask the author of a filed report for a comment."""
    key = "blocks.reported_comment" if isinstance(state, Idle) else "blocks.reported_reply"
    return in_place(event, text(key), _skip(chat))


def begin_comment(me: Participant, event: ButtonPressed, chat: str, now: float) -> Participant:
    """The person, marked as asked. Unmarked if Telegram does not say which message holds the question."""
    if event.message is None:
        return me
    return msgspec.structs.replace(me, commenting=Commenting(ChatId(chat), now, MessageRef(event.bot, event.message)))


def awaited(event: MessageReceived, facts: Facts) -> Decider | None:
    asked = facts.me.commenting
    if asked is None:
        return None
    answers = event.reply_to is not None and MessageRef(event.bot, event.reply_to) == asked.prompt
    if asked.over or not -1 <= event.sent_at - asked.at <= COMMENT_S:  # Telegram's dates are whole seconds
        return refuse_words if answers else None
    last = facts.me.last
    met_another = last is not None and last.closed_at > asked.at
    return take_words if answers or (isinstance(facts.me.state, Idle) and not met_another) else None


def refuse_words(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """A reply to the question that comes too late, or a second one. It is about somebody, so nobody else gets it."""
    me = facts.me
    return Decision(effects=(Say(me.person, text("blocks.comment_over"), keys_for(me.state), event.messages[0]),))


def take_words(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """Take the answer to the question."""
    me, asked = facts.me, facts.me.commenting
    assert asked is not None, "it is awaited"
    words = event.text.strip()
    if not words or len(words) > LONGEST:
        key = "blocks.comment_too_long" if words else "blocks.comment_in_words"
        say = Say(me.person, text(key, most=LONGEST), _skip(asked.chat), event.messages[0])
        return Decision(effects=(say,))
    effects: list[Effect] = [Explain(asked.chat, me.person, words)]
    if asked.prompt.bot == me.bot:
        effects.append(Revise(me.person, asked.prompt.message, text("blocks.reported")))
    added = Say(me.person, text("blocks.comment_added"), keys_for(me.state), event.messages[0])
    return Decision((_over(me, asked),), (*effects, added))


def skip_comment(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The button "Nothing to add". If a comment has been added before, it only says that the report is filed."""
    me, asked = facts.me, facts.me.commenting
    closed = in_place(event, text("blocks.reported"))
    changes = (_over(me, asked),) if asked is not None and asked.chat == event.token and not asked.over else ()
    return Decision(changes, (Answer(event.query), *closed))


def _over(me: Participant, asked: Commenting) -> Participant:
    return msgspec.structs.replace(me, commenting=msgspec.structs.replace(asked, over=True))
