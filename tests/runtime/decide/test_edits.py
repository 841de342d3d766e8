"""A press refers to the message as its sender sees it, as far as this process has seen its edits."""

from msgspec.structs import replace

from passerby.kernel.content import Content, Kind
from passerby.kernel.event import ButtonPressed, MessageEdited, MessageReceived
from passerby.kernel.ids import MessageId
from passerby.runtime.decide.edits import MOST, Edits
from tests.runtime.world import ANN, BEN, BOT, OTHER_BOT

OLD, NEW = Content(Kind.TEXT, "old"), Content(Kind.TEXT, "new")
SUBJECT = MessageReceived(ANN, BOT, (MessageId(5),), (OLD,), 1.0, reply_to=MessageId(4))
PRESS = ButtonPressed(ANN, BOT, "query", MessageId(6), "show", "chat", subject=SUBJECT)
EDIT = MessageEdited(ANN, BOT, MessageId(5), NEW, 3.0)


def noting(*edits: MessageEdited) -> Edits:
    known = Edits()
    for edit in edits:
        known.note(edit)
    return known


def test_a_press_uses_the_newest_edit() -> None:
    known = noting(replace(EDIT, content=OLD, edited_at=2.0), EDIT)
    assert known.as_edited(PRESS) == replace(PRESS, subject=replace(SUBJECT, contents=(NEW,), edited_at=3.0))


def test_the_version_that_telegram_sends_is_kept() -> None:
    current = replace(PRESS, subject=replace(SUBJECT, edited_at=3.0))
    assert noting(EDIT).as_edited(current) == current


def test_an_edit_of_another_message_or_person_changes_nothing() -> None:
    others = [replace(EDIT, message=MessageId(7)), replace(EDIT, bot=OTHER_BOT), replace(EDIT, person=BEN)]
    assert noting(*others).as_edited(PRESS) == PRESS
    assert noting(EDIT).as_edited(SUBJECT) == SUBJECT
    assert noting(EDIT).as_edited(replace(PRESS, subject=None)) == replace(PRESS, subject=None)


def test_only_the_latest_few_are_kept() -> None:
    later = [replace(EDIT, message=MessageId(100 + number)) for number in range(MOST)]
    assert noting(EDIT, *later[1:]).as_edited(PRESS) != PRESS
    assert noting(EDIT, *later).as_edited(PRESS) == PRESS
