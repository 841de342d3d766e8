"""A comment that a person may add to their report: the next message they write.

The comment is stored sealed, with the complaint, and goes to nobody else. If the person is searching or chatting when
they report, only a reply to the question counts as the comment, and the question says so. If they are not, the question
asks for their next message. They may get a new partner before they write it: then they are asked whom it is for.
"""

from typing import assert_never

import msgspec

from passerby.dialogue.after_chat import in_place
from passerby.dialogue.keyboards import keys_for
from passerby.features.safety.evidence import take_evidence
from passerby.kernel.decision import Decider, Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Explain, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import NOWHERE, ChatId, MessageRef
from passerby.kernel.participant import Chatting, Commenting, Idle, Participant, Searching, State
from passerby.kernel.text import text

COMMENT_S = 300.0
"""How long a comment can be added."""

DOUBT_S = 3600.0
"""How long words to a new partner are held: the question asked for the next message, and gives no time limit."""

LONGEST = 1000
"""The longest comment, in characters."""

FOR_REPORT = "for_report"
_QUESTIONS = frozenset({"complain", FOR_REPORT})
"""The first buttons of the questions that need a press: the reason for a report, and the person the words are for."""


def _skip(chat: str) -> Menu:
    return Menu(((Button(text("safety.no_comment"), "wordless", chat),),))


def ask_for_words(event: ButtonPressed, chat: str, state: State) -> tuple[Revise, ...]:
    """Ask the author of a filed report for a comment."""
    key = "safety.reported_comment" if isinstance(state, Idle) else "safety.reported_reply"
    return in_place(event, text(key), _skip(chat))


def begin_comment(me: Participant, event: ButtonPressed, chat: str, now: float) -> Participant:
    """The person, marked as asked. Without a message that holds the question, no comment is expected."""
    if event.message is None:
        return msgspec.structs.replace(me, commenting=Commenting(ChatId(chat), now, NOWHERE, over=True))
    prompt = MessageRef(event.bot, event.message)
    asked = Commenting(ChatId(chat), now, prompt, any_message=isinstance(me.state, Idle))
    return msgspec.structs.replace(me, commenting=asked)


def awaited(event: MessageReceived, facts: Facts) -> Decider | None:
    me, asked = facts.me, facts.me.commenting
    if asked is not None and facts.chosen is not None and facts.chosen.chat == asked.chat:
        return take_evidence
    if asked is not None and event.reply_to is not None and MessageRef(event.bot, event.reply_to) == asked.prompt:
        return take_words if _is_open(asked, event, COMMENT_S) else refuse_words
    if event.answers in _QUESTIONS:
        return ask_for_a_press
    if event.answers == "wordless":
        return refuse_words
    if asked is None or not _is_open(asked, event, DOUBT_S if isinstance(me.state, Chatting) else COMMENT_S):
        return None
    match me.state:
        case Chatting():
            return ask_which if asked.any_message and facts.counterpart is None else None
        case Searching():
            return take_words if asked.any_message and not _met_another(me, asked) else None
        case Idle():
            return take_words if not _met_another(me, asked) else None
        case never:
            assert_never(never)


def _is_open(asked: Commenting, event: MessageReceived, within_s: float) -> bool:
    """Whether this message can still be meant as the comment. Telegram's dates are whole seconds."""
    return not asked.over and -1 <= event.sent_at - asked.at <= within_s


def _met_another(me: Participant, asked: Commenting) -> bool:
    return me.last is not None and me.last.closed_at > asked.at


def ask_for_a_press(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """Answer words that reply to a question which needs a press. They are about a partner, so no partner gets them."""
    me = facts.me
    return Decision(effects=(Say(me.person, text("safety.press"), keys_for(me.state), event.messages[0]),))


def ask_which(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """The question still asks for the next message, and these are the first words to a new partner. Ask whom they are
    for.

    They go nowhere until a button is pressed. Telegram brings them back with the press.
    """
    me, asked, state = facts.me, facts.me.commenting, facts.me.state
    assert asked is not None, "it is awaited"
    assert isinstance(state, Chatting), "only then there are two to choose from"
    refused = _refuse(event, asked)
    if refused is not None:
        return Decision(effects=(refused,))
    token = state.chat + (f".{event.reply_to}" if event.reply_to is not None else "")
    choice = Menu(
        (
            (Button(text("safety.for_report"), FOR_REPORT, asked.chat),),
            (Button(text("safety.for_partner"), "for_partner", token),),
        )
    )
    return Decision(effects=(Say(me.person, text("safety.which"), choice, event.messages[0]),))


def add_held(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The button "For the report" under held words."""
    asked, words = facts.me.commenting, event.subject
    if words is None or asked is None or asked.over or asked.chat != event.token:
        over = text("safety.comment_over")
        return Decision(effects=(Answer(event.query, over, alert=True), *in_place(event, over)))
    taken = take_words(words, facts, env)
    closed = in_place(event, text("safety.for_report")) if taken.changes else ()
    return Decision(taken.changes, (Answer(event.query), *closed, *taken.effects))


def refuse_words(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """Refuse a reply to the question that comes too late, or a second one. It is about somebody, so nobody else gets
    it."""
    me = facts.me
    return Decision(effects=(Say(me.person, text("safety.comment_over"), keys_for(me.state), event.messages[0]),))


def take_words(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """Take the answer to the question."""
    me, asked = facts.me, facts.me.commenting
    assert asked is not None, "it is awaited"
    refused = _refuse(event, asked)
    if refused is not None:
        return Decision(effects=(refused,))
    effects: list[Effect] = [Explain(asked.chat, me.person, event.text.strip())]
    if asked.prompt.bot == me.bot:
        effects.append(Revise(me.person, asked.prompt.message, text("safety.reported")))
    added = Say(me.person, text("safety.comment_added"), keys_for(me.state), event.messages[0])
    return Decision((_over(me, asked),), (*effects, added))


def _refuse(event: MessageReceived, asked: Commenting) -> Say | None:
    """Why this cannot be the comment. None if it can."""
    words = event.text.strip()
    if words and len(words) <= LONGEST:
        return None
    key = "safety.comment_too_long" if words else "safety.comment_in_words"
    return Say(event.person, text(key, most=LONGEST), _skip(asked.chat), event.messages[0])


def skip_comment(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The button "Nothing to add". If a comment has been added before, it only says that the report is filed."""
    me, asked = facts.me, facts.me.commenting
    closed = in_place(event, text("safety.reported"))
    changes = (_over(me, asked),) if asked is not None and asked.chat == event.token and not asked.over else ()
    return Decision(changes, (Answer(event.query), *closed))


def _over(me: Participant, asked: Commenting) -> Participant:
    return msgspec.structs.replace(me, commenting=msgspec.structs.replace(asked, over=True))
