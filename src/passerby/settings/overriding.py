"""The settings that staff may change while the fleet runs, and what a change makes of them.

They are the rules of the product, what is sold, and the thresholds of alerts. Everything else needs a new start,
because connections, leases or files depend on it.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from passerby.settings.alerting import THRESHOLDS
from passerby.settings.described import plainly
from passerby.settings.model import Settings
from passerby.settings.money import MoneySettings
from passerby.settings.reading import explain
from passerby.settings.rules import RuleSettings
from passerby.settings.sponsor import SponsorSettings
from passerby.settings.wrong import WrongSetting

_AT_START: Final = frozenset({"pools"})
"""Each pool has a lease, which a process asks for when it starts."""

OVERRIDABLE: Final = tuple(
    name
    for name in (
        *RuleSettings.model_fields,
        *MoneySettings.model_fields,
        *SponsorSettings.model_fields,
        *THRESHOLDS,
    )
    if name not in _AT_START
)
"""In the names of `Settings`."""


def overridden(settings: Settings, values: Mapping[str, str]) -> Settings:
    """The settings with other values. `values`: name in capitals -> the value as the operator may write it.

    Raises: WrongSetting.
    """
    changed: dict[str, object] = {}
    for name, value in values.items():
        if name.lower() not in OVERRIDABLE:
            raise WrongSetting(name, "cannot be changed while the fleet runs", "write it into .env, and start again")
        changed[name.lower()] = value
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    try:
        return Settings(**(given | changed))
    except ValidationError as error:
        explain(error)


def shown(settings: Settings, name: str) -> str:
    """The value of one of these settings, as the operator may write it. `name` in capitals."""
    return plainly(getattr(settings, name.lower()))
