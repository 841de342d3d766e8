"""Time, as a dependency that is passed in."""

from typing import Protocol


class Clock(Protocol):
    """Wall time is for people and for Telegram's dates. Monotonic time is for every wait and deadline."""

    def now(self) -> float:
        """Unix seconds, UTC. May jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start. Never goes back."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Return after `delay_s` of monotonic time; immediately if it is not positive."""
        ...
