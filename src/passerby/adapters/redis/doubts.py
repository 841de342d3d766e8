"""The role Doubtful in Redis: who resolves the doubts about the store, and what the store holds."""

from collections.abc import Sequence
from functools import partial

from passerby.adapters.redis import scripts, values
from passerby.adapters.redis.generation import GenerationClient
from passerby.adapters.redis.outbox import PAGE
from passerby.kernel.ids import PersonId
from passerby.ports.doubts import RollCallAnswers, StoredPerson
from passerby.ports.leases import WorkerId


class RedisDoubts(GenerationClient):
    async def claim_doubts(self, worker: WorkerId, ttl_s: float) -> bool:
        words = (worker, round(ttl_s * 1000))
        if await self._ask(scripts.MEND, (self._keys.store,), *words, repairs=True):
            return True
        await self._refresh()  # another worker may have resolved them
        return False

    async def answer_roll(self, worker: WorkerId | None) -> RollCallAnswers:
        generation = self._generation.name
        is_over, answered, former = await self._ask_of(generation, scripts.ROLL, (self._keys.store,), (worker or "",))
        if is_over:
            await self._refresh()
        return RollCallAnswers(*(frozenset(map(WorkerId, names.decode().split())) for names in (answered, former)))

    async def everybody(self) -> list[StoredPerson]:
        found: dict[PersonId, StoredPerson] = {}
        cursor = b"0"
        while True:
            number, (cursor, rows) = await self._read(
                ("HGET", self._keys.store, "recorded"),
                ("HSCAN", self._keys.people, cursor, "COUNT", PAGE),
                repairs=True,
            )
            values_of = rows[1::2] if isinstance(rows, list) else rows.values()
            for stored in map(partial(values.stored_person, int(number or 0)), values_of):
                found[stored.participant.person] = stored
            if int(cursor) == 0:
                return list(found.values())

    async def stored(self, persons: Sequence[PersonId]) -> dict[PersonId, StoredPerson]:
        if not persons:
            return {}
        number, rows = await self._read(
            ("HGET", self._keys.store, "recorded"), ("HMGET", self._keys.people, *persons), repairs=True
        )
        recorded = int(number or 0)
        return {
            person: values.stored_person(recorded, row)
            for person, row in zip(persons, rows, strict=True)
            if row is not None
        }
