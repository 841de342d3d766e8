"""When the store last left a commit without an answer."""

from passerby.ports.clock import Clock


class UncertainCommits:
    """After a commit without an answer, the outbox may hold entries that no process knows of."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_at = float("-inf")

    def mark(self) -> None:
        """Note that a commit was left without an answer just now."""
        self._last_at = self._clock.monotonic()

    def last_at(self) -> float:
        """When that last happened, in monotonic seconds; -inf if never."""
        return self._last_at
