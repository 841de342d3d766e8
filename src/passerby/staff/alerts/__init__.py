"""Who gets alerts. The alerts themselves are in the runtime, which tells `StaffBoard` (`runtime.staff.board`)."""

import msgspec

from passerby.dialogue.staff import answer
from passerby.domain.team import called
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.staff import Allowed, AuditNote, Permission, StaffDecision, StaffFacts, StaffFeature
from passerby.kernel.text import text

_WISHES = {"on": True, "off": False}


def _alerts(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/alerts`, `/alerts on`, `/alerts off`"""
    return _set(event, event.text.partition(" ")[2].strip().lower(), facts)


def _pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _set(event, event.token, facts)


def _set(event: MessageReceived | ButtonPressed, wish: str, facts: StaffFacts) -> StaffDecision:
    me = facts.me
    assert me is not None
    wanted = _WISHES.get(wish, me.alerts)
    other = "off" if wanted else "on"
    menu = Menu(((Button(text(f"staff_alerts.turn_{other}"), "staff_alerts", other),),))
    shown = answer(event, text("staff_alerts.on" if wanted else "staff_alerts.off"), menu)
    if wanted == me.alerts:
        return StaffDecision(effects=shown)
    note = AuditNote("alerts.wanted" if wanted else "alerts.unwanted", called(me.number, ""))
    return StaffDecision((msgspec.structs.replace(me, alerts=wanted),), notes=(note,), effects=shown)


feature = StaffFeature(
    "alerts",
    commands={"alerts": Allowed(_alerts, Permission.ALERTS)},
    presses={"staff_alerts": Allowed(_pressed, Permission.ALERTS)},
)
