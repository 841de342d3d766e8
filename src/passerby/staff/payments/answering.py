"""Answering a payment case: the person gets the words, and the case is closed."""

import msgspec

from passerby.dialogue.spans import HOUR_S
from passerby.dialogue.staff import answer, refused
from passerby.domain.money.cases import LONGEST
from passerby.kernel.decision import Env
from passerby.kernel.event import MessageReceived
from passerby.kernel.payment_case import AnswerOrder
from passerby.kernel.staff import AuditNote, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import AnswerAsked
from passerby.kernel.text import text
from passerby.staff.payments.view import known, named


def answered(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/answer CODE words`"""
    words = event.text.split(maxsplit=2)[2:]
    return _answer(event, words[0] if words else "", facts, env)


def answer_asked(asked: AnswerAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    return _answer(asked, asked.words, facts, env)


def _answer(event: object, words: str, facts: StaffFacts, env: Env) -> StaffDecision:
    case, words = known(facts).case, words.strip()
    if not words:
        return refused(event, text("payments.how"))
    if len(words) > LONGEST:
        return refused(event, text("payments.too_long", most=LONGEST))
    if case is None:
        return refused(event, text("payments.unknown"))
    assert facts.me is not None, "only staff get here"
    closed = msgspec.structs.replace(case, answered_at=env.now, answered_by=int(facts.me.number))
    note = AuditNote("payment_case.answered", named(case), {"hours": int((env.now - case.opened_at) // HOUR_S)})
    done = text("payments.answered")
    return StaffDecision(
        notes=(note,),
        orders=(AnswerOrder(case.person, case.code, words),),
        payment_cases=(closed,),
        effects=answer(event, done) if isinstance(event, MessageReceived) else (),
        reply=done,
    )
