"""The button that uses a promo code, for links that bring one."""

from passerby.kernel.effect import Button, Menu, Say
from passerby.kernel.participant import Participant
from passerby.kernel.text import text

USE_CODE = "promo_use"


def offer_code(me: Participant, code: str) -> Say:
    """A code does nothing by itself: a link must not use it up for somebody who only looks."""
    return Say(me.person, text("promo.offer", code=code), Menu(((Button(text("promo.use"), USE_CODE, code),),)))
