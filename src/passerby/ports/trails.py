"""Trails: what a person has sent that is not delivered yet. User: `runtime.inbound`.

A trail is an outbox entry, but nobody sends it.
"""

from typing import Final, Protocol

import msgspec

from passerby.kernel.ids import BotId, PersonId


class Trail(msgspec.Struct, frozen=True, gc=False, tag="trail", omit_defaults=True):
    """Something that a person sent and that is not delivered yet. The process that gets their next update reads it.

    With `sealed`: an item of an album that may be incomplete, with its encrypted message. Without: the trace of a
    parked relay. `to` is `trail_of` the person. A trace is void after `expires_at`, in Unix seconds.
    """

    id: str
    to: PersonId
    bot: BotId
    expires_at: float
    group: str = ""
    sealed: bytes = b""

    @property
    def person(self) -> PersonId:
        return PersonId(self.to & ~_NO_PERSON)


_NO_PERSON: Final = 1 << 62
"""A bit that no user id of Telegram has."""


def trail_of(person: PersonId) -> PersonId:
    """The id under which the outbox holds a person's own trail.

    It belongs to no real person, so notices to the person do not wait for their trail.
    """
    return PersonId(person | _NO_PERSON)


class Trails(Protocol):
    async def trail(self, person: PersonId) -> list[Trail]:
        """Return everything that this person has sent and that is not delivered yet, oldest first, whichever worker
        owns it."""
        ...
