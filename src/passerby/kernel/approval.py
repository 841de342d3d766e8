"""An approval: something that one staff member asks for, and a second one must agree to. It is in the records only."""

from enum import StrEnum

import msgspec

from passerby.kernel.ids import PersonId
from passerby.kernel.text import Text


class ApprovalState(StrEnum):
    WAITING = "waiting"
    GIVEN = "given"
    DECLINED = "declined"


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """Times are in Unix seconds. Staff members are named by their numbers.

    - `request` is what was asked for, as JSON (see `domain.approvals`). It is carried out when a second member agrees.
    - `needs` is the permission that the second member must have (a `kernel.staff.Permission`).
    - `subject` is how the audit names what it is about. `person`: whom it is about, if it is about a person.
    - `what` says it to the second member.
    """

    number: int
    request: str
    needs: str
    subject: str
    what: Text
    asked_by: int
    asked_at: float
    expires_at: float
    person: PersonId | None = None
    state: ApprovalState = ApprovalState.WAITING
    decided_by: int | None = None
    decided_at: float | None = None
