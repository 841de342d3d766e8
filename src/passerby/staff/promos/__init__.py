"""Promo codes: made, and revoked. Nothing else of a code changes, so nobody's code becomes another one.

A member makes codes worth `PROMO_SECOND_ABOVE` VIP days in a day alone. For more, a second member must agree.
"""

import msgspec

from passerby.dialogue.approvals import second_asked
from passerby.dialogue.staff import refused
from passerby.domain.alone import APPROVAL, PROMOS_MADE, WORTH, worth_days
from passerby.kernel.decision import Env
from passerby.kernel.staff import Agreed, Allowed, AuditNote, Permission, StaffDecision, StaffFacts, StaffFeature
from passerby.kernel.staff_ids import StaffId
from passerby.kernel.staff_requests import PromoMade, PromoRevoked
from passerby.kernel.text import text


def make(asked: PromoMade, facts: StaffFacts, env: Env) -> StaffDecision:
    if facts.promo is not None:
        return refused(asked, text("promos.exists", code=asked.code))
    assert facts.me is not None, "the router has asked who it is"
    days = worth_days(asked.codes, env.rules.plans, env.rules.longest_plan)
    if facts.alone.promo_days + days > env.rules.promo_second_above:
        first, count = asked.codes[0], len(asked.codes)
        what = text("promos.ask", code=first.code, n=count, days=days, before=facts.alone.promo_days)
        return second_asked(
            asked, asked, facts, env, needs=Permission.MONEY, subject=f"promo code {first.code}", what=what
        )
    return _made(asked, facts.me.number, {WORTH: days}, env)


def agreed(asked: PromoMade, facts: StaffFacts, env: Env) -> StaffDecision:
    """A second member agrees. Meanwhile somebody else may have made a code of this name."""
    if facts.promo is not None:
        return refused(asked, text("promos.exists", code=asked.code))
    assert facts.approval is not None, "it was asked for"
    approval = facts.approval
    return _made(asked, StaffId(approval.asked_by), {APPROVAL: approval.number}, env)


def _made(asked: PromoMade, by: StaffId, more: dict[str, int], env: Env) -> StaffDecision:
    first, several = asked.codes[0], len(asked.codes)
    details = {"codes": several, "days": first.days, "percent": first.percent, "uses": first.most_uses}
    made = tuple(msgspec.structs.replace(each, made_at=env.now, made_by=by) for each in asked.codes)
    return StaffDecision(
        promos=made,
        notes=(AuditNote(PROMOS_MADE, first.code, details | more),),
        reply=text("promos.made", code=first.code, n=several),
    )


def revoke(asked: PromoRevoked, facts: StaffFacts, env: Env) -> StaffDecision:
    promo = facts.promo
    if promo is None:
        return refused(asked, text("promos.unknown", code=asked.code))
    if promo.revoked_at is not None:
        return refused(asked, text("promos.revoked_before", code=asked.code))
    return StaffDecision(
        promos=(msgspec.structs.replace(promo, revoked_at=env.now),),
        notes=(AuditNote("promos.revoked", promo.code, {"uses": promo.uses}),),
        reply=text("promos.revoked", code=promo.code, n=promo.uses),
    )


feature = StaffFeature(
    "promos",
    requests={
        PromoMade: Allowed(make, Permission.MONEY),
        PromoRevoked: Allowed(revoke, Permission.MONEY),
    },
    agreed={PromoMade: Agreed(agreed)},
)
