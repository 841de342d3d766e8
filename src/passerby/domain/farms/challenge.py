"""One tap that shows a person: pick the picture that the question names.

While a person is asked, their search does not begin to count (see `domain.lifecycle`), so nobody is found for them.
They can still talk to a partner whom they have. Once they have picked the right one, they are not asked again for a
day.
"""

from random import Random
from typing import Final

import msgspec

from passerby.domain.lifecycle import refresh_ticket
from passerby.kernel.decision import Env
from passerby.kernel.participant import Participant, Watched

PICTURES: Final = ("🐱", "🐶", "🍎", "🚗", "🌙", "⚽", "🌳", "🏠")

TRUSTED_S: Final = 86_400.0
TRIES: Final = 3
CLEARED_S: Final = 7 * 86_400.0
PAUSE_S: Final = 600.0
"""After this many wrong pictures in a row, the next try counts only after this time."""


def is_asked(me: Participant) -> bool:
    return me.watched is not None and me.watched.asked_at > 0


def _with(me: Participant, watched: Watched, env: Env) -> Participant:
    return refresh_ticket(msgspec.structs.replace(me, watched=watched), env)


def ask(me: Participant, env: Env) -> Participant | None:
    """The person after they were asked. None if that is not necessary: they are asked already, or passed lately."""
    watched = me.watched or Watched()
    if is_cleared(me, env.now) or watched.asked_at or (watched.passed_at and env.now - watched.passed_at < TRUSTED_S):
        return None
    return _with(me, msgspec.structs.replace(watched, asked_at=env.now, picture=_drawn(env.rng), wrong=0), env)


def set_apart(me: Participant, until: float, farm: str, env: Env) -> Participant | None:
    """The person, apart until then. None if they are already, for about as long."""
    watched = me.watched or Watched()
    if is_cleared(me, env.now) or watched.apart_until > until - TRUSTED_S / 4:
        return None
    return _with(me, msgspec.structs.replace(watched, apart_until=until, farm=farm), env)


def is_cleared(me: Participant, now: float) -> bool:
    return me.watched is not None and now < me.watched.cleared_until


def clear(me: Participant, env: Env) -> Participant:
    """The person after staff found that a measure against a farm was wrong: neither apart nor asked, for a week."""
    return _with(me, Watched(cleared_until=env.now + CLEARED_S), env)


def pick(me: Participant, picture: int, env: Env) -> Participant:
    """The person after they picked a picture. They must be asked, and may try now."""
    watched = me.watched
    assert watched is not None, "they are asked"
    if picture == watched.picture:
        return _with(me, Watched(watched.apart_until, watched.farm, passed_at=env.now), env)
    wrong = watched.wrong + 1
    again_at = env.now + PAUSE_S if wrong % TRIES == 0 else 0.0
    another = msgspec.structs.replace(watched, picture=_drawn(env.rng), wrong=wrong, again_at=again_at)
    return _with(me, another, env)


def _drawn(rng: Random) -> int:
    return rng.randrange(len(PICTURES))
