"""The fleet's bots: those that close, whose people are sent to a sister bot before they are retired."""

from passerby.kernel.staff import Allowed, Permission, StaffFeature
from passerby.kernel.staff_requests import BotAddAsked, DrainAsked, DrainEndAsked, RetireAsked
from passerby.staff.bots.changes import add, drain, end_drain, retire
from passerby.staff.bots.listing import (
    close_pressed,
    list_bots,
    one_pressed,
    reopen_pressed,
    retire_pressed,
    sure_pressed,
)

feature = StaffFeature(
    "bots",
    commands={"bots": Allowed(list_bots, Permission.SETTINGS)},
    presses={
        "bots_list": Allowed(list_bots, Permission.SETTINGS),
        "bots_one": Allowed(one_pressed, Permission.SETTINGS),
        "bots_close": Allowed(close_pressed, Permission.SETTINGS),
        "bots_reopen": Allowed(reopen_pressed, Permission.SETTINGS),
        "bots_retire": Allowed(retire_pressed, Permission.SETTINGS),
        "bots_sure": Allowed(sure_pressed, Permission.SETTINGS),
    },
    requests={
        BotAddAsked: Allowed(add, Permission.SETTINGS),
        DrainAsked: Allowed(drain, Permission.SETTINGS),
        DrainEndAsked: Allowed(end_drain, Permission.SETTINGS),
        RetireAsked: Allowed(retire, Permission.SETTINGS),
    },
)
