"""The server's time, as its last answers tell it.

Times in the store that are compared with each other are the server's. So a worker whose clock is wrong, even by years,
neither hides what others stored nor keeps it for too long. Between two answers the time follows our monotonic clock.
"""

from passerby.ports.clock import Clock


class ServerTime:
    """Unix seconds. Before the first answer, it is our own clock's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_s: float | None = None

    def heard(self, server_us: float) -> None:
        """Note the time in an answer that has just come, in microseconds."""
        self._ahead_s = server_us / 1_000_000 - self._clock.monotonic()

    def now(self) -> float:
        return self._clock.now() if self._ahead_s is None else self._clock.monotonic() + self._ahead_s

    def of(self, at: float) -> float:
        """Turn a time of our clock into the server's."""
        return at + self.now() - self._clock.now()

    def ours(self, at: float) -> float:
        """Turn a time of the server's clock into ours."""
        return at + self._clock.now() - self.now()
