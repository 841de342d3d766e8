"""Names the facts that a decision of the staff needs, beside the team: what the staff member, or the command, has
named."""

import msgspec

from passerby.kernel.case import CaseAsked
from passerby.kernel.override import OverrideKey


class FactsWanted(msgspec.Struct, frozen=True):
    """A field that is empty, 0 or None was not named, and is not read.

    - `digest`: of the secret that they showed.
    - `code`: the support code of a person.
    - `broadcast`, `approval`: a number.
    - `language`: theirs, which is kept.
    - `login`: the panel's login, by its name or its link's digest. The sessions are read, too.
    - `case`: the case that they mean.
    - `override_key`: what is overridden.
    - `purchase`: the code of a purchase.
    - `promo`: a promo code.
    - `payment_case`: the code of a payment case; empty: all of them.
    - `sums`: what the member did alone in the last day.
    """

    digest: str = ""
    code: str = ""
    broadcast: int = 0
    language: str = ""
    login: str = ""
    case: CaseAsked | None = None
    approval: int = 0
    override_key: OverrideKey | None = None
    purchase: str = ""
    promo: str = ""
    payment_case: str | None = None
    sums: bool = False


NOTHING_WANTED = FactsWanted()
