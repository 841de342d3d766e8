"""A journey: how a person came to the fleet, and how far they got. `domain.journeys` has the rules."""

from enum import IntEnum

import msgspec

from passerby.kernel.ids import BotId, ChatId


class Step(IntEnum):
    """The steps from the first start to a payment, in their order. The values are the bits in `Journey.steps`."""

    START = 1
    PROFILE = 2
    SEARCH = 4
    CHAT = 8
    TALK = 16
    """Their first real chat: both wrote several messages."""
    INVOICE = 32
    CHECKOUT = 64
    """We let them pay."""
    PAID = 128


COUNTED_TALKS = 3
"""How many real chats with different people a friend who was invited needs."""


class Journey(msgspec.Struct, frozen=True, gc=False, array_like=True, omit_defaults=True):
    """`source` is the tag of the link by which a person came first; empty: they came without one.

    - `bot` and `language` are those of their start, and `began_at` is when that was, in Unix seconds. 0: before anybody
      counted. Then no step of theirs is counted.
    - `steps` are the bits of the steps that they reached.
    - `code` is the promo code that their link brought, until they have answered the first questions.
    - `invite` is the referral token of their link, and `talks` are their first real chats with different people since
      then (see `domain.money.referrals`).
    - `talked` is the latest chat in which they wrote enough for a real chat.
    """

    source: str = ""
    bot: BotId = BotId(0)
    language: str = ""
    began_at: float = 0.0
    steps: int = 0
    talked: ChatId = ChatId("")
    code: str = ""
    invite: str = ""
    talks: tuple[ChatId, ...] = ()
