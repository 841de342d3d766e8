"""What a person is entitled to: being a VIP for a time, and filters, which operators may open to everybody."""

import msgspec

from passerby.kernel.decision import Env
from passerby.kernel.participant import Participant, Preferences
from passerby.kernel.rules import Filter


def is_vip(me: Participant, now: float) -> bool:
    """`now` in Unix seconds."""
    return me.vip_until > now


def may_filter(me: Participant, which: Filter, env: Env) -> bool:
    """Whether a person's hard wish of this kind counts."""
    return which in env.rules.free_filters or is_vip(me, env.now)


def wishes_of(me: Participant, env: Env) -> Preferences:
    """The preferences that count now. Wishes that need VIP wait until the person is a VIP again."""
    wants = me.preferences
    if not may_filter(me, Filter.GENDER, env):
        wants = msgspec.structs.replace(wants, genders=())
    if not may_filter(me, Filter.AGE, env):
        wants = msgspec.structs.replace(wants, age_min=None, age_max=None)
    return wants
