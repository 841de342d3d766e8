"""Events about decisions that staff or a rule made about a person. They are part of `passerby.kernel.event.Event`."""

import msgspec

from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.sanction import Sanction


class SanctionOrdered(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Staff, or a rule, decided on a sanction."""

    person: PersonId
    bot: BotId
    sanction: Sanction


class LiftOrdered(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Staff decided that a sanction ends now. `sanction` is its id."""

    person: PersonId
    bot: BotId
    sanction: str


class FarmSuspected(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A person behaves like an account of a farm. `at` is when that was found.

    With `until`, it is an account of the farm that `farm` names. Without, it may be a script, and one tap shows that
    it is not.
    """

    person: PersonId
    bot: BotId
    at: float
    until: float = 0.0
    farm: str = ""


class SanctionOverturned(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A decision about a person turned out to be wrong. `costs`: what its reports took of the karma, and when.

    Without a sanction, there is only the karma to give back.
    """

    person: PersonId
    bot: BotId
    sanction: Sanction | None
    costs: tuple[tuple[float, float], ...] = ()


class DataOrdered(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The person asked staff for a copy of their data, or for its erasure (`erases`)."""

    person: PersonId
    bot: BotId
    erases: bool


class AppealRefused(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Another person looked at a sanction that was appealed, and it stays. `sanction` is its id."""

    person: PersonId
    bot: BotId
    sanction: str


class ReportDecided(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Staff decided about a report of the event's person. `acted`: it led to something."""

    person: PersonId
    bot: BotId
    acted: bool
