"""Some acts need two members of the team: one asks, and a second one agrees within a day.

A request is kept as it was made. When the second member agrees, it is decided on again with the facts of that moment,
and carried out in the same transaction. So nothing is carried out that has become impossible meanwhile.

The person whom it is about may not agree. The command line may ask and decline, but not agree: nobody knows who sits
there, so it may be the one who asked.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from passerby.domain.team import may
from passerby.kernel.approval import Approval, ApprovalState
from passerby.kernel.broadcast import Broadcast, BroadcastState
from passerby.kernel.case import Case, CaseAsked
from passerby.kernel.ids import PersonId
from passerby.kernel.override import OverrideKey
from passerby.kernel.staff import COMMAND_LINE, Permission, StaffFacts, StaffMember
from passerby.kernel.staff_requests import (
    CaseActAsked,
    ExportAsked,
    HoldAsked,
    LiftAsked,
    OverrideAsked,
    PromoMade,
    RefundAsked,
    SanctionAsked,
    UnmaskAsked,
)
from passerby.kernel.text import Text

WAITS_S: Final = 86_400.0
"""How long a second member may take."""
KEPT_S: Final = 30 * 86_400.0
"""How long afterwards approvals are kept. The audit keeps what was done."""

SecondNeeded = (
    SanctionAsked | LiftAsked | RefundAsked | PromoMade | OverrideAsked | HoldAsked | UnmaskAsked | ExportAsked
)
"""The requests that may need a second member. Each has a tag of its own."""

_requests: Final[msgspec.json.Decoder[SecondNeeded]] = msgspec.json.Decoder(SecondNeeded)


def request_of(approval: Approval) -> SecondNeeded:
    """The act that was asked for."""
    return _requests.decode(approval.request)


def purchase_of(approval: Approval | None) -> str:
    """The code of the purchase that an approval is about; empty if there is none."""
    request = request_of(approval) if approval is not None else None
    return request.purchase if isinstance(request, RefundAsked) else ""


def promo_about(approval: Approval | None) -> str:
    """The first promo code that an approval is about; empty if there is none."""
    request = request_of(approval) if approval is not None and approval.request else None
    return request.code if isinstance(request, PromoMade) else ""


def override_key_of(approval: Approval | None) -> OverrideKey | None:
    """The key that an approval overrides; None: it overrides nothing."""
    request = request_of(approval) if approval is not None and approval.request else None
    return request.key if isinstance(request, OverrideAsked) else None


def case_about(approval: Approval | None) -> CaseAsked | None:
    """The case that it is about; None: it is about none."""
    request = request_of(approval) if approval is not None and approval.request else None
    return CaseAsked(request.case, closed=True) if isinstance(request, CaseActAsked) else None


def asked_for(
    request: SecondNeeded,
    facts: StaffFacts,
    now: float,
    *,
    needs: Permission,
    subject: str,
    what: Text,
    person: PersonId | None = None,
) -> Approval:
    """A new approval, which waits. Check `waits_already` first: nobody asks twice for the same."""
    assert facts.me is not None, "only staff ask"
    body = msgspec.json.encode(request, order="sorted").decode()
    number = facts.next_approval
    return Approval(number, body, needs, subject, what, facts.me.number, now, now + WAITS_S, person)


def waits(approval: Approval, now: float) -> bool:
    """Whether somebody may still decide. Nothing ends an approval: everybody who asks compares the times."""
    return approval.state is ApprovalState.WAITING and now < approval.expires_at


def waits_already(request: SecondNeeded, person: PersonId | None, facts: StaffFacts, now: float) -> bool:
    """Whether the same waits for a second member. A note on it makes no difference."""
    return any(
        waits(each, now) and each.person == person and _essence(request_of(each)) == _essence(request)
        for each in facts.approvals
    )


def _essence(request: SecondNeeded) -> SecondNeeded:
    ignored = {name: "" for name in ("code", "note") if hasattr(request, name)}
    return msgspec.structs.replace(request, **ignored)


def is_second(me: StaffMember, first: int, facts: StaffFacts) -> bool:
    """Whether `me` is somebody else than the member who asked, and that member is still in the team."""
    if first == COMMAND_LINE:
        return me.number != COMMAND_LINE
    asked = facts.member(first)
    return asked is not None and asked.number != me.number and asked.person != me.person


def is_about(facts: StaffFacts, person: PersonId) -> bool:
    """Whether an act is about the member themselves. Then a second member agrees, however small it is."""
    return facts.me is not None and facts.me.person == person


def obstacle(approval: Approval, facts: StaffFacts, now: float) -> str | None:
    """The text key of the reason why `facts.me` may not agree. None if they may."""
    me = facts.me
    assert me is not None, "only staff decide"
    has_left = approval.asked_by != COMMAND_LINE and facts.member(approval.asked_by) is None
    if has_left or not waits(approval, now):
        return "approvals.over"
    if not may(me, Permission(approval.needs)):
        return "team.not_allowed"
    if me.number == COMMAND_LINE:
        return "approvals.not_here"
    if not is_second(me, approval.asked_by, facts) or me.person == approval.person:
        return "approvals.second_needed"
    return None


def may_decline(approval: Approval, facts: StaffFacts) -> bool:
    """Whether `facts.me` may decline. The member who asked may withdraw it."""
    me = facts.me
    assert me is not None, "only staff decide"
    return may(me, Permission(approval.needs)) or me.number == approval.asked_by


def proposals(cases: Iterable[Case], facts: StaffFacts) -> tuple[Case, ...]:
    """The cases with a ban that waits for a second member, if `facts.me` may see that: they may ban, or proposed it."""
    me = facts.me
    assert me is not None, "only staff ask"
    known = [(each, each.proposal.by) for each in cases if each.proposal is not None]
    return tuple(case for case, by in known if may(me, Permission.BAN) or by == me.number)


def submitted(broadcasts: Iterable[Broadcast], facts: StaffFacts) -> tuple[Broadcast, ...]:
    """The broadcasts that wait for a second member, if `facts.me` may see that: they may approve, or started it."""
    me = facts.me
    assert me is not None, "only staff ask"
    waiting = (each for each in broadcasts if each.state is BroadcastState.SUBMITTED)
    return tuple(each for each in waiting if may(me, Permission.BROADCAST) or each.submitted_by == me.number)


def who_may_agree(approval: Approval, facts: StaffFacts) -> tuple[StaffMember, ...]:
    """The members who may agree."""
    able = (each for each in facts.team if may(each, Permission(approval.needs)) and each.person != approval.person)
    return tuple(each for each in able if each.number != approval.asked_by)


def decided(approval: Approval, state: ApprovalState, by: int, now: float) -> Approval:
    return msgspec.structs.replace(approval, state=state, decided_by=by, decided_at=now)
