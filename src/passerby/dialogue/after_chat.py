"""What can still be done about a chat that is over: say how it was, keep the other away or in mind, return to it.

Everything hangs on the chat's id, which both sides' `last` carries; a button that names another chat than a person's
last one is too old. But who presses *Next* may have somebody else at once, and wish only then to be rid of the one
before: a block and a report still reach the chats of the last day that `recent` knows. Nobody learns what the other
side pressed unless both wished for the same: what somebody reads, and which buttons they are shown, follows from their
own side alone.
"""

import msgspec

from passerby.dialogue.keyboards import FIND, keys_for
from passerby.domain.lifecycle import make_ticket, pair, search
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Priority, Revise, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Complaint, Idle, LastChat, Participant
from passerby.kernel.text import Text, text

RETURN_S = 120.0
"""For so long after a chat's end either side may ask to return to it."""

EARLIER_S = 86_400.0
"""For so long a chat before the last one may be reported, and its partner blocked."""

GOOD, BAD, BLOCK, REPORT, SAVE, RETURN, DONE = "good", "bad", "block", "report", "save", "return", "done"
SEEK = "seek"
"""Actions of the buttons under the question how a chat was."""

SLIPS = frozenset({"next", "stop"})
"""Reasons for which chats end that may have been a slip of the finger of whoever ended it."""


# ---------------------------------------------------------------------- the question how it was


def menu(me: Participant, now: float) -> Menu:
    """The buttons about the last chat, with the search button first; buttons that would do nothing any more are left
    out."""
    last = me.last
    assert last is not None, "asked only about a chat that was"
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
    """Ask somebody whose chat has just ended how it was. Never in the way: it goes after everything else."""
    assert side.last is not None, "a chat has just ended"
    return (Say(side.person, text("after_chat.ask"), menu(side, side.last.closed_at), priority=Priority.SYSTEM),)


def tell_left(sides: tuple[Participant, ...]) -> tuple[Say, ...]:
    """What the partner is told when a chat has ended for both; nothing where they were elsewhere already.

    The same words and buttons whatever the reason was.
    """
    told: list[Say] = []
    for side in sides[1:]:
        left = Say(side.person, text("chat.partner_left"), keys_for(side.state), priority=Priority.MATCH)
        told += (left, *look_back(side))
    return tuple(told)


def in_place(event: ButtonPressed, words: Text, keyboard: Menu | None = None) -> tuple[Revise, ...]:
    """The notice whose button was pressed, with other words; nothing where Telegram does not say which it was."""
    return (Revise(event.person, event.message, words, keyboard),) if event.message is not None else ()


def what_was_said(me: Participant) -> str:
    """The text key for the message above the buttons about the last chat."""
    return "after_chat.ask" if me.last is None or me.last.rating is None else "after_chat.thanks"


def ask_again(event: ButtonPressed, key: str, me: Participant, now: float) -> tuple[Revise, ...]:
    """The question in place, with the buttons that are left."""
    return in_place(event, text(key), menu(me, now))


def too_old(event: ButtonPressed, me: Participant, now: float, chat: str | None = None) -> Decision:
    """A button about a chat that is not the last one any more: what can still be done about that one stays.

    `chat` is the one that the button names, where its token is not that alone.
    """
    chat = event.token if chat is None else chat
    left = Menu((_away(chat),)) if partner_in(me, chat, now) is not None else None
    effects: tuple[Effect, ...] = (
        Answer(event.query, text("after_chat.too_old")),
        *in_place(event, text("after_chat.over"), left),
    )
    return Decision(effects=effects)


# ---------------------------------------------------------------------- whom it is about


def last_partner(me: Participant, chat: str) -> PersonId | None:
    """Whom a button about `chat` is about; None if that is not their last chat."""
    return me.last.partner if me.last is not None and me.last.chat == chat else None


def partner_in(me: Participant, chat: str, now: float) -> PersonId | None:
    """Whom `chat` was with: the last one, or one of the last day. None: too long ago, or never a chat of theirs."""
    last = last_partner(me, chat)
    if last is not None or not chat:
        return last
    return next((met.person for met in me.recent if met.chat == chat and now - met.at <= EARLIER_S), None)


def load_last_partner(event: ButtonPressed, facts: Facts) -> tuple[PersonId, ...]:
    """For `Feature.also_load`: the last partner, if the button is about that chat."""
    partner = last_partner(facts.me, event.token)
    return (partner,) if partner is not None else ()


def at_hand(facts: Facts, person: PersonId | None) -> Participant | None:
    """Somebody as they are now: the present partner, or one of those who were asked for."""
    around = (*facts.others, *((facts.partner,) if facts.partner is not None else ()))
    return next((each for each in around if each.person == person), None)


def never_again(one: Participant, other: Participant) -> bool:
    """Whether either has blocked the other."""
    return other.person in one.blocked or one.person in other.blocked


def with_last(me: Participant, **changes: object) -> Participant:
    """The person, with something changed about their last chat."""
    assert me.last is not None, "asked only about a chat that was"
    return msgspec.structs.replace(me, last=msgspec.structs.replace(me.last, **changes))


def complaints(me: Participant) -> dict[ChatId, tuple[PersonId, Complaint]]:
    """Whom somebody reported for what, by the chat that it was."""
    filed = {met.chat: (met.person, met.complaint) for met in me.recent if met.complaint is not None}
    if me.last is not None and me.last.complaint is not None:
        filed[me.last.chat] = (me.last.partner, me.last.complaint)
    return filed


def with_complaint(me: Participant, chat: str, complaint: Complaint) -> Participant:
    """The person, who has reported the partner of a chat that was."""
    recent = tuple(msgspec.structs.replace(met, complaint=complaint) if met.chat == chat else met for met in me.recent)
    me = msgspec.structs.replace(me, recent=recent)
    return with_last(me, complaint=complaint) if last_partner(me, chat) is not None else me


def block(me: Participant, whom: PersonId, now: float) -> Participant:
    """Block a partner for good, and drop them from the people kept in mind. If there is a block already, its date
    stays."""
    saved = tuple(each for each in me.saved if each.person != whom)
    if whom in me.blocked:
        return msgspec.structs.replace(me, saved=saved)
    since = (*blocked_since(me), now)
    return msgspec.structs.replace(me, blocked=(*me.blocked, whom), blocked_at=since, saved=saved)


def blocked_since(me: Participant) -> tuple[float, ...]:
    """When each block was made; 0 if that is not known."""
    unknown = len(me.blocked) - len(me.blocked_at)
    return (*(0.0,) * unknown, *me.blocked_at)


# ---------------------------------------------------------------------- together again


def may_return(me: Participant, now: float) -> bool:
    """Whether somebody may ask to return to their last chat: it ended lately, and not by a wish of theirs to be rid.

    Of who was left, only the silence of both counts: that the other blocked or reported them must not show.
    """
    last = me.last
    return last is not None and _may_be_a_slip(last) and 0 <= now - last.closed_at <= RETURN_S


def _may_be_a_slip(last: LastChat) -> bool:
    return last.reason in SLIPS or (not last.left and last.reason != "idle")


def wants_back(me: Participant, chat: ChatId, now: float) -> bool:
    """Whether somebody has asked to return to this very chat, and may still."""
    last = me.last
    return last is not None and last.chat == chat and last.wants_back_at is not None and may_return(me, now)


def is_free(me: Participant) -> bool:
    """Whether somebody can be put into a chat: reachable, let in, and in none."""
    return me.bot is not None and me.profile.complete and not isinstance(me.state, Chatting)


def may_meet(one: Participant, other: Participant, env: Env) -> bool:
    """Whether two people who ask for each other may be put together now.

    Blocks and pools hold, whatever was saved or asked before: an age told anew may part two people. What they wish of
    strangers does not: each has asked for this very person.
    """
    return (
        is_free(one)
        and is_free(other)
        and not never_again(one, other)
        and make_ticket(one, env).pool == make_ticket(other, env).pool
    )


def bring_together(
    one: Participant, other: Participant, words: tuple[Text, Text], env: Env
) -> tuple[tuple[Participant, ...], tuple[Say, ...]]:
    """Put two free people into a new chat, whatever they were doing; each is told in their own `words`.

    A new chat, not the old one: what is still on its way from the old one must not arrive in it.
    """
    chat = ChatId(f"{env.rng.getrandbits(80):020x}")
    waiting = [search(each, env) if isinstance(each.state, Idle) else each for each in (one, other)]
    sides = pair(waiting[0], waiting[1], chat, env.now)
    told = tuple(
        Say(side.person, said, keys_for(side.state), priority=Priority.MATCH, anchors=chat)
        for side, said in zip(sides, words, strict=True)
    )
    return sides, told
