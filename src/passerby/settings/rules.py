"""The settings that are rules of the product: who is let in, who meets whom, what is held back. `Settings` inherits
them."""

from typing import Literal

from pydantic import Field, InstanceOf

from passerby.kernel.rules import Brand, Rules
from passerby.settings.section import Section

_RULES = Rules()
"""The defaults come from here."""


class RuleSettings(Section):
    """`passerby.bootstrap` makes `kernel.rules.Rules` of them."""

    minimum_age: int = Field(
        default=_RULES.minimum_age,
        ge=13,
        le=99,
        description="Younger people are not let in. If it is below 18, minors and adults still never meet.",
        examples=["18"],
    )
    contact: str = Field(
        default="",
        max_length=100,
        pattern=r"^(?:|[^\s@]+@[^\s@]+\.[^\s@]+|@[A-Za-z]\w{3,31}|https://\S+)$",
        description=(
            "Where people can ask about their data: an e-mail address, a @username or an https address. /privacy shows "
            "it. The law of many countries asks for one."
        ),
        examples=["privacy@example.org"],
    )
    pools: tuple[InstanceOf[Brand], ...] = Field(
        default=(),
        description=(
            "Groups of people who meet only each other. Each has a name, and the bots they use or the languages they "
            "prefer. The first group that fits a person counts. All other people are one more group. In each group, "
            "adults and minors are kept apart."
        ),
        examples=["brasil=pt, slavic=ru+uk+be, lantern=123456789"],
    )
    patience: float = Field(
        default=_RULES.patience,
        ge=0,
        le=10,
        description=(
            "How long people wait for a partner who also meets their soft wishes (languages, interests). 1 means up "
            "to 20 seconds, 0 means no wait."
        ),
        examples=["0.5"],
    )
    contact_policy: Literal["off", "warn", "hold"] = Field(
        default=_RULES.contact_policy.value,
        description=(
            "How account names, links, e-mail addresses and phone numbers are handled in a chat's first minutes: "
            "they are sent (off), the sender is asked first (warn), or they are held back (hold)."
        ),
        examples=["warn"],
    )
    contact_policy_min: float = Field(
        default=_RULES.just_met_s / 60,
        ge=0,
        le=1440,
        description="For how many minutes of a chat CONTACT_POLICY applies.",
        examples=["5"],
    )
    pictures_looked_at: bool = Field(
        default=_RULES.pictures_looked_at,
        description=(
            "Whether a model looks at photos before they are passed on, and blurs those that it takes for sexual ones. "
            "It needs `pip install 'passerby[images]'`. Nothing of a picture is kept. Photos that it cannot look at in "
            "time are blurred, and so are all videos. People who chose to see everything are left alone."
        ),
        examples=["true"],
    )
    broadcast_approval_above: int = Field(
        default=_RULES.approval_above,
        ge=0,
        le=1_000_000_000,
        description=(
            "A broadcast to more people than this starts only after a second member of the team approves it. The "
            "broadcasts that one member started alone within 24 hours count together. Nobody changes this limit in the "
            "panel: write it into .env, and start again. Commands obey the limit of the running fleet if it is lower."
        ),
        examples=["1000"],
    )
    idle_nudge_min: float = Field(
        default=_RULES.idle_nudge_s / 60,
        ge=0,
        le=10080,
        description=(
            "After how many quiet minutes in a chat the person whose turn it is gets a reminder. 0 means never."
        ),
        examples=["10"],
    )
    idle_end_min: float = Field(
        default=_RULES.idle_end_s / 60,
        ge=0,
        le=10080,
        description="After how many quiet minutes a chat ends for both. 0 means never.",
        examples=["60"],
    )
