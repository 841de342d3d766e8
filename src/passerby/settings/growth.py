"""The settings about how people come and try the product. `Settings` inherits them."""

from pydantic import Field

from passerby.kernel.rules import MOST_REAL_CHAT_MESSAGES, Rules
from passerby.settings.section import Section

_RULES = Rules()


class GrowthSettings(Section):
    """Settings of growth: real chats, trials, gifts and referrals."""

    real_chat_messages: int = Field(
        default=_RULES.real_chat_messages,
        ge=1,
        le=MOST_REAL_CHAT_MESSAGES,
        description="How many messages each of two people writes in a chat until it counts as a real one.",
        examples=["5"],
    )
    trial_days: int = Field(
        default=_RULES.trial_days,
        ge=0,
        le=30,
        description="How many VIP days somebody gets after their first real chat, once. 0: none.",
        examples=["3"],
    )
    referral_days: int = Field(
        default=_RULES.referral_days,
        ge=0,
        le=30,
        description="How many VIP days somebody gets for a friend who came by their link and had three real chats "
        "within a week; the friend gets as many. 0: nobody gets any, and /invite says so.",
        examples=["3"],
    )
    referrals_a_month: int = Field(
        default=_RULES.referrals_a_month,
        ge=1,
        le=1000,
        description="For how many friends somebody gets VIP days within 30 days.",
        examples=["10"],
    )
