"""Acts that wait for a second member of the team: the list, the agreement, the refusal.

Other staff features ask for it (`dialogue.approvals`), and say in `StaffFeature.agreed` how it is carried out.
"""

from passerby.kernel.staff import Allowed, StaffFeature
from passerby.kernel.staff_requests import ApprovalsAsked
from passerby.staff.approvals.deciding import deciding
from passerby.staff.approvals.listing import list_asked, listed

feature = StaffFeature(
    "approvals",
    commands={"approvals": Allowed(listed)},
    requests={ApprovalsAsked: Allowed(list_asked)},
    seconds=deciding,
)
