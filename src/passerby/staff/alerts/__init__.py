"""The choice of staff who get alerts, and the buttons under an alert. The alerts themselves are in the runtime
(`runtime.alerting`)."""

import msgspec

from passerby.dialogue.staff import answer
from passerby.domain.alerts.rules import BY_NAME
from passerby.domain.alerts.runbooks import what_to_do
from passerby.domain.commands import words_after
from passerby.domain.team import called
from passerby.kernel.decision import Env
from passerby.kernel.effect import Answer, Button, Menu, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.staff import Allowed, AuditNote, Permission, StaffDecision, StaffFacts, StaffFeature
from passerby.kernel.staff_requests import AlertAsked
from passerby.kernel.text import text

_WISHES = {"on": True, "off": False}


def _alerts(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/alerts`, `/alerts on`, `/alerts off`"""
    return _set(event, words_after(event.text).lower(), facts)


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


def _acknowledge(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """I look after it: it is not repeated."""
    return _ordered(event, "alert.acknowledged", "staff_alerts.acknowledged")


def _silence(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Say nothing new about it for an hour."""
    return _ordered(event, "alert.silenced", "staff_alerts.silenced")


def _ordered(event: ButtonPressed, action: str, said: str) -> StaffDecision:
    """The alerts read the audit (`runtime.alerting.posts`), and then change the message."""
    if event.token not in BY_NAME:
        return StaffDecision(effects=(Answer(event.query),))
    return StaffDecision(notes=(AuditNote(action, event.token),), effects=(Answer(event.query, text(said)),))


def _asked(asked: AlertAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    """The same, without a button."""
    action, said = ("alert.silenced", "silenced") if asked.silences else ("alert.acknowledged", "acknowledged")
    return StaffDecision(notes=(AuditNote(action, asked.rule),), reply=text(f"staff_alerts.{said}"))


def _help(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Show the runbook."""
    stopped = Answer(event.query)
    rule = BY_NAME.get(event.token)
    if rule is None:
        return StaffDecision(effects=(stopped,))
    return StaffDecision(effects=(stopped, Say(event.person, text("staff_alerts.words", words=what_to_do(rule)))))


feature = StaffFeature(
    "alerts",
    commands={"alerts": Allowed(_alerts, Permission.ALERTS)},
    presses={
        "staff_alerts": Allowed(_pressed, Permission.ALERTS),
        "alert_ack": Allowed(_acknowledge, Permission.ALERTS),
        "alert_silence": Allowed(_silence, Permission.ALERTS),
        "alert_help": Allowed(_help, Permission.ALERTS),
    },
    requests={AlertAsked: Allowed(_asked, Permission.ALERTS)},
)
