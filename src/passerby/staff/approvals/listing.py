"""The acts that wait for a second member."""

from passerby.dialogue.approvals import broadcast_card, card, case_card, menu
from passerby.dialogue.staff import lines
from passerby.domain.approvals import may_decline, proposals, submitted, waits
from passerby.kernel.approval import Approval
from passerby.kernel.decision import Env
from passerby.kernel.effect import Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.staff import StaffDecision, StaffFacts
from passerby.kernel.staff_requests import ApprovalsAsked
from passerby.kernel.text import text


def _waiting(facts: StaffFacts, now: float) -> list[Approval]:
    return [each for each in facts.approvals if waits(each, now) and may_decline(each, facts)]


def listed(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/approvals`: each that the member may decide on, with its buttons."""
    says = [Say(event.person, card(each, env.now), menu(each)) for each in _waiting(facts, env.now)]
    says += [Say(event.person, case_card(each)) for each in proposals(facts.proposed, facts)]
    says += [Say(event.person, broadcast_card(each)) for each in submitted(facts.broadcasts, facts)]
    return StaffDecision(effects=tuple(says) or (Say(event.person, text("approvals.none")),))


def list_asked(asked: ApprovalsAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    waiting = [card(each, env.now) for each in _waiting(facts, env.now)]
    waiting += map(case_card, proposals(facts.proposed, facts))
    waiting += map(broadcast_card, submitted(facts.broadcasts, facts))
    return StaffDecision(reply=lines(waiting) if waiting else text("approvals.none"))
