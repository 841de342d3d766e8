"""Promo codes: made, and revoked. Nothing else of a code changes, so nobody's code becomes another one."""

import msgspec

from passerby.dialogue.staff import refused
from passerby.kernel.decision import Env
from passerby.kernel.staff import Allowed, AuditNote, Permission, StaffDecision, StaffFacts, StaffFeature
from passerby.kernel.staff_requests import PromoMade, PromoRevoked
from passerby.kernel.text import text


def make(asked: PromoMade, facts: StaffFacts, env: Env) -> StaffDecision:
    if facts.promo is not None:
        return refused(asked, text("promos.exists", code=asked.code))
    assert facts.me is not None, "the router has asked who it is"
    by = facts.me.number
    first, several = asked.codes[0], len(asked.codes)
    details = {"codes": several, "days": first.days, "percent": first.percent, "uses": first.most_uses}
    made = tuple(msgspec.structs.replace(each, made_at=env.now, made_by=by) for each in asked.codes)
    return StaffDecision(
        promos=made,
        notes=(AuditNote("promos.made", first.code, details),),
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
)
