"""Conducts: what people did today and yesterday, in numbers and keyed hashes. Users: the watch for farms."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from passerby.kernel.ids import PersonId


class Conducts(Protocol):
    """A value of some hundred bytes for a person and a day (the number of days since 1970, UTC).

    The store may forget all of it at any time. By itself it forgets a day when the next one is over, so nothing is kept
    for longer than 48 hours.
    """

    async def conducts(self, day: int, people: Sequence[PersonId]) -> dict[PersonId, bytes]:
        """Those of these people that have one."""
        ...

    async def keep_conducts(
        self, day: int, conducts: Mapping[PersonId, bytes], candidates: Collection[PersonId] = ()
    ) -> None:
        """Store conducts. `candidates` are those of the people who are worth a closer look; the others are not any
        more."""
        ...

    async def candidates(self, day: int, most: int) -> dict[PersonId, bytes]:
        """At most this many of the candidates, with their conducts."""
        ...

    async def forget_conduct(self, person: PersonId) -> None:
        """Forget everything about one person at once."""
        ...
