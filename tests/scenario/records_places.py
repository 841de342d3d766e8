"""Records for a scenario: in memory, or on a PostgreSQL whose answers take no virtual time."""

import asyncio
import atexit
import math
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from passerby.adapters.sql import SqlRecords
from passerby.adapters.sql.funnel import read_funnel
from passerby.adapters.sql.promos import all_promos, store_promos
from passerby.kernel.history import History
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.journey import Step
from passerby.kernel.money import ChargeId, StarRow
from passerby.kernel.participant import Participant
from passerby.kernel.promo import PromoCode, Redemption
from passerby.kernel.referral import Referral, ReferralOutcome, Reward
from passerby.ports.facts import Fact, PersonChanged
from passerby.ports.money import GrantOver, StarCall, Unmatched
from passerby.ports.records import Active, Elsewhere, Records
from tests.contract.money_memory import Ledger
from tests.contract.money_sql import ledger_in
from tests.contract.records_memory import Disk, MemoryRecords, mentions
from tests.contract.records_places import NO_ROWS, Complaints, Evidence, PostgresServer, SqlPlace, refill
from tests.contract.servers import postgres_uri

T = TypeVar("T")
Funnel = Counter[tuple[str, BotId, Step]]
ANSWER_S = 120.0


class RecordsPlace(Protocol):
    def open(self) -> Records: ...

    def know(self, person: Participant) -> None:
        """Put a person on record before the scenario begins."""
        ...

    def person(self, person: int) -> Participant: ...

    def complaints(self) -> Complaints: ...

    def evidence(self) -> Evidence: ...

    def mentions(self, person: int) -> list[str]:
        """The tables that hold this person's number."""
        ...

    def ledger(self) -> Ledger: ...

    def add_promo(self, promo: PromoCode) -> None: ...

    def promo_uses(self) -> dict[str, int]:
        """How often each code was used."""
        ...

    def funnel(self) -> Funnel:
        """How many people reached a step, by their source, their bot and the step."""
        ...

    def empty(self) -> None:
        """Delete all rows, for another scenario. Much faster than another place."""
        ...

    def close(self) -> None: ...


class MemoryRecordsPlace:
    def __init__(self) -> None:
        self.disk = Disk()

    def empty(self) -> None:
        self.disk = Disk()

    def open(self) -> Records:
        return MemoryRecords(self.disk)

    def know(self, person: Participant) -> None:
        self.disk.people[person.person] = person

    def person(self, person: int) -> Participant:
        return self.disk.people[PersonId(person)]

    def complaints(self) -> Complaints:
        return dict(self.disk.complaints)

    def evidence(self) -> Evidence:
        return dict(self.disk.evidence)

    def mentions(self, person: int) -> list[str]:
        return mentions(self.disk, person)

    def ledger(self) -> Ledger:
        return self.disk.ledger

    def promo_uses(self) -> dict[str, int]:
        return {code: promo.uses for code, promo in self.disk.promos.items()}

    def add_promo(self, promo: PromoCode) -> None:
        self.disk.promos[promo.code] = promo

    def funnel(self) -> Funnel:
        found: Funnel = Counter()
        for (_, source, bot, _, step), count in self.disk.funnel.items():
            found[source, bot, step] += count
        return found

    def close(self) -> None:
        pass


class SqlRecordsPlace:
    """The records have their own thread and loop. Virtual time stands still while the scenario waits for them."""

    def __init__(self, place: SqlPlace) -> None:
        self._place = place
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.records = self.ask(self._opened())
        self._known = 0

    async def _opened(self) -> SqlRecords:
        return self._place.open()

    def empty(self) -> None:
        raise NotImplementedError

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(ANSWER_S)

    def open(self) -> Records:
        return _Aside(self.records, self.ask)

    def know(self, person: Participant) -> None:
        self._known += 1
        self.ask(self.records.apply("before", [(self._known, PersonChanged(person, person.seen_at))]))

    def person(self, person: int) -> Participant:
        return self.ask(self.records.people((PersonId(person),)))[PersonId(person)]

    def complaints(self) -> Complaints:
        return self.ask(self._place.complaints())

    def evidence(self) -> Evidence:
        return self.ask(self._place.evidence())

    def mentions(self, person: int) -> list[str]:
        return self.ask(self._place.mentions(person))

    def ledger(self) -> Ledger:
        return self.ask(ledger_in(self.records.engine))

    def promo_uses(self) -> dict[str, int]:
        return {each.code: each.uses for each in self.ask(all_promos(self.records.engine))}

    def add_promo(self, promo: PromoCode) -> None:
        async def add() -> None:
            async with self.records.engine.begin() as connection:
                await store_promos(connection, (promo,))

        self.ask(add())

    def funnel(self) -> Funnel:
        rows = self.ask(read_funnel(self.records.engine, 0, 2**31 - 1))
        return Counter({(row.source, row.bot, step): row.people[step] for row in rows for step in row.people})

    def close(self) -> None:
        self.ask(self.records.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class PostgresRecordsPlace(SqlRecordsPlace):
    def __init__(self) -> None:
        super().__init__(SqlPlace(_database()).empty())

    def empty(self) -> None:
        async def delete() -> None:
            async with self.records.engine.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                await driver.execute(NO_ROWS)  # type: ignore[union-attr]  # at once, which only the driver can do

        self._known = 0
        self.ask(delete())


class FileRecordsPlace(SqlRecordsPlace):
    """SQLite, in a file that goes with the place."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self.file = Path(self._folder.name) / "records.db"
        super().__init__(SqlPlace.in_file(self.file))

    def empty(self) -> None:
        self._known = 0
        self.ask(self.records.engine.dispose())
        refill(self.file)

    def close(self) -> None:
        super().close()
        self._folder.cleanup()


class _Aside:
    def __init__(self, inner: Records, ask: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._inner = inner
        self._ask = ask

    async def people(self, persons: Sequence[PersonId]) -> dict[PersonId, Participant]:
        found: dict[PersonId, Participant] = self._ask(self._inner.people(persons))
        return found

    async def active(self) -> Active:
        found: Active = self._ask(self._inner.active())
        return found

    async def elsewhere(self, bots: Sequence[BotId]) -> list[Elsewhere]:
        found: list[Elsewhere] = self._ask(self._inner.elsewhere(bots))
        return found

    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]], *, after: int | None = None) -> None:
        self._ask(self._inner.apply(generation, entries, after=after))

    async def applied(self, generation: str) -> int:
        found: int = self._ask(self._inner.applied(generation))
        return found

    async def changed_at(self, until: float = math.inf) -> float | None:
        found: float | None = self._ask(self._inner.changed_at(until))
        return found

    async def requests(self, now: float, limit: int) -> Sequence[Participant]:
        found: Sequence[Participant] = self._ask(self._inner.requests(now, limit))
        return found

    async def history(self, person: PersonId) -> History:
        found: History = self._ask(self._inner.history(person))
        return found

    async def acquaintances(self, person: PersonId, limit: int) -> Sequence[PersonId]:
        found: Sequence[PersonId] = self._ask(self._inner.acquaintances(person, limit))
        return found

    async def star_calls(self, limit: int) -> Sequence[StarCall]:
        calls: Sequence[StarCall] = self._ask(self._inner.star_calls(limit))
        return calls

    async def may_cancel(
        self, bot: BotId, person: PersonId, charge: ChargeId, now: float
    ) -> Sequence[tuple[ChargeId, str]]:
        found: Sequence[tuple[ChargeId, str]] = self._ask(self._inner.may_cancel(bot, person, charge, now))
        return found

    async def subscribers(self, bot: BotId, now: float, beyond: PersonId, limit: int) -> Sequence[PersonId]:
        found: Sequence[PersonId] = self._ask(self._inner.subscribers(bot, now, beyond, limit))
        return found

    async def rows_seen(self, bot: BotId) -> int:
        seen: int = self._ask(self._inner.rows_seen(bot))
        return seen

    async def note_rows(self, bot: BotId, rows: Sequence[StarRow], seen: int, now: float) -> None:
        self._ask(self._inner.note_rows(bot, rows, seen, now))

    async def unmatched(self, before: float, limit: int) -> Sequence[Unmatched]:
        found: Sequence[Unmatched] = self._ask(self._inner.unmatched(before, limit))
        return found

    async def referrals_due(self, before: float, now: float, limit: int) -> Sequence[Referral]:
        due: Sequence[Referral] = self._ask(self._inner.referrals_due(before, now, limit))
        return due

    async def decide_referral(
        self, friend: PersonId, outcome: ReferralOutcome, now: float, grants: tuple[str, str] = ("", "")
    ) -> None:
        self._ask(self._inner.decide_referral(friend, outcome, now, grants))

    async def rewards(self, after: float, limit: int) -> Sequence[Reward]:
        rewards: Sequence[Reward] = self._ask(self._inner.rewards(after, limit))
        return rewards

    async def referrals_given(self, after: float) -> Sequence[PersonId]:
        friends: Sequence[PersonId] = self._ask(self._inner.referrals_given(after))
        return friends

    async def rewards_over(self, after: float, now: float, limit: int) -> Sequence[GrantOver]:
        over: Sequence[GrantOver] = self._ask(self._inner.rewards_over(after, now, limit))
        return over

    async def grants_over(self, after: float, now: float, limit: int) -> Sequence[GrantOver]:
        gifts: Sequence[GrantOver] = self._ask(self._inner.grants_over(after, now, limit))
        return gifts

    async def unconfirmed(self, after: float, before: float) -> int:
        count: int = self._ask(self._inner.unconfirmed(after, before))
        return count

    async def redeem(self, code: str, person: PersonId, now: float, *, has_bought: bool, grant: str) -> Redemption:
        found: Redemption = self._ask(self._inner.redeem(code, person, now, has_bought=has_bought, grant=grant))
        return found

    async def vip_ending(self, after: float, before: float, beyond: PersonId, limit: int) -> Sequence[Participant]:
        found: Sequence[Participant] = self._ask(self._inner.vip_ending(after, before, beyond, limit))
        return found

    async def aclose(self) -> None:
        """Do nothing: `PostgresRecordsPlace` closes the records."""


@cache
def _database() -> str:
    """Return the database for this process's whole run."""
    running = ExitStack()
    atexit.register(running.close)
    server = PostgresServer(running.enter_context(postgres_uri()))
    return running.enter_context(server.migrated())
