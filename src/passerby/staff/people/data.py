"""A copy of their data, or its erasure, for a person who asked staff for it. It goes the way of /mydata and /deleteme:
the person gets the file, not the staff, and has a day to change their mind."""

from passerby.dialogue.staff import answer, refused
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed
from passerby.kernel.staff import AuditNote, DataOrder, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import DataAsked
from passerby.kernel.text import text
from passerby.staff.people.view import named, unknown


def _back(code: str) -> Button:
    return Button(text("people.back"), "person_show", code)


def copy_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _order(event, DataAsked(event.token), facts)


def erase_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Ask once, for the person is told at once."""
    subject = facts.subject
    if subject is None:
        return unknown(event)
    yes = Button(text("people.erase_yes"), "person_gone", subject.code)
    return StaffDecision(effects=answer(event, text("people.erase_sure"), Menu(((yes,), (_back(subject.code),)))))


def gone_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _order(event, DataAsked(event.token, erases=True), facts)


def data_asked(asked: DataAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    return _order(asked, asked, facts)


def _order(event: object, asked: DataAsked, facts: StaffFacts) -> StaffDecision:
    subject = facts.subject
    if subject is None:
        return unknown(event)
    if subject.person.bot is None:
        return refused(event, text("people.not_reached"))
    done = text("people.erase_ordered" if asked.erases else "people.copy_ordered")
    action = "person.erasure_ordered" if asked.erases else "person.copy_ordered"
    return StaffDecision(
        notes=(AuditNote(action, named(subject), {}, asked.note),),
        orders=(DataOrder(subject.person.person, asked.erases),),
        effects=answer(event, done, Menu(((_back(subject.code),),))) if isinstance(event, ButtonPressed) else (),
        reply=done,
    )
