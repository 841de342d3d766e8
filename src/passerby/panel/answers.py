"""The page that answers a form waits here, and the browser is sent to it with GET.

So a reload shows the answer again and repeats no act, and the address in the browser is one that can be opened and
passed on: `/settings/PATIENCE?answer=…`. Only the browser and the member that sent the form get the answer, for a
quarter of an hour. Everybody else gets the page itself.

Answers are kept in this process only, because a page may show evidence. If another process takes the GET, it shows the
page without the answer; what the form asked for is done all the same.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from passerby.kernel.staff import StaffId
from passerby.panel.http import Answer

FIELD: Final = "answer"
KEEP_S: Final = 900.0
MOST: Final = 200
MOST_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """`browser`: the digest of its secret. `path`: of the page that the answer belongs to."""

    browser: str
    member: StaffId
    path: str
    answer: Answer
    at: float


class KeptAnswers:
    """The newest answers, the oldest first."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._answers: dict[str, KeptAnswer] = {}
        self._bytes = 0

    def keep(self, answer: Answer, browser: str, member: StaffId, now: float) -> str:
        """Returns the address that shows it."""
        path, _, query = answer.at.partition("?")
        name = f"{self._rng.getrandbits(64):016x}"
        self._answers[name] = KeptAnswer(browser, member, path, answer, now)
        self._bytes += len(answer.body)
        while len(self._answers) > MOST or self._bytes > MOST_BYTES:
            self._drop_first()
        return f"{path}?{query}{'&' if query else ''}{FIELD}={name}"

    def of(self, name: str, browser: str, member: StaffId, path: str, now: float) -> Answer | None:
        """None: there is no such answer for this member in this browser, or it is too old."""
        self.forget_old(now)
        found = self._answers.get(name)
        if found is None or (found.browser, found.member, found.path) != (browser, member, path):
            return None
        return found.answer

    def forget_old(self, now: float) -> None:
        while self._answers and not 0 <= now - next(iter(self._answers.values())).at < KEEP_S:
            self._drop_first()

    def _drop_first(self) -> None:
        self._bytes -= len(self._answers.pop(next(iter(self._answers))).answer.body)
