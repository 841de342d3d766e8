"""The settings about what is sold. `Settings` inherits them."""

import re
from pathlib import Path
from typing import Any, Final

from pydantic import Field, InstanceOf, ValidationInfo, field_validator, model_validator

from passerby.kernel.ids import BotId
from passerby.kernel.money import Plan
from passerby.kernel.rules import Filter, Rules
from passerby.settings.described import write
from passerby.settings.forms import expanded
from passerby.settings.plans_file import read_plans_file, with_words
from passerby.settings.section import Section
from passerby.settings.wrong import WrongSetting

MOST_STARS: Final = 25_000
MOST_STARS_A_MONTH: Final = 10_000
"""Source: Bot API, sendInvoice and createInvoiceLink."""

MOST_DAYS: Final = 3_650
RENEWS_DAYS: Final = 30
"""Telegram has no other period for subscriptions (source: Bot API, createInvoiceLink)."""

MOST_PLANS: Final = 10

_RULES = Rules()
"""The defaults come from here."""

# name=days:stars, then perhaps :renews, then perhaps @bot+bot.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")
_PLAN = re.compile(
    r"([a-z0-9][a-z0-9-]{0,23})=(\d{1,6})d?:(\d{1,6})(:renews)?(?:@([1-9]\d{4,18}(?:\+[1-9]\d{4,18})*))?"
)


class MoneySettings(Section):
    """The plans that are on sale."""

    vip_plans: tuple[InstanceOf[Plan], ...] = Field(
        default=(),
        description=(
            "The VIP plans on sale, for Telegram Stars: a name, days and Stars. With `:renews`, Telegram charges the "
            "person again every 30 days; with `@` and the numbers of bots, only these sell it. Without plans, nothing "
            "is sold and everything is free."
        ),
        examples=["week=7d:75, month=30d:250, monthly=30d:200:renews@123456789"],
    )

    vip_plans_file: Path | None = Field(
        default=None,
        description=(
            "A TOML file with the VIP plans, in place of VIP_PLANS: it can also name and describe them in your own "
            "words, in each language. See docs/how-to/sell-vip.md."
        ),
        examples=["/etc/passerby/plans.toml"],
    )

    free_filters: tuple[Filter, ...] = Field(
        default=tuple(Filter),
        description=(
            "The filters that everybody may use, not only VIPs: gender, age, both, or none. Default: both "
            "as long as VIP_PLANS sells nothing, then none."
        ),
        examples=["gender"],
    )

    refund_second_above: int = Field(
        default=_RULES.refund_second_above,
        ge=0,
        le=MOST_STARS,
        description=(
            "A refund by staff of more Stars than this needs a second member of the team. So does a smaller one, if "
            "with it the member has refunded more than this in 24 hours. Nobody changes this limit in the panel: write "
            "it into .env, and start again. Commands obey the limit of the running fleet if it is lower."
        ),
        examples=["1000"],
    )

    promo_second_above: int = Field(
        default=_RULES.promo_second_above,
        ge=0,
        le=10**12,
        description=(
            "Promo codes need a second member of the team if what one member makes within 24 hours is worth more VIP "
            "days than this: days times uses, and for a discount its share of the longest plan. Nobody changes this "
            "limit in the panel: write it into .env, and start again. Commands obey the limit of the running fleet if "
            "it is lower."
        ),
        examples=["10000"],
    )

    @property
    def filters_for_all(self) -> tuple[Filter, ...]:
        """The filters that need no VIP."""
        is_default = "free_filters" not in self.model_fields_set
        return () if is_default and self.vip_plans else self.free_filters

    @model_validator(mode="before")
    @classmethod
    def _plans_come_from_one_place(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and data.get("vip_plans_file"):
            if data.get("vip_plans"):
                raise WrongSetting("VIP_PLANS_FILE", "VIP_PLANS is set too", "keep one of them")
            path = Path(data["vip_plans_file"])
            plans = (info.context or {}).get(path)
            if plans is None:
                written, words = read_plans_file(expanded(path))
                plans = parse_plans(written, "write it as in docs/how-to/sell-vip.md", "VIP_PLANS_FILE")
                plans = with_words(plans, words)
            data = {**data, "vip_plans": plans}
        return data

    @field_validator("free_filters", mode="before", check_fields=False)
    @classmethod
    def _filters_are_known(cls, value: Any) -> tuple[Filter, ...]:
        words = value.replace(",", " ").lower().split() if isinstance(value, str) else [str(each) for each in value]
        if any(word not in {*Filter, "all", "none"} for word in words):
            raise WrongSetting("FREE_FILTERS", "has something other than gender and age", write(cls, "free_filters"))
        return tuple(each for each in Filter if each in words or "all" in words)

    @field_validator("vip_plans", mode="before", check_fields=False)
    @classmethod
    def _plans_are_wellformed(cls, value: Any) -> tuple[Plan, ...]:
        return parse_plans(value, write(cls, "vip_plans")) if isinstance(value, str) else tuple(value)


def parse_plans(text: str, remedy: str, setting: str = "VIP_PLANS") -> tuple[Plan, ...]:
    """Plans written as `name=days:stars`. `setting` is what a mistake is told about. Raises: WrongSetting."""
    plans: dict[str, Plan] = {}
    for position, entry in enumerate(filter(None, re.split(r"[\s,]+", text)), start=1):
        found = _PLAN.fullmatch(entry)
        if found is None:
            name, sign, _ = entry.partition("=")
            if sign and not _NAME.fullmatch(name):
                problem = f"the name of plan {position} is not 1 to 24 small letters, digits and hyphens"
                raise WrongSetting(setting, problem, "name it like week-2")
            raise WrongSetting(setting, f"plan {position} is not name=days:stars", remedy)
        name, days, stars, renews = found[1], int(found[2]), int(found[3]), found[4] is not None
        most = MOST_STARS_A_MONTH if renews else MOST_STARS
        if name in plans:
            raise WrongSetting(setting, f"plan {position} has the name of one before it", "name each plan once")
        if not 1 <= days <= MOST_DAYS:
            problem = f"plan {position} does not last 1 to {MOST_DAYS} days"
            raise WrongSetting(setting, problem, "write another number of days")
        if renews and days != RENEWS_DAYS:
            problem = f"plan {position} renews, but not every {RENEWS_DAYS} days"
            raise WrongSetting(setting, problem, "Telegram renews every 30 days: write 30d")
        if not 1 <= stars <= most:
            problem = f"plan {position} does not cost 1 to {most} Stars"
            raise WrongSetting(setting, problem, "write a price that Telegram allows")
        bots = tuple(BotId(int(bot)) for bot in found[5].split("+")) if found[5] else ()
        plans[name] = Plan(name, days, stars, renews, bots)
    if len(plans) > MOST_PLANS:
        raise WrongSetting(setting, f"has more than {MOST_PLANS} plans", "sell fewer: each one is a button")
    return tuple(plans.values())
