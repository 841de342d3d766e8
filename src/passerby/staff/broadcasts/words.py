"""`/broadcast`, and what may follow it:

/broadcast                       all broadcasts
/broadcast 3                     this one
/broadcast 3 message de          send its message in German (`message de B`: version B of it)
/broadcast 3 buttons de          send the buttons of that message
/broadcast 3 pause               what the buttons do: preview, test, plan, start, approve, pause, resume, stop, recall
/broadcast 3 language=de age=18-30 at=2026-12-01T18:00      options (see `domain.broadcasts.options`)
"""

from passerby.dialogue.staff import answer, refused
from passerby.domain.broadcasts.actions import has_message, no_correction
from passerby.domain.broadcasts.codes import is_language
from passerby.kernel.broadcast import Broadcast, Composing
from passerby.kernel.decision import Env
from passerby.kernel.digits import whole
from passerby.kernel.event import MessageReceived
from passerby.kernel.staff import StaffDecision, StaffFacts
from passerby.kernel.staff_requests import BroadcastAct
from passerby.kernel.text import text
from passerby.staff.broadcasts.acting import do
from passerby.staff.broadcasts.cards import listed
from passerby.staff.broadcasts.composing import CODES, EDITABLE, compose, set_options

ANY_LANGUAGE = "*"


def commanded(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    _, *words = event.text.split()
    if not words:
        return StaffDecision(effects=answer(event, *listed(facts)))
    number, *rest = words
    broadcast = facts.broadcast(int(number)) if whole(number) is not None else None
    if broadcast is None:
        return refused(event, text("broadcasts.unknown"))
    what = rest[0].lower() if rest else BroadcastAct.SHOW
    if what in {*BroadcastAct} - {BroadcastAct.CORRECT}:
        return do(event, BroadcastAct(what), broadcast, facts, env)
    if what in ("message", "buttons", BroadcastAct.CORRECT):
        return _compose(event, broadcast, rest, facts, env)
    return set_options(event, broadcast, " ".join(rest), facts, env)


def _compose(
    event: MessageReceived, broadcast: Broadcast, words: list[str], facts: StaffFacts, env: Env
) -> StaffDecision:
    assert facts.me is not None
    what, language, arm = (*words, *(ANY_LANGUAGE, "A")[len(words) - 1 :])[:3]
    language = "" if language == ANY_LANGUAGE else language.lower()
    refusal = None if broadcast.state in EDITABLE else "broadcasts.not_now"
    if what == BroadcastAct.CORRECT:
        refusal = no_correction(broadcast, facts, env)
    if refusal is not None:
        return refused(event, text(refusal))
    if arm.upper() not in ("A", "B"):
        return refused(event, text("broadcasts.wrong_version", version=arm))
    if language and not is_language(language):
        return refused(event, text("broadcasts.unknown_language", language=language, example=CODES))
    if what == "buttons" and not has_message(broadcast, language, arm.upper()):
        return refused(event, text("broadcasts.no_message"))
    composing = Composing(facts.me.number, language, arm.upper(), what == "buttons")
    return compose(event, broadcast, composing, facts)
