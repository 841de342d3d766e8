"""Rules about chats that are over: which chat and partner a button means, who may return, who may meet again.

Every button carries the id of its chat, and `last` of both sides has that id. A button of another chat than the last
one is too old. But a person who presses *Next* may have a new partner at once, and only then want to block the one
before. So blocks and reports also work for the chats of the last day that are in `recent`.
"""

import msgspec

from passerby.domain.lifecycle import make_ticket
from passerby.domain.sanctions import bar
from passerby.kernel.decision import Env, Facts
from passerby.kernel.event import ButtonPressed
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Complaint, LastChat, Participant, Rating

RETURN_S = 120.0
"""How long after a chat both sides may ask to return to it."""

EARLIER_S = 86_400.0
"""How long an earlier chat can be reported, and its partner blocked."""

SLIPS = frozenset({"next", "stop"})
"""Reasons for the end of a chat that may have been a slip: the person may have pressed the wrong button."""


def last_partner(me: Participant, chat: str) -> PersonId | None:
    """The partner in `chat`, if it is the person's last chat; otherwise None."""
    return me.last.partner if me.last is not None and me.last.chat == chat else None


def partner_in(me: Participant, chat: str, now: float) -> PersonId | None:
    """The partner in `chat`, if it is the last chat or one of the last day. None: it was too long ago, or it was never
    theirs."""
    last = last_partner(me, chat)
    if last is not None or not chat:
        return last
    return next((met.person for met in me.recent if met.chat == chat and now - met.at <= EARLIER_S), None)


def load_last_partner(event: ButtonPressed, facts: Facts) -> tuple[PersonId, ...]:
    """For `Feature.also_load`: the last partner, if the button is about that chat."""
    partner = last_partner(facts.me, event.token)
    return (partner,) if partner is not None else ()


def at_hand(facts: Facts, person: PersonId | None) -> Participant | None:
    """A person as they are now, if they are the present partner or were asked for with `Feature.also_load`."""
    around = (*facts.others, *((facts.partner,) if facts.partner is not None else ()))
    return next((each for each in around if each.person == person), None)


def never_again(one: Participant, other: Participant) -> bool:
    """Whether either has blocked the other."""
    return other.person in one.blocked or one.person in other.blocked


def with_last(me: Participant, **changes: object) -> Participant:
    """The person, with changes to their last chat."""
    assert me.last is not None, "there is a last chat"
    return msgspec.structs.replace(me, last=msgspec.structs.replace(me.last, **changes))


def complaints(me: Participant) -> dict[ChatId, tuple[PersonId, Complaint]]:
    """The person's reports: for each chat, the partner and the reason."""
    filed = {met.chat: (met.person, met.complaint) for met in me.recent if met.complaint is not None}
    if me.last is not None and me.last.complaint is not None:
        filed[me.last.chat] = (me.last.partner, me.last.complaint)
    return filed


def with_complaint(me: Participant, chat: str, complaint: Complaint) -> Participant:
    """The person, with a report about the partner of a former chat."""
    recent = tuple(msgspec.structs.replace(met, complaint=complaint) if met.chat == chat else met for met in me.recent)
    me = msgspec.structs.replace(me, recent=recent)
    return with_last(me, complaint=complaint) if last_partner(me, chat) is not None else me


RETALIATES_S = 60.0


def retaliates(me: Participant, accused: Participant, chat: str, now: float) -> bool:
    """Whether a report about this chat comes right after the other one reported or disliked `me`."""
    was = accused.last
    if was is None or was.chat != chat:
        return False
    return (was.complaint is not None or was.rating is Rating.BAD) and now - was.closed_at <= RETALIATES_S


def block(me: Participant, whom: PersonId, now: float) -> Participant:
    """Block a partner for good, and remove them from the saved people. An existing block keeps its date."""
    saved = tuple(each for each in me.saved if each.person != whom)
    if whom in me.blocked:
        return msgspec.structs.replace(me, saved=saved)
    since = (*blocked_since(me), now)
    named = tuple((whom, each.nickname) for each in me.saved if each.person == whom and each.nickname)
    return msgspec.structs.replace(
        me, blocked=(*me.blocked, whom), blocked_at=since, saved=saved, block_names=(*me.block_names, *named)
    )


def unblock(me: Participant, at: int) -> Participant:
    """The person without the block at this place."""
    since, whom = blocked_since(me), me.blocked[at]
    return msgspec.structs.replace(
        me,
        blocked=(*me.blocked[:at], *me.blocked[at + 1 :]),
        blocked_at=(*since[:at], *since[at + 1 :]),
        block_names=tuple(each for each in me.block_names if each[0] != whom),
    )


def blocked_since(me: Participant) -> tuple[float, ...]:
    """The time of each block, 0 if it is not known."""
    unknown = len(me.blocked) - len(me.blocked_at)
    return (*(0.0,) * unknown, *me.blocked_at)


def may_return(me: Participant, now: float) -> bool:
    """Whether somebody may ask to return to their last chat: it ended recently, and not because they wanted to get rid
    of the partner.

    For the person who was left, only the time counts. It must not show whether the other blocked or reported them.
    """
    last = me.last
    return last is not None and _may_be_a_slip(last) and 0 <= now - last.closed_at <= RETURN_S


def _may_be_a_slip(last: LastChat) -> bool:
    return last.reason in SLIPS or (not last.left and last.reason != "idle")


def wants_back(me: Participant, chat: ChatId, now: float) -> bool:
    """Whether somebody has asked to return to this chat, and still may."""
    last = me.last
    return last is not None and last.chat == chat and last.wants_back_at is not None and may_return(me, now)


def is_free(me: Participant) -> bool:
    """Whether somebody can start a chat: they can be reached, have answered the questions, and are in no chat."""
    return me.bot is not None and me.profile.complete and not isinstance(me.state, Chatting)


def may_meet(one: Participant, other: Participant, env: Env) -> bool:
    """Whether two people who ask for each other may be paired now.

    Blocks and pools always count, even if the two saved or asked before; a corrected age may separate them. Their
    wishes about strangers do not count, because each has asked for this person.
    """
    return (
        is_free(one)
        and is_free(other)
        and bar(one, env.now) is None
        and bar(other, env.now) is None
        and not never_again(one, other)
        and make_ticket(one, env).pool == make_ticket(other, env).pool
    )
