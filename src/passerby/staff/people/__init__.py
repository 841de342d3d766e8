"""A person who showed their support code: what staff see of them, and what they can do about them.

Staff see no name, no id and no message. Every look is in the audit. A sanction is an order: the fleet carries it out
within a second, and tells the person why. A ban without an end needs a second member of the team.
"""

from passerby.kernel.staff import Agreed, Allowed, Permission, StaffFeature
from passerby.kernel.staff_requests import DataAsked, LiftAsked, PersonAsked, SanctionAsked
from passerby.staff.people.data import copy_pressed, data_asked, erase_pressed, gone_pressed
from passerby.staff.people.sanctioning import (
    agreed,
    choose_kind,
    choose_length,
    choose_reason,
    declined,
    lift_agreed,
    lift_asked,
    lift_pressed,
    sanction_asked,
    sanction_pressed,
)
from passerby.staff.people.view import looked_up, person_asked, shown_again

feature = StaffFeature(
    "people",
    commands={"person": Allowed(looked_up, Permission.PEOPLE)},
    presses={
        "person_show": Allowed(shown_again, Permission.PEOPLE),
        "person_copy": Allowed(copy_pressed, Permission.PEOPLE),
        "person_erase": Allowed(erase_pressed, Permission.PEOPLE),
        "person_gone": Allowed(gone_pressed, Permission.PEOPLE),
        "person_kind": Allowed(choose_kind, Permission.SANCTION),
        "person_why": Allowed(choose_reason, Permission.SANCTION),
        "person_long": Allowed(choose_length, Permission.SANCTION),
        "person_do": Allowed(sanction_pressed, Permission.SANCTION),
        "person_lift": Allowed(lift_pressed, Permission.SANCTION),
    },
    requests={
        PersonAsked: Allowed(person_asked, Permission.PEOPLE),
        SanctionAsked: Allowed(sanction_asked, Permission.SANCTION),
        DataAsked: Allowed(data_asked, Permission.PEOPLE),
        LiftAsked: Allowed(lift_asked, Permission.SANCTION),
    },
    agreed={SanctionAsked: Agreed(agreed, declined), LiftAsked: Agreed(lift_agreed)},
)
