"""The settings of budgets: how much a bot may send, and how much a person may send and get. `Settings` inherits
them."""

from pydantic import Field

from passerby.kernel.rules import STANDARD_QUOTA, Rules
from passerby.settings.section import Section


class LimitSettings(Section):
    """Rates are per second."""

    bot_rate_per_s: float = Field(
        default=Rules().bot_rate_per_s,
        ge=1,
        le=100_000,
        description="How many messages one bot may send in a second.",
        examples=["30"],
    )
    chat_rate_per_s: float = Field(
        default=1,
        ge=0.05,
        le=100_000,
        description="How many messages one person may get in a second, on average.",
        examples=["1"],
    )
    chat_burst: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="How many messages one person may get at once before CHAT_RATE_PER_S applies.",
        examples=["20"],
    )
    person_at_once: int = Field(
        default=STANDARD_QUOTA.at_once,
        ge=20,
        le=10_000,
        description=(
            "How much of one person's messages may wait to be delivered or answered. 150 is enough for a hundred "
            "messages forwarded at once and a lively chat. Anything more is refused, and the person is told."
        ),
        examples=["150"],
    )
    person_rate_per_s: float = Field(
        default=STANDARD_QUOTA.per_s,
        ge=0.1,
        le=100_000,
        description="How many messages, commands, taps and edits one person may send in a second, on average.",
        examples=["2"],
    )
