"""The role Conducts in Redis: two keys a day, which expire when the next day is over."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from passerby.adapters.redis import scripts
from passerby.adapters.redis.calls import Word
from passerby.adapters.redis.generation import GenerationClient
from passerby.adapters.redis.keys import conduct_kept_s, day_of
from passerby.kernel.ids import PersonId
from passerby.ports.clock import Clock

AT_ONCE: Final = 1_000
"""How many people one call names, so that no call holds up the server."""


class RedisConducts(GenerationClient):
    _clock: Clock

    async def conducts(self, day: int, people: Sequence[PersonId]) -> dict[PersonId, bytes]:
        known, _ = self._keys.conducts(day)
        found: dict[PersonId, bytes] = {}
        for at in range(0, len(people), AT_ONCE):
            page = people[at : at + AT_ONCE]
            (values,) = await self._read(("HMGET", known, *page))
            found |= {person: bytes(value) for person, value in zip(page, values, strict=True) if value is not None}
        return found

    async def keep_conducts(
        self, day: int, conducts: Mapping[PersonId, bytes], candidates: Collection[PersonId] = ()
    ) -> None:
        people = list(conducts)
        for at in range(0, len(people), AT_ONCE):
            words: list[Word] = []
            for person in people[at : at + AT_ONCE]:
                words += (person, conducts[person], int(person in candidates))
            await self._note(day, words)

    async def candidates(self, day: int, most: int) -> dict[PersonId, bytes]:
        _, lookworthy = self._keys.conducts(day)
        (members,) = await self._read(("SRANDMEMBER", lookworthy, most))
        return await self.conducts(day, sorted(PersonId(int(each)) for each in members))

    async def forget_conduct(self, person: PersonId) -> None:
        today = day_of(self._clock.now())
        for day in (today - 1, today, today + 1):  # clocks may differ
            await self._note(day, [person, "", 0])

    async def _note(self, day: int, words: Sequence[Word]) -> None:
        kept_s = conduct_kept_s(day, self._clock.now())
        await self._batcher.call(scripts.CONDUCT, self._keys.conducts(day), (kept_s, *words))
