"""Broadcasts: written by sending the message to the staff bot, shown on a card with buttons, and followed from there.

The runtime sends them (`runtime.broadcasts`). The command line and the panel ask for the same by requests.
"""

from passerby.kernel.staff import Allowed, Permission, StaffFeature
from passerby.kernel.staff_requests import BroadcastDone, BroadcastKept, BroadcastNew, BroadcastSet, BroadcastWritten
from passerby.staff.broadcasts.acting import asked, pressed
from passerby.staff.broadcasts.composing import awaits, kept_asked, made, new_pressed, options_asked, written_asked
from passerby.staff.broadcasts.words import commanded

feature = StaffFeature(
    "broadcasts",
    commands={"broadcast": Allowed(commanded, Permission.BROADCAST)},
    presses={
        "broadcast_new": Allowed(new_pressed, Permission.BROADCAST),
        "broadcast_do": Allowed(pressed, Permission.BROADCAST),
    },
    requests={
        BroadcastNew: Allowed(made, Permission.BROADCAST),
        BroadcastWritten: Allowed(written_asked, Permission.BROADCAST),
        BroadcastSet: Allowed(options_asked, Permission.BROADCAST),
        BroadcastKept: Allowed(kept_asked, Permission.BROADCAST),
        BroadcastDone: Allowed(asked, Permission.BROADCAST),
    },
    awaits=awaits,
)
