"""After a chat: rate the partner, or return if the chat ended by mistake."""

import msgspec

from passerby.dialogue.after_chat import BAD, DONE, GOOD, RETURN, ask_again, bring_together, in_place, too_old
from passerby.dialogue.keyboards import keys_for
from passerby.domain.after_chat import (
    at_hand,
    last_partner,
    load_last_partner,
    may_meet,
    may_return,
    wants_back,
    with_last,
)
from passerby.domain.karma import rated, weight
from passerby.domain.lifecycle import cancel
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Discard, Effect, Menu, Priority, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.feature import Feature
from passerby.kernel.opinion import Rate
from passerby.kernel.participant import Chatting, Participant, Rating, Searching
from passerby.kernel.text import text


def rate(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Rate the partner 👍 or 👎. The first press counts, and the partner never learns about it."""
    me = facts.me
    if me.last is None or last_partner(me, event.token) is None:
        return too_old(event, me, env.now)
    if me.last.rating is not None:
        return Decision(effects=(Answer(event.query, text("after_chat.rated_already")),))
    rating = Rating.GOOD if event.action == GOOD else Rating.BAD
    changes = [with_last(me, rating=rating)]
    partner = at_hand(facts, me.last.partner)
    if partner is not None:
        karma = rated(partner.karma, rating, weight(me, partner, env.now), env.now)
        changes.append(msgspec.structs.replace(partner, karma=karma))
    thanks = ask_again(event, "after_chat.thanks", changes[0], env.now)
    opinion = Rate(me.last.chat, me.person, rating)
    return Decision(tuple(changes), (Answer(event.query), *thanks), (opinion,))


def done(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """The person has nothing to say about the chat. Remove the buttons."""
    return Decision(effects=(Answer(event.query), *in_place(event, text("after_chat.over"))))


def go_back(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Ask to return. If both ask, they are together again. Otherwise nobody learns anything.

    The person who asks reads the same whatever the partner does. They stop searching meanwhile: with a new partner,
    they could not return after the old one has read the invitation.
    """
    me = facts.me
    if me.last is None or last_partner(me, event.token) is None:
        return too_old(event, me, env.now)
    if isinstance(me.state, Chatting):
        return Decision(effects=(Answer(event.query, text("after_chat.in_a_chat"), alert=True),))
    if not may_return(me, env.now):
        late = Answer(event.query, text("after_chat.too_late"), alert=True)
        return Decision(effects=(late, *ask_again(event, "after_chat.ask", me, env.now)))
    last, partner = me.last, _within_reach(facts, me, env)
    if partner is not None and wants_back(partner, last.chat, env.now):
        words = text("after_chat.together_again")
        sides, together = bring_together(me, partner, (words, words), env)
        gone = (Discard(me.person, (event.message,)),) if event.message is not None else ()
        return Decision(sides, (Answer(event.query), *gone, *together))
    asks = with_last(cancel(me) if isinstance(me.state, Searching) else me, wants_back_at=env.now)
    told: tuple[Effect, ...] = (Answer(event.query), *ask_again(event, "after_chat.asked_back", asks, env.now))
    if isinstance(me.state, Searching):
        told = (*told, Say(me.person, text("after_chat.search_rests"), keys_for(asks.state)))
    if partner is None:
        return Decision((asks,), told)
    if last.wants_back_at is None and not _had_enough(partner):
        offer = Menu(((Button(text("after_chat.return"), RETURN, last.chat),),))
        told = (*told, Say(partner.person, text("after_chat.invited_back"), offer, priority=Priority.SYSTEM))
    # The partner is part of the commit, although unchanged. If they ask at the same moment, one of the two decisions is
    # made again and sees the other.
    return Decision((asks, partner), told)


def _within_reach(facts: Facts, me: Participant, env: Env) -> Participant | None:
    """The last partner, if that was their last chat, too, and the two may meet."""
    assert me.last is not None, "there is a last chat"
    partner = at_hand(facts, me.last.partner)
    if partner is None or partner.last is None or partner.last.chat != me.last.chat:
        return None
    return partner if may_meet(me, partner, env) else None


def _had_enough(partner: Participant) -> bool:
    """Whether an invitation would be unwelcome."""
    return partner.last is not None and partner.last.rating is Rating.BAD


feature = Feature(
    "after_chat",
    presses={GOOD: rate, BAD: rate, DONE: done, RETURN: go_back},
    also_load={rate: load_last_partner, go_back: load_last_partner},
)
