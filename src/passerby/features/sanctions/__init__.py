"""Tells people about their sanctions, restricts them, and takes their appeals.

Sanctions are decided elsewhere: by staff, or by a rule. Here they take effect.
"""

import msgspec

from passerby.dialogue.after_chat import tell_left
from passerby.dialogue.keyboards import keys_for
from passerby.dialogue.sanctions import letter
from passerby.domain.farms.challenge import clear, is_cleared
from passerby.domain.farms.judgement import RULE as FARM
from passerby.domain.lifecycle import refresh_ticket
from passerby.domain.money.payments import cancel_all
from passerby.domain.sanctions import (
    BARRING,
    appeal,
    appealable,
    bar,
    barred_until,
    binding,
    impose,
    lift,
    overturn,
    refused,
)
from passerby.kernel.decision import NOTHING, Decider, Decision, Env, Facts
from passerby.kernel.effect import Answer, Keys, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature, HelpLine
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import Appeal, Sanction
from passerby.kernel.staff_event import AppealRefused, LiftOrdered, SanctionOrdered, SanctionOverturned
from passerby.kernel.text import text

APPEAL = "appeal"


def sanctioned(event: SanctionOrdered, facts: Facts, env: Env) -> Decision:
    me = facts.me
    if event.sanction.rule == FARM and is_cleared(me, env.now):
        return NOTHING
    sides = impose(me, facts.partner, event.sanction, env)
    if not sides:
        return NOTHING
    barred = event.sanction.kind in BARRING
    if barred and event.sanction.until is None:
        # Otherwise Telegram would go on charging somebody who can use nothing.
        sides = (cancel_all(sides[0], env.now), *sides[1:])
    if len(sides) == 1 and barred and not _is_news(facts.me, sides[0], event.sanction, env.now):
        return Decision(sides)
    keyboard = Keys() if barred else keys_for(sides[0].state) if len(sides) > 1 else None
    told = tell_left(sides) if len(sides) > 1 else ()
    return Decision(sides, (Say(me.person, letter(event.sanction, env.now), keyboard), *told))


def _is_news(before: Participant, me: Participant, sanction: Sanction, now: float) -> bool:
    """Whether a sanction that bars a person from chatting changes anything that they have read already."""
    was = bar(before, now)
    if was is None:
        return True
    holds_on = bar(me, now) == was and barred_until(me) == barred_until(before)
    return not holds_on and letter(sanction, now) != letter(was, now)


def _without_farm(me: Participant) -> Participant:
    """Free a person who is no farm's account of all measures against farms."""
    kept = tuple(each for each in me.sanctions if each.rule != FARM or each.appeal is Appeal.OVERTURNED)
    return msgspec.structs.replace(me, sanctions=kept)


def lifted(event: LiftOrdered, facts: Facts, env: Env) -> Decision:
    if event.sanction == FARM:
        return _freed(facts.me, env)
    me = lift(facts.me, event.sanction, env.now)
    if me is facts.me:
        return NOTHING
    was = next(each for each in facts.me.sanctions if each.id == event.sanction)
    me = clear(_without_farm(me), env) if was.rule == FARM else refresh_ticket(me, env)
    free = bar(me, env.now) is None and bar(facts.me, env.now) is not None
    return Decision((me,), (Say(me.person, text("sanctions.lifted"), keys_for(me.state) if free else None),))


def _freed(me: Participant, env: Env) -> Decision:
    """Staff found that they are no farm's account, whatever the rule has done by now, or would do within a week."""
    if is_cleared(me, env.now):
        return NOTHING
    is_news = any(each.rule == FARM for each in binding(me, env.now))
    told = (Say(me.person, text("sanctions.lifted")),) if is_news else ()
    return Decision((clear(_without_farm(me), env),), told)


def overturned(event: SanctionOverturned, facts: Facts, env: Env) -> Decision:
    """Give back what a wrong decision took. Karma alone is given back in silence.

    If another sanction still bars the person, they are not told that this one was wrong, unless they had appealed. They
    read which sanction holds now, if they have not read that before.
    """
    before, me = facts.me, overturn(facts.me, event.sanction, event.costs, env.now)
    if me is before:
        return NOTHING
    if me.sanctions == before.sanctions:
        return Decision((me,))
    is_farm = event.sanction is not None and event.sanction.rule == FARM
    me = clear(_without_farm(me), env) if is_farm else refresh_ticket(me, env)
    was, still = bar(before, env.now), bar(me, env.now)
    free = keys_for(me.state) if was is not None and still is None else None
    asked = any(each.appeal is Appeal.OPEN and each not in me.sanctions for each in before.sanctions)
    told = [Say(me.person, text("sanctions.overturned"), free)] if still is None or asked else []
    if still is not None and (asked or was is None or letter(still, env.now) != letter(was, env.now)):
        told.append(Say(me.person, letter(still, env.now)))
    return Decision((me,), tuple(told))


def upheld(event: AppealRefused, facts: Facts, env: Env) -> Decision:
    me = refused(facts.me, event.sanction)
    if me is facts.me:
        return NOTHING
    return Decision((me,), (Say(me.person, text("sanctions.upheld")),))


def barred(commands: tuple[str, ...]) -> Decider:
    """Make the decider of everything that is closed to a person who is suspended or banned. It names the commands that
    are open; `/appeal` is, if there is anything left to appeal."""

    def closed(event: MessageReceived | ButtonPressed, facts: Facts, env: Env) -> Decision:
        sanction = bar(facts.me, env.now)
        assert sanction is not None, "only for those who are barred"
        left = appealable(facts.me, env.now) is not None
        still = tuple(text("sanctions.command", name=name) for name in commands if left or name != APPEAL)
        said = text("sanctions.barred", letter=letter(sanction, env.now), commands=still)
        if isinstance(event, ButtonPressed):
            return Decision(effects=(Answer(event.query), Say(facts.me.person, said)))
        return Decision(effects=(Say(facts.me.person, said, reply_to=event.messages[0]),))

    return closed


def appealed(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    """`/appeal`: once for each sanction, the strictest first."""
    me = facts.me
    sanction = appealable(me, env.now)
    if sanction is not None:
        return Decision((appeal(me, sanction, env.now),), (Say(me.person, text("sanctions.appealed")),))
    bound = binding(me, env.now)
    if not bound:
        return Decision(effects=(Say(me.person, text("sanctions.none")),))
    waits = any(each.appeal is Appeal.OPEN for each in bound)
    return Decision(effects=(Say(me.person, text("sanctions.appeal_waits" if waits else "sanctions.appeal_over")),))


feature = Feature(
    "sanctions",
    commands={APPEAL: appealed},
    help=(HelpLine("sanctions.help", 60),),
    events={
        SanctionOrdered: sanctioned,
        LiftOrdered: lifted,
        SanctionOverturned: overturned,
        AppealRefused: upheld,
    },
    barred=barred,
    open_to_barred=frozenset({appealed}),
    open_to_all=True,
)
