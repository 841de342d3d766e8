"""Signing in to the operators' panel.

    browser asks    the panel shows a code
    /panel CODE     in the staff bot: asks the member, with two buttons, and with a link for that browser
    yes, or link    the browser that asked takes up its login, and gets a session
    other browsers  are refused: the code and the link alone are worth nothing

A link of the command line works in the first browser that uses it. Every step is in the audit.
"""

import msgspec

from passerby.dialogue.staff import answer, refused
from passerby.domain import support
from passerby.domain.commands import words_after
from passerby.domain.panel import SESSION_S, is_open
from passerby.domain.team import may
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.panel import PanelLogin, PanelSession
from passerby.kernel.staff import COMMAND_LINE, Allowed, AuditNote, Permission, StaffDecision, StaffFacts, StaffFeature
from passerby.kernel.staff_requests import (
    FaultResolved,
    PanelEntered,
    PanelLinkAsked,
    PasskeyAdded,
    PasskeyRemoved,
    PasskeysReset,
    SessionEnded,
)
from passerby.kernel.text import text
from passerby.staff.panel.passkeys import added, removed, reset


def _login(facts: StaffFacts, env: Env) -> PanelLogin | None:
    """The login that the event names, if it may be confirmed or used."""
    found = facts.panel.login
    return found if found is not None and is_open(found, env.now) else None


def _ask(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/panel CODE`: ask whether it was them. Nothing is changed yet."""
    if not facts.panel_url:
        return refused(event, text("staff_panel.off", setting="PANEL_URL"))
    login = _login(facts, env)
    if login is None:
        if words_after(event.text):
            return refused(event, text("staff_panel.unknown", url=facts.panel_url))
        return refused(event, text("staff_panel.how", url=facts.panel_url, command="/panel ABCD-EFGH"))
    buttons = (
        (Button(text("staff_panel.yes"), "panel_yes", login.name),),
        (Button(text("staff_panel.link"), "panel_link", login.name),),
        (Button(text("staff_panel.no"), "panel_no", login.name),),
    )
    said = text("staff_panel.ask", code=support.shown(login.name))
    return StaffDecision(effects=(Say(event.person, said, Menu(buttons)),))


def _yes(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """It was them. The browser that asked may go in now."""
    login, me = _login(facts, env), facts.me
    assert me is not None
    if login is None or login.confirmed_at is not None or login.member not in (None, me.number):
        return refused(event, text("staff_panel.unknown", url=facts.panel_url))
    confirmed = msgspec.structs.replace(login, member=me.number, confirmed_at=env.now)
    shown = answer(event, text("staff_panel.confirmed"))
    return StaffDecision(logins=(confirmed,), notes=(AuditNote("panel.confirmed"),), effects=shown)


def _link(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """A link, which works in the browser that asked, and in no other."""
    login, me = _login(facts, env), facts.me
    assert me is not None
    if login is None or login.confirmed_at is not None or login.member not in (None, me.number) or not facts.secret:
        return refused(event, text("staff_panel.unknown", url=facts.panel_url))
    linked = msgspec.structs.replace(login, member=me.number, link=facts.digest)
    said = text("staff_panel.open", url=f"{facts.panel_url}/enter/{facts.secret}")
    shown = answer(event, said)
    return StaffDecision(logins=(linked,), notes=(AuditNote("panel.link_sent"),), effects=shown)


def _no(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """It was somebody else. The code is of no use any more."""
    login = _login(facts, env)
    if login is None:
        return refused(event, text("staff_panel.unknown", url=facts.panel_url))
    over = msgspec.structs.replace(login, expires_at=env.now)
    note = AuditNote("panel.disowned")
    return StaffDecision(logins=(over,), notes=(note,), effects=answer(event, text("staff_panel.refused")))


def _link_asked(asked: PanelLinkAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    if asked.member != COMMAND_LINE and facts.member(asked.member) is None:
        return refused(asked, text("team.nobody"))
    made = PanelLogin(asked.digest, "", env.now, env.now + asked.lasts_s, asked.digest, asked.member, env.now)
    note = AuditNote("panel.invited", f"#{asked.member}")
    return StaffDecision(
        logins=(made,), notes=(note,), reply=text("staff_panel.invited", minutes=int(asked.lasts_s // 60))
    )


def _entered(asked: PanelEntered, facts: StaffFacts, env: Env) -> StaffDecision:
    """The browser takes up its login, once."""
    login, me = _login(facts, env), facts.me
    assert me is not None
    is_theirs = login is not None and login.browser in ("", asked.browser) and login.member == me.number
    by_code = login is not None and login.confirmed_at is not None
    by_link = login is not None and login.link != "" and asked.login == login.link
    if login is None or not is_theirs or not (by_code or by_link):
        return refused(asked, text("staff_panel.unknown", url=facts.panel_url))
    begun = PanelSession(
        number=facts.panel.next_session,
        digest=asked.session,
        member=me.number,
        made_at=env.now,
        proved_at=env.now,
        seen_at=env.now,
        ends_at=env.now + SESSION_S,
        agent=asked.agent,
        rotated_at=env.now,
    )
    before = tuple(
        msgspec.structs.replace(each, ended_at=env.now)
        for each in facts.panel.sessions
        if each.number == asked.replaces and each.member == me.number
    )
    used = msgspec.structs.replace(login, used_at=env.now, browser=asked.browser)
    note = AuditNote("panel.signed_in", f"session {begun.number}", {"browser": asked.agent, "link": by_link})
    said = text("staff_panel.signed_in", browser=asked.agent, page="Sessions")
    told = (Say(me.person, said),) if me.number != COMMAND_LINE else ()
    return StaffDecision(logins=(used,), sessions=(*before, begun), notes=(note,), effects=told, reply=said)


def _ended(asked: SessionEnded, facts: StaffFacts, env: Env) -> StaffDecision:
    """Everybody ends their own sessions. A member who may change the team ends any."""
    assert facts.me is not None
    found = next((each for each in facts.panel.sessions if each.number == asked.session), None)
    if found is None:
        return refused(asked, text("staff_panel.no_session"))
    if found.member != facts.me.number and not may(facts.me, Permission.TEAM):
        return refused(asked, text("team.not_allowed"))
    over = msgspec.structs.replace(found, ended_at=env.now)
    note = AuditNote("panel.signed_out", f"session {found.number}", {"of": found.member})
    return StaffDecision(sessions=(over,), notes=(note,), reply=text("staff_panel.ended"))


def _resolved(asked: FaultResolved, facts: StaffFacts, env: Env) -> StaffDecision:
    note = AuditNote("fault.resolved", asked.fingerprint)
    return StaffDecision(resolved=(asked.fingerprint,), notes=(note,), reply=text("staff_panel.resolved"))


feature = StaffFeature(
    "panel",
    commands={"panel": Allowed(_ask)},
    presses={"panel_yes": Allowed(_yes), "panel_link": Allowed(_link), "panel_no": Allowed(_no)},
    requests={
        PanelLinkAsked: Allowed(_link_asked, Permission.TEAM),
        PanelEntered: Allowed(_entered),
        SessionEnded: Allowed(_ended),
        PasskeyAdded: Allowed(added),
        PasskeyRemoved: Allowed(removed),
        PasskeysReset: Allowed(reset, Permission.TEAM),
        FaultResolved: Allowed(_resolved, Permission.SETTINGS),
    },
)
