"""Opinions that people have of each other, for the records. An opinion is stored with the change that it comes from."""

import msgspec

from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Complaint, Rating


class Rate(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Record how a person rated a chat."""

    chat: ChatId
    by: PersonId
    rating: Rating


class Complain(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Record a person's report about a partner.

    `cost` is how much it lowered the partner's karma. `retaliates`: the partner had just reported or disliked them.
    """

    chat: ChatId
    by: PersonId
    whom: PersonId
    reason: Complaint
    cost: float = 0.0
    retaliates: bool = False


class Block(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Record that a person has blocked another. `blocked` False: that the block was removed."""

    by: PersonId
    whom: PersonId
    blocked: bool = True


Opinion = Rate | Complain | Block
