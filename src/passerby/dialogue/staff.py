"""Texts that several staff features share."""

from collections.abc import Sequence
from functools import reduce

from passerby.kernel.effect import Answer, Button, Menu, Revise, Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.participant import Profile
from passerby.kernel.staff import StaffDecision, StaffEffect
from passerby.kernel.text import Text, text

BUTTONS_A_ROW = 2


def lines(several: Sequence[Text]) -> Text:
    """One text with a line for each of these. There must be one at least."""
    return reduce(lambda above, below: text("team.lines", above=above, below=below), several)


def languages_of(profile: Profile) -> str:
    """The languages that somebody chats in; until they chose any, the one that we write to them in."""
    return ", ".join(profile.languages) or profile.language or "–"


def in_rows(buttons: Sequence[Button], width: int = BUTTONS_A_ROW) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(buttons[at : at + width]) for at in range(0, len(buttons), width))


def answer(event: MessageReceived | ButtonPressed, said: Text, menu: Menu | None = None) -> tuple[StaffEffect, ...]:
    """Answer a message with a message. A press changes the message with the button instead."""
    if isinstance(event, MessageReceived):
        return (Say(event.person, said, menu),)
    stopped = Answer(event.query)
    if event.message is None:
        return (stopped, Say(event.person, said, menu))
    return (stopped, Revise(event.person, event.message, said, menu))


def refused(event: object, said: Text) -> StaffDecision:
    """Nothing is done, for the reason given. A press gets it as an alert, so that its message stays."""
    match event:
        case ButtonPressed():
            return StaffDecision(effects=(Answer(event.query, said, alert=True),), reply=said, refused=True)
        case MessageReceived():
            return StaffDecision(effects=(Say(event.person, said),), reply=said, refused=True)
        case _:
            return StaffDecision(reply=said, refused=True)
