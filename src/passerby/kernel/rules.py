"""The rules that an operator sets."""

from enum import StrEnum

import msgspec

from passerby.kernel.ids import BotId
from passerby.kernel.money import Plan


class ContactPolicy(StrEnum):
    """The rule for words that tell how to find somebody elsewhere, while two people have just met."""

    OFF = "off"
    WARN = "warn"
    """They are passed on after the sender confirms it."""
    HOLD = "hold"
    """They are not passed on."""


class Filter(StrEnum):
    """A hard wish that an operator may keep for VIPs."""

    GENDER = "gender"
    AGE = "age"


class Brand(msgspec.Struct, frozen=True):
    """People who meet only each other: they came through one of `bots`, and their preferred language is one of these.

    Without `bots`, any bot counts; without `languages`, any language. `name` is lowercase letters, digits and hyphens.
    """

    name: str
    bots: tuple[BotId, ...] = ()
    languages: tuple[str, ...] = ()


class Quota(msgspec.Struct, frozen=True):
    """How much one person may have waiting (`domain.quota`).

    `at_once` counts messages, commands, taps and edits. `per_s` is how many of them a second.
    """

    at_once: int = 150
    per_s: float = 2.0


class Sponsor(msgspec.Struct, frozen=True):
    """A channel that people are asked to join when they search. `channel` is its number or its @username; `link` leads
    to it. `required`: only members of it may search; otherwise it is suggested once a week."""

    channel: str
    link: str
    required: bool = False


STANDARD_QUOTA = Quota()

MOST_REAL_CHAT_MESSAGES = 8
"""How many messages of each side are counted at most (see `domain.farms.conduct.LISTENED_TO`)."""


class Rules(msgspec.Struct, frozen=True):
    """The settings of the operator that decisions depend on. Ages in years; `_s` means seconds.

    If nobody writes in a chat for `idle_nudge_s`, the person whose turn it is gets a reminder. After `idle_end_s` the
    chat ends. With 0, neither happens.

    `patience` is a factor for how long people wait for somebody who also meets their soft wishes: up to twenty seconds
    at 1, not at all at 0 (see `domain.matching.wishes`). `free_filters` are open to everybody, the others only to VIPs.
    `brands` divide people into pools that never meet. `contact` is where people can write to the operator; it may be
    empty. `plans` are on sale, in this order.
    """

    minimum_age: int = 18
    adult_age: int = 18
    maximum_age: int = 99
    contact_policy: ContactPolicy = ContactPolicy.WARN
    just_met_s: float = 300.0
    idle_nudge_s: float = 600.0
    idle_end_s: float = 3600.0
    patience: float = 1.0
    free_filters: tuple[Filter, ...] = tuple(Filter)
    brands: tuple[Brand, ...] = ()
    contact: str = ""
    plans: tuple[Plan, ...] = ()
    real_chat_messages: int = 5
    """How many messages each of two people writes in a chat until it is a real one."""
    trial_days: int = 0
    """VIP days after somebody's first real chat, once. 0: none."""
    referral_days: int = 0
    """VIP days for somebody who invites a friend, and for the friend. 0: none."""
    referrals_a_month: int = 10
    """For how many friends somebody gets VIP days within 30 days."""
    approval_above: int = 1_000
    """A broadcast to more people than this needs the approval of a second staff member."""
    refund_second_above: int = 1_000
    """A refund of more Stars than this needs a second staff member. So do several by one member within a day."""
    promo_second_above: int = 10_000
    """Promo codes of one member and day that are worth more VIP days than this need a second staff member."""
    longest_plan: int = 0
    """The days of the longest plan that was ever on sale, as far as it is known. Discounts are valued by it."""
    sponsor: Sponsor | None = None
    bot_rate_per_s: float = 30.0
    """How many messages one bot may send in a second. Telegram's limit is about 30."""
    pictures_looked_at: bool = False
    """Whether a model looks at pictures from strangers, and blurs those that it takes for sexual ones."""
