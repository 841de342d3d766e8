"""Weighs how much each habit of a conduct speaks for a script, as the logarithm of a likelihood ratio.

0 says nothing. 1 means: about three times as likely for a script as for a person. A negative weight speaks for a
person. The weights come from simulated people and farms (`benchmarks.farms`), rounded down where we know little about
real ones. No signal is enough by itself.
"""

from collections.abc import Callable
from math import log
from typing import Final

from passerby.domain.farms.conduct import Conduct

Signal = Callable[[Conduct], float]

_FEW: Final = 8
"""Fewer times or chats say nothing about a habit."""
_FEW_LED: Final = 5
"""Fewer chats with a place say nothing about how places are chosen."""
_FEW_NEW: Final = 4
"""Somebody who has two accounts and a friend to recommend names so few people."""


def reacts_evenly(conduct: Conduct) -> float:
    """The time from "Partner found" to the first message is always the same. People vary by a third at least."""
    if conduct.reactions.n < _FEW:
        return 0.0
    deviation = conduct.reactions.deviation
    return 3.0 if deviation < 0.08 else 2.0 if deviation < 0.15 else 0.0


def reacts_at_once(conduct: Conduct) -> float:
    """They write before a person could have read the notice."""
    return 1.5 if conduct.reactions.n >= _FEW and conduct.reactions.mean < log(0.6) else 0.0


def types_too_fast(conduct: Conduct) -> float:
    """Most long answers come faster than anybody types. A few may be pasted."""
    often = conduct.rushed >= 4 and conduct.rushed > 0.6 * conduct.answers.n
    return 2.5 if often else 0.0


def answers_evenly(conduct: Conduct) -> float:
    """Each letter of an answer takes the same time."""
    return 1.5 if conduct.answers.n >= _FEW and conduct.answers.deviation < 0.15 else 0.0


def never_rests(conduct: Conduct) -> float:
    """Active in more than 18 hours of a day."""
    hours = conduct.hours.bit_count()
    return 3.0 if hours > 20 else 2.0 if hours > 18 else 0.0


def is_cut_short(conduct: Conduct) -> float:
    """Most partners leave soon after the first message."""
    if conduct.ended < _FEW:
        return 0.0
    share = conduct.cut / conduct.ended
    return 1.0 if share > 0.85 else 0.5 if share > 0.7 else -0.5 if share < 0.3 else 0.0


def is_disliked(conduct: Conduct) -> float:
    """Many partners block, report or dislike them."""
    if conduct.ended < _FEW:
        return 0.0
    share = conduct.disliked / conduct.ended
    return 1.5 if share > 0.3 else 0.75 if share > 0.15 else 0.0


def hurries(conduct: Conduct) -> float:
    """More than 40 chats an hour."""
    hours = max(1.0, (conduct.last_at - conduct.first_at) / 3600)
    return 0.75 if conduct.chats / hours > 40 else 0.0


def advertises(conduct: Conduct) -> float:
    """Nearly every chat hears of the same place. Some people send their own name to everybody, too."""
    most = max(conduct.used("t").values(), default=0)
    return 1.25 if conduct.chats >= _FEW and most > 0.8 * conduct.chats else 0.0


def scatters(conduct: Conduct) -> float:
    """Many chats hear of a place, and hardly any place is named twice. People who pass on what goes round, or their own
    name, repeat the name or the site."""
    if conduct.led < _FEW_LED or conduct.led < 0.3 * conduct.chats:
        return 0.0
    most = max(conduct.used("t").values(), default=0)
    return 3.0 if most <= 0.25 * conduct.led else 0.0


def changes_contacts(conduct: Conduct) -> float:
    """Again and again they name somebody whom they have not named before. People give their own name or number."""
    new = conduct.new_contacts
    if new < _FEW_NEW or new < 0.4 * conduct.contacts or conduct.contacts < 0.1 * conduct.chats:
        return 0.0
    return 3.5


def knows_one_wording(conduct: Conduct) -> float:
    """They begin the chats that are announced in one wording, and stay silent in the others until the partner writes.
    A person who opens so many chats opens all kinds of them. It weighs little: the notice is easy to read for a script,
    and only a careless one shows itself."""
    opened, most = sum(conduct.opened), max(conduct.opened, default=0)
    if opened < _FEW or most < 0.94 * opened:
        return 0.0
    return 1.5


def is_lively(conduct: Conduct) -> float:
    """Stickers, voice, pictures, reactions, edits, replies: scripts rarely bother."""
    return -min(2.5, 0.6 * conduct.lively.bit_count())


SIGNALS: Final[tuple[Signal, ...]] = (
    reacts_evenly,
    reacts_at_once,
    types_too_fast,
    answers_evenly,
    never_rests,
    is_cut_short,
    is_disliked,
    hurries,
    advertises,
    knows_one_wording,
    is_lively,
)


def suspicion(conduct: Conduct) -> float:
    """The sum of all signals."""
    return sum(signal(conduct) for signal in SIGNALS)
