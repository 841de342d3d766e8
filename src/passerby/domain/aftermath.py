"""What can still be done about a chat that is over: say how it was, keep the other away or in mind, return to it.

Everything hangs on the chat's id, which both sides' `last` carries; a button that names another chat than a person's
last one is too old. Nobody learns what the other side pressed unless both wished for the same.
"""

from collections.abc import Iterable

import msgspec

from passerby.domain.keyboards import keys_for
from passerby.domain.lifecycle import pair, search
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu, Priority, Say
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Idle, LastChat, Participant
from passerby.kernel.text import text

RETURN_S = 120.0
"""For so long after a chat's end either side may ask to return to it."""

GOOD, BAD, BLOCK, REPORT, SAVE, RETURN, DONE = "good", "bad", "block", "report", "save", "return", "done"
"""Actions of the buttons under the question how a chat was."""

RETURNABLE = frozenset({"next", "stop"})
"""Reasons for which chats end that may have been a slip of the finger."""


def menu(last: LastChat, *, rated: bool = False, returnable: bool = True, saved: bool = False) -> Menu:
    """The buttons about a chat that is over; those already used are left out."""
    rows: list[tuple[Button, ...]] = []
    if not rated:
        rows.append((Button(text("after.good"), GOOD, last.chat), Button(text("after.bad"), BAD, last.chat)))
    keep = () if saved else (Button(text("after.save"), SAVE, last.chat),)
    rows.append((*keep, Button(text("after.block"), BLOCK, last.chat), Button(text("after.report"), REPORT, last.chat)))
    done = Button(text("after.done"), DONE, last.chat)
    if returnable and last.reason in RETURNABLE:
        rows.append((Button(text("after.return"), RETURN, last.chat), done))
    else:
        rows.append((done,))
    return Menu(tuple(rows))


def look_back(side: Participant) -> tuple[Say, ...]:
    """Ask somebody whose chat has just ended how it was. Never in the way: it goes after everything else."""
    if side.last is None:
        return ()
    return (Say(side.person, text("after.ask"), menu(side.last), priority=Priority.SYSTEM),)


def last_partner(me: Participant, chat: str) -> PersonId | None:
    """Whom a button about `chat` is about; None if that is not their last chat."""
    return me.last.partner if me.last is not None and me.last.chat == chat else None


def never_again(one: Participant, other: Participant) -> bool:
    """Whether either has blocked the other."""
    return other.person in one.blocked or one.person in other.blocked


def is_fresh(me: Participant, now: float) -> bool:
    """Whether the last chat ended so lately that it may be returned to."""
    last = me.last
    return last is not None and last.reason in RETURNABLE and 0 <= now - last.closed_at <= RETURN_S


def wants_back(me: Participant, chat: ChatId, now: float) -> bool:
    """Whether somebody has asked to return to this very chat, and may still."""
    last = me.last
    return last is not None and last.chat == chat and last.wants_back_at is not None and is_fresh(me, now)


def free(people: Iterable[Participant]) -> bool:
    """Whether all of these can be put into a chat: reachable, and in none."""
    return all(each.bot is not None and not isinstance(each.state, Chatting) for each in people)


def bring_together(
    one: Participant, other: Participant, key: str, env: Env
) -> tuple[tuple[Participant, ...], tuple[Say, ...]]:
    """Put two free people into a new chat, whatever they were doing, and tell both with the text `key`.

    A new chat, not the old one: what is still on its way from the old one must not arrive in it.
    """
    chat = ChatId(f"{env.rng.getrandbits(80):020x}")
    searching = [search(each, env) if isinstance(each.state, Idle) else each for each in (one, other)]
    sides = pair(searching[0], searching[1], chat, env.now)
    told = tuple(
        Say(side.person, text(key), keys_for(side.state), priority=Priority.MATCH, anchors=chat) for side in sides
    )
    return sides, told


def with_last(me: Participant, **changes: object) -> Participant:
    """The person, with something changed about their last chat."""
    assert me.last is not None, "asked only about a chat that was"
    return msgspec.structs.replace(me, last=msgspec.structs.replace(me.last, **changes))


def block(me: Participant, whom: PersonId) -> Participant:
    """Never to be met again. They are kept in mind no longer either."""
    blocked = me.blocked if whom in me.blocked else (*me.blocked, whom)
    return msgspec.structs.replace(me, blocked=blocked, saved=tuple(each for each in me.saved if each.person != whom))


def tell_left(sides: tuple[Participant, ...]) -> tuple[Say, ...]:
    """What the partner is told when a chat has ended for both; nothing where they were elsewhere already.

    The same words whatever the reason was.
    """
    told: list[Say] = []
    for side in sides[1:]:
        left = Say(side.person, text("chat.partner_left"), keys_for(side.state), priority=Priority.MATCH)
        told += (left, *look_back(side))
    return tuple(told)
