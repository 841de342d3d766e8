"""The records: everything that must last, in SQL. No relay waits for them."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from passerby.kernel.ids import BotId, ChatId, MessageRef, PersonId
from passerby.kernel.participant import Participant
from passerby.ports.facts import Fact
from passerby.ports.money import MoneyRecords
from passerby.ports.personal_data import PersonalData
from passerby.ports.promos import PromoRecords
from passerby.ports.referrals import ReferralRecords


class Told(NamedTuple):
    """The notice that told a person about an open chat."""

    chat: ChatId
    person: PersonId
    at: MessageRef


class Active(NamedTuple):
    """The people who are searching or chatting, the notices that told them, and the open chats. All were read at one
    moment."""

    people: list[Participant]
    told: list[Told]
    chats: list[ChatId]


class Elsewhere(NamedTuple):
    """Somebody who is searching or chatting through `bot`."""

    person: PersonId
    bot: BotId
    is_chatting: bool


class RecordsLost(Exception):
    """The database is unreachable, or refuses for a temporary reason. Nothing was stored: the call may be repeated."""


class RecordsOlder(RecordsLost):
    """The database holds less than it held before: somebody has replaced it by an older one. Nothing was stored."""


class RecordsDamaged(RecordsLost):
    """The database's file is damaged. Only an operator can repair that. The text is a sentence for them."""


class Records(PersonalData, MoneyRecords, PromoRecords, ReferralRecords, Protocol):
    """Raises: RecordsLost from every method."""

    async def people(self, persons: Sequence[PersonId]) -> dict[PersonId, Participant]:
        """Those of these people whom the records know, with their newest recorded values. One query."""
        ...

    async def active(self) -> Active:
        """Everybody who is searching or in an open chat, and the notices that told them. To rebuild a live store."""
        ...

    async def elsewhere(self, bots: Sequence[BotId]) -> list[Elsewhere]:
        """Everybody who is searching or chatting through a bot that is none of these, by id."""
        ...

    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]], *, after: int | None = None) -> None:
        """Store journal entries. `after`: the last number of this generation that was applied, as far as is known.

        Raises: RecordsOlder, if a lower number was applied. The entries in between would be missing for good.

        Atomicity: all entries and the number of the last one, in one transaction. Entries of the same generation up to
        the number stored before are skipped.
        Ordering: entries come in the journal's order. If there are several values for a person, the newest version
        wins, so a value older than the recorded one changes nothing. Entries that were applied under another
        generation may therefore come again.
        """
        ...

    async def applied(self, generation: str) -> int:
        """The number of the last entry applied; 0 for a generation never seen."""
        ...

    async def changed_at(self, until: float = math.inf) -> float | None:
        """The time of the newest fact applied, in Unix seconds. None: unknown.

        Each generation's newest fact counts if its time is not after `until`: a clock may have been ahead once.
        """
        ...

    async def aclose(self) -> None: ...
