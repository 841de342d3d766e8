"""`/promo CODE`, and the button of a link that brings a code. The rules are in `domain.money.promos`."""

from passerby.dialogue.promo import USE_CODE
from passerby.domain.lifecycle import refresh_ticket
from passerby.domain.money.promos import claimed, read_code, tried_wrongly, tries_too_often
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Effect, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature
from passerby.kernel.promo import ClaimOutcome
from passerby.kernel.text import day, text


def _typed(event: MessageReceived | ButtonPressed) -> str:
    return event.token if isinstance(event, ButtonPressed) else event.text.partition(" ")[2]


def code_in(event: MessageReceived | ButtonPressed, facts: Facts, now: float) -> str | None:
    return None if tries_too_often(facts.me, now) else read_code(_typed(event))


def use(event: MessageReceived | ButtonPressed, facts: Facts, env: Env) -> Decision:
    me, claim = facts.me, facts.claim
    answer: tuple[Effect, ...] = (Answer(event.query),) if isinstance(event, ButtonPressed) else ()

    def says(key: str, **args: object) -> tuple[Effect, ...]:
        return (*answer, Say(me.person, text(key, **args)))  # type: ignore[arg-type]

    if tries_too_often(me, env.now):
        return Decision(effects=says("promo.slow"))
    if claim is None and not _typed(event).strip():
        return Decision(effects=says("promo.how"))
    if claim is None or claim.outcome is ClaimOutcome.UNKNOWN:
        return Decision((tried_wrongly(me, env.now),), says("promo.claim_unknown"))
    if claim.outcome is not ClaimOutcome.OK:
        return Decision(effects=says(f"promo.claim_{claim.outcome}"))
    changed = claimed(me, claim, env)
    if changed is me:
        return Decision(effects=says("promo.claim_mine"))
    if claim.percent:
        return Decision((changed,), says("promo.discount", percent=claim.percent))
    return Decision((refresh_ticket(changed, env),), says("promo.given", day=day(changed.vip_until)))


feature = Feature(
    "promo",
    commands={"promo": use},
    presses={USE_CODE: use},
    claims={use: code_in},
)
