"""Support codes: what a person shows to the staff. A code is random, and another one takes its place after a week."""

from random import Random

import msgspec

from passerby.kernel.decision import Env
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import SupportCode

CODE_S = 7 * 86_400.0
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without letters and digits that look alike."""
LENGTH = 8
"""40 random bits: nobody finds a person by trying codes."""


def with_code(me: Participant, env: Env) -> Participant:
    """The person, with a code that is valid now. It is `me` itself if they have one."""
    if me.support is not None and env.now < me.support.until:
        return me
    return msgspec.structs.replace(me, support=SupportCode(_new(env.rng), env.now + CODE_S))


def _new(rng: Random) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(LENGTH))


def shown(code: str) -> str:
    """How a code is written: `ABCD-EFGH`."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def read(words: str) -> str | None:
    """The code that somebody typed, however they write it. None if it is none."""
    letters = "".join(each for each in words.upper() if each.isalnum())
    return letters if len(letters) == LENGTH and set(letters) <= set(LETTERS) else None
