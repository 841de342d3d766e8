"""Follows how far people get, step by step, and reads from a link where somebody came from.

A link to a bot may end in `?start=s_TAG`. The first link by which a person comes decides on their source. A later one
changes nothing. Each step is counted once for a person, on the day of their start.
"""

import re
from typing import Final

import msgspec

from passerby.kernel.ids import BotId, ChatId
from passerby.kernel.journey import COUNTED_TALKS, Journey, Step
from passerby.kernel.participant import Chatting, Participant, Searching

ALL_STEPS: Final = sum(Step)

SOURCE: Final = "s_"
LONGEST_TAG: Final = 32
_TAG = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_TAG - 1}}}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")

AFFILIATE: Final = "affiliate"
"""The source of people who came by a link of Telegram's affiliate programme."""
INVITE: Final = "invite"
PROMO: Final = "promo"
OTHER: Final = "other"
"""Stands for all sources of a day that brought only a few people."""

_PREFIXES: Final = {"_tgr_": AFFILIATE, "r_": INVITE, "p_": PROMO}
"""Links that say by themselves where people come from. Telegram makes those of the first kind."""


def tag_of(written: str) -> str | None:
    """A tag in the form in which it is counted. None if it cannot be one: up to 32 letters, digits, - and _."""
    tag = written.lower()
    return tag if _TAG.fullmatch(tag) and tag not in (AFFILIATE, INVITE, PROMO, OTHER) else None


def is_source(written: str) -> bool:
    """Whether this can be the source of somebody who came by a link."""
    return _TAG.fullmatch(written) is not None


def payload_of(words: str) -> str:
    """Return the parameter that a link added to /start: "/start s_spring" gives "s_spring". Empty: nothing."""
    return words.partition(" ")[2].strip()[:64]


def source_of(payload: str) -> str:
    """The source that a link names. Empty: none."""
    if payload.startswith(SOURCE):
        return tag_of(payload.removeprefix(SOURCE)) or ""
    return next((source for prefix, source in _PREFIXES.items() if payload.startswith(prefix)), "")


def begin(me: Participant, bot: BotId, source: str, now: float) -> Participant:
    """The person at their first start. It is `me` itself if they have started before."""
    if me.journey is not None or me.profile.consented_at is not None:
        return me
    return msgspec.structs.replace(me, journey=Journey(source, bot, _language(me), now))


def with_code(me: Participant, code: str) -> Participant:
    """The person, whose link brought a promo code. They are asked about it when they have answered the questions."""
    return msgspec.structs.replace(me, journey=msgspec.structs.replace(me.journey or Journey(), code=code))


def gone_on(before: Participant, after: Participant, now: float) -> Journey | None:
    """The journey of a person after a change. None if nobody counts them: they came before anybody counted."""
    journey = after.journey
    if journey is None:
        if before.seen_at or not after.seen_at or after.bot is None:
            return None
        journey = Journey("", after.bot, _language(after), now)
    if not journey.began_at:
        return journey
    steps = journey.steps | Step.START | reached(after)
    return journey if steps == journey.steps else msgspec.structs.replace(journey, steps=steps)


def reached(me: Participant) -> int:
    """The steps that a person's value shows, as bits. Some may have been reached before, and show no more."""
    steps = 0
    if me.profile.complete:
        steps |= Step.PROFILE
    if isinstance(me.state, Searching):
        steps |= Step.SEARCH
    if isinstance(me.state, Chatting):
        steps |= Step.SEARCH | Step.CHAT
    wallet = me.wallet
    if wallet is not None:
        if wallet.orders:
            steps |= Step.INVOICE
        if any(order.checked_at for order in wallet.orders):
            steps |= Step.CHECKOUT
        if wallet.charges:
            steps |= Step.INVOICE | Step.CHECKOUT | Step.PAID
    return steps


def new_steps(before: Participant, after: Participant) -> tuple[Step, ...]:
    """The steps that a change reaches, to count them."""
    is_, was = after.journey, before.journey
    if is_ is None or is_ is was or not is_.began_at:
        return ()
    # After an erasure, somebody may start once more. That is another start.
    done = was.steps if was is not None and was.began_at == is_.began_at else 0
    return tuple(step for step in Step if step & is_.steps & ~done)


def is_open(me: Participant) -> bool:
    """Whether it matters when this person has written enough for a real chat."""
    journey = me.journey
    return (
        journey is None
        or not journey.steps & Step.TALK
        or (journey.invite != "" and len(journey.talks) < COUNTED_TALKS)
    )


def wrote_enough(me: Participant, chat: ChatId) -> Participant:
    """The person after they wrote enough in this chat."""
    return msgspec.structs.replace(me, journey=msgspec.structs.replace(me.journey or Journey(), talked=chat))


def has_talked(me: Participant, chat: ChatId) -> bool:
    return me.journey is not None and me.journey.talked == chat


def after_real_chat(me: Participant) -> Participant:
    """The person after a chat became a real one."""
    journey = me.journey or Journey()
    if journey.steps & Step.TALK:
        return me
    return msgspec.structs.replace(me, journey=msgspec.structs.replace(journey, steps=journey.steps | Step.TALK))


def _language(me: Participant) -> str:
    """The language in which they came, for counting: without its region, and "?" if Telegram does not say it."""
    language = me.profile.language.lower().replace("_", "-").partition("-")[0]
    return language if _LANGUAGE.fullmatch(language) else "?"
