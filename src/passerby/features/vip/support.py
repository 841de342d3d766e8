"""`/paysupport`: what the person bought, by opaque code, and a refund that they may take themselves.

With words after the command, it asks staff: a payment case. Further words are added to it. Nothing else is taken for
the question, because it might be meant for a partner.

It works for everybody, also for people who are banned. Telegram asks for it (Terms of Service for bot developers, 6.2).
"""

from passerby.domain.commands import words_after
from passerby.domain.entitlement import all_free
from passerby.domain.lifecycle import refresh_ticket
from passerby.domain.money.cases import LONGEST, answered, open_case, with_case, with_more
from passerby.domain.money.endings import told_of_end
from passerby.domain.money.own_refund import NoRefund, refund_denied
from passerby.domain.money.payments import owe_refund
from passerby.features.vip.words import until
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Answer, AskStaff, Button, Menu, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.money import Charge, RefundedBy, Wallet
from passerby.kernel.money_event import PaymentAnswered
from passerby.kernel.participant import Participant
from passerby.kernel.text import Text, text

ASK_REFUND = "vip_refund_ask"
REFUND = "vip_refund"

SHOWN = 8
"""The newest purchases. Staff see all of them."""


def pay_support(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    me = facts.me
    words = words_after(event.text)
    if words:
        return _ask(words, me, env)
    charges = (me.wallet or Wallet()).charges[-SHOWN:][::-1]
    if not charges:
        key = "vip.pay_empty" if env.rules.plans else "vip.pay_nothing"
        return Decision(effects=(Say(me.person, text(key, ask=_how_to_ask(me))),))
    listed: Text | None = None
    for charge in charges:
        listed = _line(charge) if listed is None else text("vip.pay_lines", before=listed, line=_line(charge))
    assert listed is not None, "there is one"
    rows = tuple(
        (Button(text("vip.pay_refund", code=charge.code), ASK_REFUND, charge.code),)
        for charge in charges
        if refund_denied(me, charge, env.now) is None
    )
    # The page says how to take a refund only if one of them can be had.
    page = "vip.pay_page_open" if all_free(env.rules) else "vip.pay_page"
    said = text(page if rows else "vip.pay_past", list=listed, ask=_how_to_ask(me))
    return Decision(effects=(Say(me.person, said, Menu(rows) if rows else None),))


def _how_to_ask(me: Participant) -> Text:
    """How to ask staff; or since when a question waits."""
    case = open_case(me)
    if case is None:
        return text("vip.case_how")
    return text("vip.case_waits", code=case.code, day=until(case.at))


def _ask(words: str, me: Participant, env: Env) -> Decision:
    if len(words) > LONGEST:
        return Decision(effects=(Say(me.person, text("vip.case_too_long", most=LONGEST)),))
    waiting = open_case(me)
    if waiting is not None:
        longer = with_more(me, waiting, words, env.now)
        if longer is None:
            said = text("vip.case_open", code=waiting.code, day=until(waiting.at))
            return Decision(effects=(Say(me.person, said),))
        said = text("vip.case_added", code=waiting.code)
        return Decision((longer,), (AskStaff(waiting.code, me.person, words), Say(me.person, said)))
    changed, opened = with_case(me, words, env)
    said = text("vip.case_opened", code=opened.code)
    return Decision((changed,), (AskStaff(opened.code, me.person, words), Say(me.person, said)))


def payment_answered(event: PaymentAnswered, facts: Facts, env: Env) -> Decision:
    me = answered(facts.me, event.case, env.now)
    if me is facts.me:
        return NOTHING
    return Decision((me,), (Say(me.person, text("vip.case_answer", words=event.words)),))


def _line(charge: Charge) -> Text:
    key = "vip.pay_line"
    if charge.refunded_at:
        key = "vip.pay_line_refunded"
    elif charge.refund_owed_at:
        key = "vip.pay_line_owed"
    elif charge.refund_refused_at:
        key = "vip.pay_line_refused"
    return text(key, code=charge.code, stars=charge.stars, day=until(charge.paid_at))


def _charge(me: Participant, code: str) -> Charge | None:
    return next((each for each in (me.wallet or Wallet()).charges if each.code == code), None)


def ask_refund(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    charge = _charge(facts.me, event.token)
    denied = refund_denied(facts.me, charge, env.now) if charge is not None else NoRefund.TOO_LATE
    if charge is None or denied is not None:
        return Decision(effects=(Answer(event.query), Say(facts.me.person, text(f"vip.no_refund_{denied}"))))
    sure = Menu(((Button(text("vip.refund_yes", stars=charge.stars), REFUND, charge.code),),))
    return Decision(effects=(Answer(event.query), Say(facts.me.person, text("vip.refund_sure", n=charge.stars), sure)))


def refund(event: ButtonPressed, facts: Facts, env: Env) -> Decision:
    charge = _charge(facts.me, event.token)
    denied = refund_denied(facts.me, charge, env.now) if charge is not None else NoRefund.TOO_LATE
    if charge is None or denied is not None:
        return Decision(effects=(Answer(event.query), Say(facts.me.person, text(f"vip.no_refund_{denied}"))))
    # They know that their VIP ends with it.
    me = told_of_end(owe_refund(facts.me, charge, RefundedBy.BUYER, env.now), env.now)
    me = refresh_ticket(me, env)  # a search that goes on loses what VIP gave it
    return Decision((me,), (Answer(event.query), Say(me.person, text("vip.refund_owed", n=charge.stars))))
