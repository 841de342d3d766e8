"""Payment cases: what a person asks staff about payments. One person has one open case at most."""

from collections.abc import Iterable
from typing import Final

import msgspec

from passerby.domain.moments import shown
from passerby.domain.money.wallets import new_code, wallet_of, with_wallet
from passerby.kernel.decision import Env
from passerby.kernel.money import OpenCase
from passerby.kernel.participant import Participant

LONGEST: Final = 1000
"""The longest message of a question, and the longest answer, in characters."""

MOST_PARTS: Final = 6
LONGEST_IN_ALL: Final = 1_900
"""How many messages one question may have, and how many characters they may have in all: staff read it as one message,
and Telegram's has 4,096 characters, of which an emoji takes two."""


def open_case(me: Participant) -> OpenCase | None:
    """The case that staff have not answered."""
    return me.wallet.case if me.wallet is not None else None


def with_case(me: Participant, words: str, env: Env) -> tuple[Participant, OpenCase]:
    """The person with a new case."""
    opened = OpenCase(new_code(env.rng), env.now, length=len(words))
    wallet = msgspec.structs.replace(wallet_of(me, env.now), case=opened)
    return with_wallet(me, wallet, env.now), opened


def with_more(me: Participant, waiting: OpenCase, words: str, now: float) -> Participant | None:
    """The person after they added words to their open case. None: it is full."""
    length = waiting.length + len(words)
    if waiting.parts == MOST_PARTS or length > LONGEST_IN_ALL:
        return None
    case = msgspec.structs.replace(waiting, parts=waiting.parts + 1, length=length)
    return with_wallet(me, msgspec.structs.replace(wallet_of(me, now), case=case), now)


def as_one(parts: Iterable[tuple[float, str | None]]) -> str | None:
    """A whole question from its opened messages and their times, which are written before all but the first. None:
    nothing of it can be read."""
    said = ""
    for at, words in parts:
        if words is not None:
            said += f"\n\n{shown(at).replace('T', ' ')} UTC\n{words}" if said else words
    return said or None


def answered(me: Participant, case: str, now: float) -> Participant:
    """The person without this case. It is `me` itself if it is not open: it is answered, or they were erased."""
    if me.wallet is None or me.wallet.case is None or me.wallet.case.code != case:
        return me
    return with_wallet(me, msgspec.structs.replace(me.wallet, case=None), now)
