"""The settings that staff may change while the fleet runs, and what a change makes of them.

They are the rules of the product, what is sold, and the thresholds of alerts. Everything else needs a new start,
because connections, leases or files depend on it. So do the limits above which a second member must agree: nobody may
raise them alone, from a browser. And no path can change: the answer would tell which files the server has.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, get_args

from pydantic import ValidationError

from passerby.settings.alerting import THRESHOLDS
from passerby.settings.model import Settings
from passerby.settings.money import MoneySettings, parse_plans
from passerby.settings.reading import explain
from passerby.settings.rules import RuleSettings
from passerby.settings.sponsor import SponsorSettings
from passerby.settings.wrong import WrongSetting

SECOND_ABOVE: Final = frozenset({"broadcast_approval_above", "refund_second_above", "promo_second_above"})
"""The limits above which a second member must agree."""
_AT_START: Final = SECOND_ABOVE | {"pools", "pictures_looked_at"}
"""Each pool has a lease, which a process asks for when it starts. The model that looks at pictures is loaded then."""


def _kinds(name: str) -> tuple[object, ...]:
    kind = Settings.model_fields[name].annotation
    return kind, *get_args(kind)


def _is_path(name: str) -> bool:
    return Path in _kinds(name)


OVERRIDABLE: Final = tuple(
    name
    for name in (
        *RuleSettings.model_fields,
        *MoneySettings.model_fields,
        *SponsorSettings.model_fields,
        *THRESHOLDS,
    )
    if name not in _AT_START and not _is_path(name)
)
"""In the names of `Settings`."""

LEADING: Final = tuple(name for name in OVERRIDABLE if str in _kinds(name))
"""Those with words of the operator's own: a channel, a link, an address. They lead people somewhere."""

_IN_FILES: Final = {"bot_tokens": "bot_tokens_file", "vip_plans": "vip_plans_file"}
"""Setting -> the setting that names a file with its value."""


def overridden(settings: Settings, values: Mapping[str, str]) -> Settings:
    """The settings with other values. `values`: name in capitals -> the value as the operator may write it.

    Files are not read again: what they said at the start stays. A value replaces a file that was named at
    the start.

    Raises: WrongSetting.
    """
    changed: dict[str, object] = {}
    for name, value in values.items():
        if name.lower() not in OVERRIDABLE:
            raise WrongSetting(name, "cannot be changed while the fleet runs", "write it into .env, and start again")
        changed[name.lower()] = value
    given = {name: getattr(settings, name) for name in settings.given}
    known = {}
    for name, file in _IN_FILES.items():
        if file in settings.given:
            known[getattr(settings, file)] = getattr(settings, name)
        if name in changed:
            given.pop(file, None)
    try:
        return Settings.model_validate(given | changed, context=known)
    except ValidationError as error:
        explain(error)


def overridden_by(
    settings: Settings, values: Mapping[str, str], first: Mapping[str, str] | None = None
) -> tuple[Settings, dict[str, str], dict[str, WrongSetting]]:
    """The settings with all of `values` that this release accepts together, in their order: a bad one stops no other.

    `first`: values that come before all others, and that must be accepted.

    Returns: the settings, the values that count, and why each of the others does not.
    Raises: WrongSetting, about `first`.
    """
    kept = dict(first or {})
    found = overridden(settings, kept)
    refused: dict[str, WrongSetting] = {}
    rest = {name: value for name, value in values.items() if name not in kept}
    try:
        return overridden(settings, kept | rest), kept | rest, refused
    except WrongSetting:
        pass
    for name, value in rest.items():
        try:
            found = overridden(settings, kept | {name: value})
        except WrongSetting as error:
            refused[name] = error
        else:
            kept[name] = value
    return found, kept, refused


def gives_more(before: Settings, after: Settings, started: Settings) -> bool:
    """Whether `after` sells more VIP days for a Star than is sold now, and than the operator sells at the start; or a
    longer plan. A discount is a share of a plan, so with a longer one each code that exists gives more."""
    return any(of(after) > max(of(before), of(started)) for of in (_days_a_star, longest_plan))


def longest_plan(settings: Settings) -> int:
    return max((plan.days for plan in settings.vip_plans), default=0)


def longest_in(values: Iterable[str]) -> int:
    """The days of the longest plan in any of these values of VIP_PLANS. One that this release refuses has none."""
    longest = 0
    for value in values:
        with suppress(WrongSetting):
            longest = max((longest, *(plan.days for plan in parse_plans(value, ""))))
    return longest


def _days_a_star(settings: Settings) -> float:
    return max((plan.days / plan.stars for plan in settings.vip_plans), default=0.0)


def leads_to(before: Settings, after: Settings, started: Settings) -> tuple[str, ...]:
    """The places where `after` sends people, and neither the settings of now nor those of the start do."""
    known = {getattr(each, name) for each in (before, started) for name in LEADING}
    return tuple(value for name in LEADING if (value := getattr(after, name)) and value not in known)


def shown(settings: Settings, name: str) -> str:
    """The value in effect of one of these settings, as the operator may write it. `name` in capitals."""
    return settings.shown()[name]
