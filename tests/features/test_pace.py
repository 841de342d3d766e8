"""A person sends more than their quota: one notice when refusals begin, one when they are over."""

from passerby.features.pace import overrun
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Answer, Owe, Priority, Say
from passerby.kernel.event import Overrun
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.participant import Participant
from passerby.kernel.text import text
from tests.features.playbook import NOW

ANN, BOT = PersonId(1), BotId(1000001)


def decided(**what: object) -> Decision:
    event = Overrun(ANN, BOT, "owed:1:7", **what)  # type: ignore[arg-type]
    return overrun(event, Facts(Participant(ANN, bot=BOT)), Env(NOW, None))  # type: ignore[arg-type]


def test_the_first_notice_replies_to_the_first_refused_message() -> None:
    assert decided(count=1, begins=True, message=MessageId(9)).effects == (
        Owe(ANN, "owed:1:7", text("pace.over", n=1)),
        Say(ANN, text("pace.begun"), reply_to=MessageId(9), priority=Priority.MATCH),
    )


def test_later_refusals_are_only_counted() -> None:
    assert decided(count=100).effects == (Owe(ANN, "owed:1:7", text("pace.over", n=100)),)


def test_a_button_stops_spinning() -> None:
    assert Answer("q", text("pace.tapped")) in decided(count=3, query="q").effects
