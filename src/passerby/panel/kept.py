"""Forms that wait until their sender has proved once more who they are.

They are kept in this process only, never in a page or the database: a form may hold a bot's token. If another process
answers after the proof, the form must be filled in again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from passerby.kernel.staff import StaffId

KEEP_S: Final = 900.0
MOST: Final = 100
HIDDEN: Final = frozenset({"csrf", "token", "seen", "sure"})
"""Fields that say nothing to a reader, or that must not be shown."""


@dataclass(frozen=True, slots=True)
class KeptForm:
    """`path`: where it was sent to."""

    member: StaffId
    path: str
    form: Mapping[str, str]
    at: float

    @property
    def shown(self) -> dict[str, str]:
        return {name: value for name, value in self.form.items() if name not in HIDDEN and value}


class KeptForms:
    """The newest form of each browser. `browser` is the digest of its secret."""

    def __init__(self) -> None:
        self._forms: dict[str, KeptForm] = {}

    def keep(self, browser: str, form: KeptForm) -> None:
        self._forms.pop(browser, None)
        self._forms[browser] = form
        while len(self._forms) > MOST:
            del self._forms[next(iter(self._forms))]

    def of(self, browser: str, member: StaffId, now: float) -> KeptForm | None:
        """None: this member has sent nothing from this browser that still waits."""
        found = self._forms.get(browser)
        return found if found is not None and found.member == member and now - found.at < KEEP_S else None

    def take(self, browser: str, member: StaffId, now: float) -> KeptForm | None:
        """It no longer waits, so it is done at most once."""
        found = self.of(browser, member, now)
        self._forms.pop(browser, None)
        return found
