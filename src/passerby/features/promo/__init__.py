"""`/promo CODE`, and the button of a link that brings a code. The rules are in `domain.money.promos`."""

from passerby.dialogue.promo import USE_CODE
from passerby.domain.commands import words_after
from passerby.domain.entitlement import matters
from passerby.domain.lifecycle import refresh_ticket
from passerby.domain.money.promos import read_code, redeemed, tried_wrongly, tries_too_often
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Effect, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.feature import Feature, HelpLine
from passerby.kernel.promo import RedemptionOutcome
from passerby.kernel.text import day, text


def _typed(event: MessageReceived | ButtonPressed) -> str:
    return event.token if isinstance(event, ButtonPressed) else words_after(event.text)


def code_in(event: MessageReceived | ButtonPressed, facts: Facts, now: float) -> str | None:
    return None if tries_too_often(facts.me, now) else read_code(_typed(event))


def use(event: MessageReceived | ButtonPressed, facts: Facts, env: Env) -> Decision:
    me, redemption = facts.me, facts.redemption
    answer: tuple[Effect, ...] = (Answer(event.query),) if isinstance(event, ButtonPressed) else ()

    def says(key: str, **args: object) -> tuple[Effect, ...]:
        return (*answer, Say(me.person, text(key, **args)))  # type: ignore[arg-type]

    if tries_too_often(me, env.now):
        return Decision(effects=says("promo.slow"))
    if redemption is None and not _typed(event).strip():
        return Decision(effects=says("promo.how"))
    if redemption is None or redemption.outcome is RedemptionOutcome.UNKNOWN:
        return Decision((tried_wrongly(me, env.now),), says("promo.redeem_unknown"))
    if redemption.outcome is not RedemptionOutcome.OK:
        return Decision(effects=says(f"promo.redeem_{redemption.outcome}"))
    changed = redeemed(me, redemption, env)
    if changed is me:
        return Decision(effects=says("promo.redeem_mine"))
    if redemption.percent:
        return Decision((changed,), says("promo.discount", percent=redemption.percent))
    return Decision((refresh_ticket(changed, env),), says("promo.given", day=day(changed.vip_until)))


feature = Feature(
    "promo",
    commands={"promo": use},
    help=(HelpLine("promo.help", 30, matters),),
    presses={USE_CODE: use},
    redeems={use: code_in},
)
