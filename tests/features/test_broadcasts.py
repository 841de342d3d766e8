"""The button below a broadcast."""

import msgspec

from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu, Say
from passerby.kernel.text import text
from tests.features.playbook import Playbook


def test_a_person_turns_a_category_off_once_and_on_again() -> None:
    talk = Playbook()
    ann = talk.person()
    was = ann.value
    undo = Menu(((Button(text("mute.undo"), "unmute", "promo"),),))
    told = Say(ann.person, text("mute.done", what=text("mute.promo")), undo)
    done = ann.presses("mute", "promo")
    assert done.changes == (msgspec.structs.replace(was, muted=("promo",)),)
    assert done.effects[1:] == (told,)
    assert ann.presses("mute", "promo").changes == ()
    ann.presses("mute", "news")
    assert ann.value.muted == ("promo", "news")
    assert ann.presses("unmute", "promo").effects[1:] == (Say(ann.person, text("mute.undone")),)
    assert ann.value.muted == ("news",)
    assert ann.presses("unmute", "promo").changes == ()


def test_system_messages_cannot_be_turned_off() -> None:
    talk = Playbook()
    ann = talk.person()
    for forged in ("system", "", "cats"):
        done = ann.presses("mute", forged)
        assert done == Decision(effects=(Answer(done.effects[0].query),))  # type: ignore[union-attr]
