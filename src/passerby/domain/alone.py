"""A member may do something small alone, but not all day: the sum of a day has the limit of one act.

The sums come from the audit, which every such act enters in its own transaction. An act that a second member agreed to
carries the number of its approval, and counts for nobody. A day is the last 24 hours, so no midnight starts it over.

An appeal counts for nobody either: whoever decides it is the second member, because somebody else imposed the sanction.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from passerby.kernel.alone import Alone
from passerby.kernel.case import About, Outcome
from passerby.kernel.money import Plan
from passerby.kernel.promo import PromoCode

DAY_S: Final = 86_400.0

LIFTS_ALONE: Final = 20
"""How many sanctions a member may end in a day without a second member."""

IMPOSED_ALONE: Final = 200
"""After this many sanctioned accounts in a day, a member imposes no further one alone. One farm may have more."""

FREED_ALONE: Final = 200
"""After this many freed accounts of farms in a day, a member frees no further farm alone."""

REFUNDED: Final = "purchase.refunded"
PROMOS_MADE: Final = "promos.made"
LIFTED: Final = "person.sanction_lifted"
BROADCAST_STARTED: Final = "broadcast.start"
SANCTIONED: Final = "person.sanctioned"
DECIDED: Final = "case.decided"
BAN_PROPOSED: Final = "case.ban_proposed"
"""Its accounts are suspended until a second member looks."""
SECOND_ASKED: Final = "approval.asked"
COUNTED: Final = (
    *(REFUNDED, PROMOS_MADE, LIFTED, BROADCAST_STARTED),
    *(SANCTIONED, DECIDED, BAN_PROPOSED, SECOND_ASKED),
)
"""The actions of the audit that are summed up."""

APPROVAL: Final = "approval"
"""The detail of a note that names the approval of the act."""
SECOND: Final = "second"
"""The detail of a note about a case that says that this member agreed to the proposal of another one."""
WORTH: Final = "worth_days"
SPREAD: Final = "give_or_take"
"""The detail of a note about a broadcast whose people were counted from a sample."""
SUBMITTED: Final = "waits"
"""The detail of a note about a broadcast that waits for a second member."""
MEANWHILE: Final = "meanwhile"
"""The detail of a note about something that waits for a second member: so many accounts are suspended meanwhile."""


def summed(notes: Iterable[tuple[str, Mapping[str, Any]]]) -> Alone:
    """The sums of one member's notes of a day, each with its action and its details."""
    stars = promo_days = lifts = reached = imposed = freed = 0
    for action, details in notes:
        if action == SECOND_ASKED:
            imposed += details.get(MEANWHILE, 0)
        if details.keys() & {APPROVAL, SECOND, SUBMITTED}:
            continue
        if action == REFUNDED:
            stars += details.get("stars", 0)
        elif action == PROMOS_MADE:
            promo_days += details.get(WORTH, 0)
        elif action == LIFTED:
            lifts += 1
        elif action == BROADCAST_STARTED:
            reached += (details.get("people") or 0) + details.get(SPREAD, 0)
        elif action == SANCTIONED:
            imposed += 1
        elif action == BAN_PROPOSED or (action == DECIDED and details.get("outcome") == Outcome.SANCTIONED):
            imposed += details.get("accounts", 1)
        elif action == DECIDED and details.get("about") == About.FARM:
            freed += details.get("accounts", 0)
    return Alone(stars, promo_days, lifts, reached, imposed, freed)


def worth_days(codes: Iterable[PromoCode], plans: Iterable[Plan], longest_plan: int = 0) -> int:
    """How many VIP days these codes give away at most. A discount counts as its share of the longest plan, of those on
    sale and of `longest_plan` days."""
    longest = max((longest_plan, *(plan.days for plan in plans)))
    return sum(each.most_uses * (each.days + -(-longest * each.percent // 100)) for each in codes)
