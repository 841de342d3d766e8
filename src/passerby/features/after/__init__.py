"""After a chat: how it was, and the way back out of a slip of the finger."""

import msgspec

from passerby.domain.aftermath import (
    BAD,
    DONE,
    GOOD,
    RETURN,
    RETURNABLE,
    bring_together,
    free,
    is_fresh,
    last_partner,
    menu,
    never_again,
    wants_back,
    with_last,
)
from passerby.domain.karma import rated, weight
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Button, Effect, Menu, Priority, Revise, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.feature import Feature
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant, Rating
from passerby.kernel.text import text


def _company(event: ButtonPressed, facts: Facts) -> tuple[PersonId, ...]:
    partner = last_partner(facts.me, event.token)
    return (partner,) if partner is not None else ()


def _partner(event: ButtonPressed, facts: Facts) -> Participant | None:
    """The last partner as they are now; the one that `me` is with again is not among the others."""
    wanted = last_partner(facts.me, event.token)
    around = (*facts.others, *((facts.partner,) if facts.partner is not None else ()))
    return next((each for each in around if each.person == wanted), None)


def _too_old(event: ButtonPressed, facts: Facts) -> Decision:
    effects: list[Effect] = [Answer(event.query, text("after.too_old"))]
    if event.message is not None:
        effects.append(Revise(facts.me.person, event.message, text("after.over")))
    return Decision(effects=tuple(effects))


def rate(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """👍 or 👎. The first press counts, and the partner never learns of it."""
    me, partner = facts.me, _partner(event, facts)
    if me.last is None or last_partner(me, event.token) is None:
        return _too_old(event, facts)
    if me.last.rating is not None:
        return Decision(effects=(Answer(event.query, text("after.rated_already")),))
    rating = Rating.GOOD if event.action == GOOD else Rating.BAD
    me = with_last(me, rating=rating)
    changes = [me]
    if partner is not None and partner.person != me.person:
        karma = rated(partner.karma, rating, weight(me, partner, env.now), env.now)
        changes.append(msgspec.structs.replace(partner, karma=karma))
    assert me.last is not None
    left = menu(me.last, rated=True, returnable=is_fresh(me, env.now), saved=_has_saved(me))
    return Decision(tuple(changes), (Answer(event.query), *_in_place(event, "after.thanks", left)))


def _has_saved(me: Participant) -> bool:
    return me.last is not None and any(each.person == me.last.partner for each in me.saved)


def _in_place(event: ButtonPressed, key: str, keyboard: Menu | None = None) -> tuple[Revise, ...]:
    if event.message is None:
        return ()
    return (Revise(event.person, event.message, text(key), keyboard),)


def done(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Nothing to say about it: the buttons go."""
    return Decision(effects=(Answer(event.query), *_in_place(event, "after.over")))


def go_back(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    """Ask to return. Where both ask, they are together again; where not, nobody learns anything.

    What the asker reads is the same whatever the partner does, has done or is doing.
    """
    me, partner = facts.me, _partner(event, facts)
    if last_partner(me, event.token) is None or not is_fresh(me, env.now):
        return _too_old(event, facts)
    assert me.last is not None
    chat = me.last.chat
    asked_before = wants_back(me, chat, env.now)
    me = with_last(me, wants_back_at=env.now)
    asked: tuple[Effect, ...] = (Answer(event.query), *_in_place(event, "after.asked_back"))
    if partner is None or never_again(me, partner) or not _was_there(partner, me) or not free((me, partner)):
        return Decision((me,), asked)
    if wants_back(partner, chat, env.now):
        sides, told = bring_together(me, partner, "after.together_again", env)
        return Decision(sides, (*asked[:1], *_in_place(event, "after.over"), *told))
    if asked_before:
        return Decision((me,), asked)
    # The partner goes into the commit as they are: were they to ask at this very moment, one of the two asks is made
    # again and finds the other.
    offer = Menu(((Button(text("after.return"), RETURN, chat),),))
    invited = Say(partner.person, text("after.invited_back"), offer, priority=Priority.SYSTEM)
    return Decision((me, partner), (*asked, invited))


def _was_there(partner: Participant, me: Participant) -> bool:
    """Whether it was the partner's last chat, too, and they may return to it."""
    mine, theirs = me.last, partner.last
    return mine is not None and theirs is not None and mine.chat == theirs.chat and theirs.reason in RETURNABLE


feature = Feature(
    "after",
    presses={GOOD: rate, BAD: rate, DONE: done, RETURN: go_back},
    company={rate: _company, go_back: _company},
)
