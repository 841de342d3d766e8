"""The question about a chat that is over, its buttons, and what both sides read.

Nobody learns what the other side pressed, unless both wanted the same. So the texts and buttons that a person sees
follow from their own side alone.
"""

from passerby.dialogue.keyboards import FIND, keys_for
from passerby.domain.after_chat import may_return, partner_in
from passerby.domain.lifecycle import pair, search
from passerby.kernel.decision import Decision, Env
from passerby.kernel.effect import Answer, Button, Effect, Menu, Priority, Revise, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.ids import ChatId
from passerby.kernel.participant import Idle, Participant
from passerby.kernel.text import Text, text

GOOD, BAD, BLOCK, REPORT, SAVE, RETURN, DONE = "good", "bad", "block", "report", "save", "return", "done"
SEEK = "seek"
"""The actions of the buttons under the question about the last chat."""


def menu(me: Participant, now: float) -> Menu:
    """The buttons about the last chat, with the search button first. Buttons that would do nothing are left out."""
    last = me.last
    assert last is not None, "there is a last chat"
    rows: list[tuple[Button, ...]] = []
    if isinstance(me.state, Idle):
        rows.append((Button(text(FIND), SEEK, last.chat),))
    if last.rating is None:
        rows.append((Button(text("after_chat.good"), GOOD, last.chat), Button(text("after_chat.bad"), BAD, last.chat)))
    saved = any(each.person == last.partner for each in me.saved)
    keep = () if saved else (Button(text("after_chat.save"), SAVE, last.chat),)
    back = (
        (Button(text("after_chat.return"), RETURN, last.chat),)
        if may_return(me, now) and not last.wants_back_at
        else ()
    )
    if keep or back:
        rows.append((*keep, *back))
    rows.append(_away(last.chat))
    return Menu(tuple(rows))


def _away(chat: str) -> tuple[Button, ...]:
    return (
        Button(text("after_chat.block"), BLOCK, chat),
        Button(text("after_chat.report"), REPORT, chat),
        Button(text("after_chat.done"), DONE, chat),
    )


def look_back(side: Participant) -> tuple[Say, ...]:
    """Ask somebody whose chat has just ended how it was. It goes after everything else, so that it is never in the
    way."""
    assert side.last is not None, "a chat has just ended"
    return (Say(side.person, text("after_chat.ask"), menu(side, side.last.closed_at), priority=Priority.SYSTEM),)


def tell_left(sides: tuple[Participant, ...]) -> tuple[Say, ...]:
    """The notices for the partner when a chat has ended for both. Empty if they were already somewhere else.

    The words and buttons are the same for every reason.
    """
    told: list[Say] = []
    for side in sides[1:]:
        left = Say(side.person, text("chat.partner_left"), keys_for(side.state), priority=Priority.MATCH)
        told += (left, *look_back(side))
    return tuple(told)


def in_place(event: ButtonPressed, words: Text, keyboard: Menu | None = None) -> tuple[Revise, ...]:
    """Change the notice with the pressed button. Empty if Telegram does not say which notice it was."""
    return (Revise(event.person, event.message, words, keyboard),) if event.message is not None else ()


def what_was_said(me: Participant) -> str:
    """The text key for the message above the buttons about the last chat."""
    return "after_chat.ask" if me.last is None or me.last.rating is None else "after_chat.thanks"


def ask_again(event: ButtonPressed, key: str, me: Participant, now: float) -> tuple[Revise, ...]:
    """Show the question again in the same notice, with the remaining buttons."""
    return in_place(event, text(key), menu(me, now))


def too_old(event: ButtonPressed, me: Participant, now: float, chat: str | None = None) -> Decision:
    """Answer a button about a chat that is no longer the last one. The buttons that still work for that chat stay.

    `chat` is the chat of the button, if its token holds more than that.
    """
    chat = event.token if chat is None else chat
    left = Menu((_away(chat),)) if partner_in(me, chat, now) is not None else None
    effects: tuple[Effect, ...] = (
        Answer(event.query, text("after_chat.too_old")),
        *in_place(event, text("after_chat.over"), left),
    )
    return Decision(effects=effects)


def bring_together(
    one: Participant, other: Participant, words: tuple[Text, Text], env: Env
) -> tuple[tuple[Participant, ...], tuple[Say, ...]]:
    """Put two free people into a new chat, whatever they were doing. Each reads their own one of the `words`.

    It is a new chat, not the old one: messages that are still on their way from the old chat must not arrive in it.
    """
    chat = ChatId(f"{env.rng.getrandbits(80):020x}")
    waiting = [search(each, env) if isinstance(each.state, Idle) else each for each in (one, other)]
    sides = pair(waiting[0], waiting[1], chat, env.now)
    told = tuple(
        Say(side.person, said, keys_for(side.state), priority=Priority.MATCH, anchors=chat)
        for side, said in zip(sides, words, strict=True)
    )
    return sides, told
