"""Cases: staff take one, look at what reporters chose, and decide; a rule may do something mild before.

Staff see people of a case under names that are others tomorrow and in each case. A case is taken for a quarter of an
hour. The member who decides must have seen the newest version.
"""

from passerby.kernel.staff import Agreed, Allowed, Permission, StaffFeature
from passerby.kernel.staff_requests import ExportAsked, HoldAsked, UnmaskAsked
from passerby.staff.cases.appeals import overturn_pressed, uphold_pressed
from passerby.staff.cases.deciding import (
    choose_kind,
    choose_length,
    choose_reason,
    confirm_pressed,
    dismiss_pressed,
    leave_pressed,
    mute_pressed,
    note_pressed,
    refuse_pressed,
    sanction_pressed,
)
from passerby.staff.cases.farms import ban_pressed, lift_pressed, suspend_pressed
from passerby.staff.cases.legal import (
    export_agreed,
    export_asked,
    hold_agreed,
    hold_asked,
    hold_pressed,
    unmask_agreed,
    unmask_asked,
    unmask_pressed,
)
from passerby.staff.cases.view import exhibits_pressed, queue_asked, show_pressed, take_next

_NEEDS = Permission.SANCTION

feature = StaffFeature(
    "cases",
    commands={"cases": Allowed(queue_asked, _NEEDS), "next": Allowed(take_next, _NEEDS)},
    presses={
        "case_next": Allowed(take_next, _NEEDS),
        "case_show": Allowed(show_pressed, _NEEDS),
        "case_see": Allowed(exhibits_pressed, _NEEDS),
        "case_kind": Allowed(choose_kind, _NEEDS),
        "case_why": Allowed(choose_reason, _NEEDS),
        "case_long": Allowed(choose_length, _NEEDS),
        "case_do": Allowed(sanction_pressed, _NEEDS),
        "case_note": Allowed(note_pressed, _NEEDS),
        "case_dismiss": Allowed(dismiss_pressed, _NEEDS),
        "case_leave": Allowed(leave_pressed, _NEEDS),
        "case_mute": Allowed(mute_pressed, _NEEDS),
        "case_lift": Allowed(lift_pressed, _NEEDS),
        "case_suspend": Allowed(suspend_pressed, _NEEDS),
        "case_ban": Allowed(ban_pressed, _NEEDS),
        "case_confirm": Allowed(confirm_pressed, Permission.BAN),
        "case_refuse": Allowed(refuse_pressed, Permission.BAN),
        "case_uphold": Allowed(uphold_pressed, _NEEDS),
        "case_overturn": Allowed(overturn_pressed, _NEEDS),
        "case_hold": Allowed(hold_pressed, Permission.LEGAL),
        "case_unmask": Allowed(unmask_pressed, Permission.LEGAL),
    },
    requests={
        HoldAsked: Allowed(hold_asked, Permission.LEGAL),
        UnmaskAsked: Allowed(unmask_asked, Permission.LEGAL),
        ExportAsked: Allowed(export_asked, Permission.LEGAL),
    },
    agreed={
        HoldAsked: Agreed(hold_agreed),
        UnmaskAsked: Agreed(unmask_agreed),
        ExportAsked: Agreed(export_agreed),
    },
)
