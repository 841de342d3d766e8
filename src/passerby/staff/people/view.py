"""The view of a person, for staff."""

from passerby.dialogue.staff import answer, languages_of, lines, refused
from passerby.domain.ages import age_now
from passerby.domain.commands import words_after
from passerby.domain.sanctions import binding
from passerby.domain.support import shown
from passerby.domain.team import may
from passerby.kernel.decision import Env
from passerby.kernel.effect import Button, Menu
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.sanction import Appeal, Sanction
from passerby.kernel.staff import AuditNote, Permission, StaffDecision, StaffFacts, Subject
from passerby.kernel.staff_requests import PersonAsked
from passerby.kernel.text import Text, day, text


def named(subject: Subject) -> str:
    """How the audit names a person: by the code that they showed, which is another one after a week."""
    return f"code {shown(subject.code)}"


def until(sanction: Sanction) -> Text:
    return text("people.for_good") if sanction.until is None else text("people.until", day=day(sanction.until))


def described(sanction: Sanction) -> Text:
    return text(
        "people.sanction",
        what=text(f"people.kind_{sanction.kind}"),
        why=text(f"reasons.{sanction.reason}"),
        until=until(sanction),
    )


def card(subject: Subject, now: float) -> Text:
    person = subject.person
    bound = binding(person, now)
    said = [
        text("people.appealed", what=described(each)) if each.appeal is Appeal.OPEN else described(each)
        for each in bound
    ]
    return text(
        "people.card",
        code=shown(subject.code),
        age=str(age_now(person.profile, now)) if person.profile.age is not None else "–",
        languages=languages_of(person.profile),
        seen=day(person.seen_at),
        reported=subject.reported,
        sanctions=lines(said) if said else text("people.no_sanctions"),
    )


def menu(subject: Subject, facts: StaffFacts, now: float) -> Menu:
    data = (
        Button(text("people.copy"), "person_copy", subject.code),
        Button(text("people.erase"), "person_erase", subject.code),
    )
    if not may(facts.me, Permission.SANCTION):
        return Menu((data,))
    act = Button(text("people.act"), "person_kind", subject.code)
    lifts = (_lift(subject.code, each) for each in binding(subject.person, now) if may_lift(facts, each))
    return Menu(((act,), *((lift,) for lift in lifts), data))


def may_lift(facts: StaffFacts, sanction: Sanction) -> bool:
    """Whether the acting member may end this sanction. One without an end takes the same permission as imposing it."""
    return may(facts.me, Permission.SANCTION if sanction.until is not None else Permission.BAN)


def _lift(code: str, sanction: Sanction) -> Button:
    what = text(f"people.kind_{sanction.kind}")
    return Button(text("people.lift", what=what), "person_lift", f"{code}.{sanction.id}")


def unknown(event: object) -> StaffDecision:
    return refused(event, text("people.unknown_code"))


def looked_up(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
    """`/person CODE`"""
    if not words_after(event.text):
        return refused(event, text("people.how"))
    return _show(event, facts, env)


def shown_again(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    return _show(event, facts, env)


def _show(event: MessageReceived | ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    subject = facts.subject
    if subject is None:
        return unknown(event)
    shows = answer(event, card(subject, env.now), menu(subject, facts, env.now))
    return StaffDecision(notes=(AuditNote("person.looked_at", named(subject)),), effects=shows)


def person_asked(asked: PersonAsked, facts: StaffFacts, env: Env) -> StaffDecision:
    subject = facts.subject
    if subject is None:
        return unknown(asked)
    note = AuditNote("person.looked_at", named(subject))
    return StaffDecision(notes=(note,), reply=card(subject, env.now))
