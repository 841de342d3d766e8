"""The sponsor's channel, as people meet it when they search. Nothing but a search ever waits for it."""

from passerby.kernel.decision import Env, Facts
from passerby.kernel.effect import Answer, Button, Menu, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.participant import Participant
from passerby.kernel.text import text

JOINED = "joined"


def is_held_up(facts: Facts, env: Env) -> bool:
    """Whether the person may search only after they have joined."""
    return facts.sponsored and env.rules.sponsor is not None and env.rules.sponsor.required


def ask_to_join(me: Participant, env: Env) -> Say:
    assert env.rules.sponsor is not None, "they are held up"
    menu = Menu(((Button(text("sponsor.joined"), JOINED),),))
    return Say(me.person, text("sponsor.required", link=env.rules.sponsor.link), menu)


def not_joined(event: ButtonPressed) -> Answer:
    """They pressed the button, and Telegram does not say that they are a member."""
    return Answer(event.query, text("sponsor.not_yet"), alert=True)


def suggest(facts: Facts, env: Env) -> tuple[Say, ...]:
    """The suggestion beside a search. Empty if there is none to make."""
    sponsor = env.rules.sponsor
    if not facts.sponsored or sponsor is None:
        return ()
    return (Say(facts.me.person, text("sponsor.suggested", link=sponsor.link)),)
