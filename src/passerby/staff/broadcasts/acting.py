"""Acting on a broadcast: with a button, a word of a command, or a request."""

from passerby.dialogue.staff import answer, refused
from passerby.domain.alone import SPREAD, SUBMITTED
from passerby.domain.broadcasts.actions import act, no_correction, tried
from passerby.domain.broadcasts.starting import seal_of
from passerby.domain.small_numbers import FEW
from passerby.domain.team import may
from passerby.kernel.broadcast import Broadcast, BroadcastState, Composing, Reach
from passerby.kernel.decision import Env
from passerby.kernel.digits import whole
from passerby.kernel.effect import Answer, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.staff import AuditNote, Permission, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import BroadcastAct, BroadcastDone
from passerby.kernel.text import Text, text
from passerby.staff.broadcasts.cards import card, menu, utc
from passerby.staff.broadcasts.composing import EXAMPLES, compose, named
from passerby.staff.broadcasts.questions import question, starting


def _why_not(key: str, broadcast: Broadcast) -> Text:
    if key == "broadcasts.at_is_over" and broadcast.starts_at is not None:
        return text(key, at=utc(broadcast.starts_at))
    return text(key, example=EXAMPLES[key]) if key in EXAMPLES else text(key)


def pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    number, _, rest = event.token.partition(".")
    what, _, seal = rest.partition(".")
    broadcast = facts.broadcast(int(number)) if whole(number) is not None else None
    if broadcast is None or what not in {*BroadcastAct}:
        return refused(event, text("broadcasts.unknown"))
    return do(event, BroadcastAct(what), broadcast, facts, env, seal)


def asked(request: BroadcastDone, facts: StaffFacts, env: Env) -> StaffDecision:
    broadcast = facts.broadcast(request.broadcast)
    if broadcast is None:
        return refused(request, text("broadcasts.unknown"))
    if request.seal and request.act is BroadcastAct.START and request.seal != seal_of(broadcast):
        return refused(request, text("broadcasts.changed"))
    return do(request, request.act, broadcast, facts, env)


def do(
    event: object, what: BroadcastAct, broadcast: Broadcast, facts: StaffFacts, env: Env, seal: str = ""
) -> StaffDecision:
    """`seal`: of the question whose button was pressed. In the staff bot, nothing starts without this question."""
    if what is BroadcastAct.START and isinstance(event, MessageReceived | ButtonPressed) and seal != seal_of(broadcast):
        what = BroadcastAct.PLAN
    match what:
        case BroadcastAct.PLAN:
            return _plan(event, broadcast, facts, env)
        case BroadcastAct.SHOW:
            return StaffDecision(effects=_show(event, broadcast, facts), reply=card(broadcast, facts))
        case BroadcastAct.PREVIEW | BroadcastAct.TEST:
            return _try(event, what, broadcast, facts, env)
        case BroadcastAct.CORRECT:
            return _correct(event, broadcast, facts, env)
    changed = act(broadcast, what, facts, env)
    if isinstance(changed, str):
        return refused(event, _why_not(changed, broadcast))
    waits = {SUBMITTED: True} if changed.state is BroadcastState.SUBMITTED else {}
    reached = _counted(Reach(broadcast.people) if facts.reach is None else facts.reach)
    note = AuditNote(f"broadcast.{what}", named(broadcast), {**reached, **waits})
    effects = (*_show(event, changed, facts), *_submitted(changed, broadcast, facts))
    return StaffDecision(notes=(note,), broadcasts=(changed,), effects=effects, reply=card(changed, facts))


def _counted(reach: Reach) -> dict[str, int]:
    """For the audit, which sums them up: one to nine people count as ten, so that it tells nobody."""
    counted = max(reach.people, FEW) if reach.people else 0
    return {"people": counted, **({SPREAD: reach.spread} if reach.spread else {})}


def _show(event: object, broadcast: Broadcast, facts: StaffFacts) -> tuple[Say | Answer, ...]:
    if isinstance(event, MessageReceived | ButtonPressed):
        return answer(event, card(broadcast, facts), menu(broadcast))  # type: ignore[return-value]
    return ()


def _plan(event: object, broadcast: Broadcast, facts: StaffFacts, env: Env) -> StaffDecision:
    """Ask before the start, if it is possible: to how many people, through which bots, when, at what rate."""
    if broadcast.state is not BroadcastState.SUBMITTED:
        started = act(broadcast, BroadcastAct.START, facts, env)
        if isinstance(started, str):
            return refused(event, _why_not(started, broadcast))
    said, asked = question(broadcast, facts, env), starting(broadcast)
    shown = answer(event, said, asked) if isinstance(event, MessageReceived | ButtonPressed) else ()
    return StaffDecision(effects=shown, reply=said)


def _submitted(changed: Broadcast, before: Broadcast, facts: StaffFacts) -> tuple[Say, ...]:
    """Tell those who may approve it."""
    if changed.state is not BroadcastState.SUBMITTED or before.state is BroadcastState.SUBMITTED:
        return ()
    others = (each for each in facts.team if may(each, Permission.BROADCAST) and each.number != changed.submitted_by)
    said = text("broadcasts.approve_this", number=changed.number)
    return tuple(Say(each.person, said, menu(changed)) for each in others)


def _try(event: object, what: BroadcastAct, broadcast: Broadcast, facts: StaffFacts, env: Env) -> StaffDecision:
    """Send it to the staff member, or to all who may broadcast, through the public bot that each of them uses."""
    me = facts.me
    assert me is not None
    team = [each for each in facts.team if may(each, Permission.BROADCAST)]
    people = tuple(each.person for each in team if what is BroadcastAct.TEST or each.number == me.number)
    if not people:
        return refused(event, text("broadcasts.nobody"))
    test = tried(broadcast, facts.next_broadcast, people, me.number, env)
    if isinstance(test, str):
        return refused(event, text(test))
    said: Text = text("broadcasts.coming")
    note = AuditNote(f"broadcast.{what}", named(broadcast))
    effects = (Answer(event.query, said, alert=True),) if isinstance(event, ButtonPressed) else ()
    says = (Say(event.person, said),) if isinstance(event, MessageReceived) else ()
    return StaffDecision(notes=(note,), broadcasts=(test,), effects=(*effects, *says), reply=said)


def _correct(event: object, broadcast: Broadcast, facts: StaffFacts, env: Env) -> StaffDecision:
    assert facts.me is not None
    refusal = no_correction(broadcast, facts, env)
    if refusal is not None:
        return refused(event, text(refusal))
    if not isinstance(event, MessageReceived | ButtonPressed):
        return refused(event, text("broadcasts.not_now"))
    first = broadcast.variants[0]
    return compose(event, broadcast, Composing(facts.me.number, first.language, first.arm), facts)
