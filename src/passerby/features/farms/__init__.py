"""Measures against people who behave like the accounts of a farm. `domain.farms` finds these people.

Accounts of a ring that advertises are set apart: they meet only each other. They are told of the other measures,
which are sanctions. Anybody else is asked for one tap, and told why.
"""

from passerby.dialogue.challenge import PICK, ask_for_picture, question
from passerby.domain.farms.challenge import PICTURES, ask, is_asked, pick, set_apart
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Answer, Effect, Revise
from passerby.kernel.event import ButtonPressed
from passerby.kernel.feature import Feature
from passerby.kernel.staff_event import FarmSuspected
from passerby.kernel.text import text


def suspected(event: FarmSuspected, facts: Facts, env: Env) -> Decision:
    if not facts.me.profile.complete:
        return NOTHING
    if event.until:
        apart = set_apart(facts.me, event.until, event.farm, env)
        return Decision((apart,)) if apart is not None else NOTHING
    asked = ask(facts.me, env)
    return Decision((asked,), ask_for_picture(asked)) if asked is not None else NOTHING


def picked(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    me, at = facts.me, event.message
    if not is_asked(me):
        return Decision(effects=(Answer(event.query), *_close(event)))
    assert me.watched is not None, "they are asked"
    if env.now < me.watched.again_at:
        return Decision(effects=(Answer(event.query, text("farms.wait"), alert=True),))
    chosen = int(event.token) if event.token in _PLACES else -1
    after = pick(me, chosen, env)
    if not is_asked(after):
        return Decision((after,), (Answer(event.query), *_close(event)))
    said: tuple[Effect, ...] = (Answer(event.query, text("farms.wrong"), alert=True),)
    if at is not None:
        said = (*said, Revise(me.person, at, *question(after)))
    return Decision((after,), said)


_PLACES = frozenset(map(str, range(len(PICTURES))))


def _close(event: ButtonPressed) -> tuple[Revise, ...]:
    if event.message is None:
        return ()
    return (Revise(event.person, event.message, text("farms.passed")),)


feature = Feature("farms", presses={PICK: picked}, events={FarmSuspected: suspected})
