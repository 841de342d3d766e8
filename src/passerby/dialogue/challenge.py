"""The question that asks a suspect of a farm to pick the right picture. Several features show it."""

from passerby.domain.farms.challenge import PICTURES, is_asked
from passerby.kernel.effect import Button, Menu, Say
from passerby.kernel.participant import Participant
from passerby.kernel.text import Text, text

PICK = "pick"
_WIDTH = 4


def question(me: Participant) -> tuple[Text, Menu]:
    """Return the words and the buttons. Only for a person who is being asked."""
    assert me.watched is not None, "they are asked"
    buttons = [Button(text("interests.own", word=each), PICK, str(place)) for place, each in enumerate(PICTURES)]
    rows = tuple(tuple(buttons[at : at + _WIDTH]) for at in range(0, len(buttons), _WIDTH))
    return text("farms.ask", what=text(f"farms.picture_{me.watched.picture}")), Menu(rows)


def ask_for_picture(me: Participant) -> tuple[Say, ...]:
    """Return the question as a notice. Empty if the person is not asked."""
    return (Say(me.person, *question(me)),) if is_asked(me) else ()
