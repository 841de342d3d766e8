"""A purchase as staff see it, and why they refund it."""

from enum import StrEnum

import msgspec

from passerby.kernel.ids import PersonId
from passerby.kernel.money import Charge


class RefundReason(StrEnum):
    """Why staff give Stars back."""

    NOT_GIVEN = "not_given"
    """The person did not get what they paid for."""
    MISTAKE = "mistake"
    """They did not mean to buy it."""
    TWICE = "twice"
    """They paid twice."""
    NOT_THEIRS = "not_theirs"
    """Somebody else paid with their account."""
    GOODWILL = "goodwill"


class Purchase(msgspec.Struct, frozen=True):
    """A charge with its buyer (0: erased). `charge` says whether its refund is owed or made. `ordered`: staff have
    ordered it, and the fleet has not carried that out yet."""

    person: PersonId
    charge: Charge
    ordered: bool = False


class RefundOrder(msgspec.Struct, frozen=True, tag="refund"):
    """The fleet gives a charge back."""

    person: PersonId
    charge: Charge
