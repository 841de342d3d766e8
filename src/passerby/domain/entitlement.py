"""A person's entitlements: VIP for a time, and filters, which operators may open to everybody.

VIPs also have comforts: several kept wishes, longer lists, pictures without blur. Where VIP makes no difference,
everybody has them.
"""

import msgspec

from passerby.kernel.decision import Env
from passerby.kernel.participant import Blur, Participant, Preferences
from passerby.kernel.rules import Filter, Rules


def matters(rules: Rules) -> bool:
    """Whether VIPs have something that others lack."""
    return bool(rules.plans) or set(rules.free_filters) != set(Filter)


def all_free(rules: Rules) -> bool:
    """Whether every filter is open to everybody, so nobody uses a VIP's."""
    return set(Filter) <= set(rules.free_filters)


def is_vip(me: Participant, now: float) -> bool:
    """`now` in Unix seconds."""
    return me.vip_until > now


def may_filter(me: Participant, which: Filter, env: Env) -> bool:
    """Whether a person's hard wish of this kind counts."""
    return which in env.rules.free_filters or is_vip(me, env.now)


def has_comforts(me: Participant, env: Env) -> bool:
    """Whether a person may keep several wishes, has longer lists, and may see strangers' first pictures unblurred."""
    return not matters(env.rules) or is_vip(me, env.now)


def blur_of(me: Participant, env: Env) -> Blur:
    """When strangers' pictures are blurred for this person. The wish for none waits until they are a VIP again."""
    blur = me.preferences.blur
    return Blur.FIRST if blur is Blur.NEVER and not has_comforts(me, env) else blur


def filter_used(me: Participant, env: Env) -> Participant:
    """The person, with a note in their wallet if this search uses a filter that they paid for. See
    `domain.money.own_refund`."""
    wants = me.preferences
    pays_off = (wants.genders and Filter.GENDER not in env.rules.free_filters) or (
        (wants.age_min is not None or wants.age_max is not None) and Filter.AGE not in env.rules.free_filters
    )
    if me.wallet is None or not pays_off or not is_vip(me, env.now):
        return me
    return msgspec.structs.replace(me, wallet=msgspec.structs.replace(me.wallet, filtered_at=env.now))


def wishes_of(me: Participant, env: Env) -> Preferences:
    """The preferences that count now. Wishes that need VIP wait until the person is a VIP again."""
    wants = me.preferences
    if not may_filter(me, Filter.GENDER, env):
        wants = msgspec.structs.replace(wants, genders=())
    if not may_filter(me, Filter.AGE, env):
        wants = msgspec.structs.replace(wants, age_min=None, age_max=None)
    return wants
