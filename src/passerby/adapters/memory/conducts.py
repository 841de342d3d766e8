"""The role Conducts for one process. They are not in the log: they are a cache, and hold no more than two days."""

from collections.abc import Collection, Mapping, Sequence

from passerby.adapters.memory.logged import LoggedStore
from passerby.kernel.ids import PersonId

DAY_S = 86_400


class MemoryConducts(LoggedStore):
    """`days`: by the number of the day, person -> conduct. `worth_a_look`: the same, for candidates."""

    def _days(self) -> dict[int, dict[PersonId, bytes]]:
        today = int(self._clock.now() // DAY_S)
        for day in [day for day in self._state.conducts if day < today - 1]:
            del self._state.conducts[day]
            self._state.candidates.pop(day, None)
        return self._state.conducts

    async def conducts(self, day: int, people: Sequence[PersonId]) -> dict[PersonId, bytes]:
        self._check()
        known = self._days().get(day, {})
        return {person: known[person] for person in people if person in known}

    async def keep_conducts(
        self, day: int, conducts: Mapping[PersonId, bytes], candidates: Collection[PersonId] = ()
    ) -> None:
        self._check()
        self._days().setdefault(day, {}).update(conducts)
        lookworthy = self._state.candidates.setdefault(day, set())
        lookworthy.difference_update(conducts)
        lookworthy.update(candidates)

    async def candidates(self, day: int, most: int) -> dict[PersonId, bytes]:
        self._check()
        known = self._days().get(day, {})
        people = sorted(self._state.candidates.get(day, ()))[:most]
        return {person: known[person] for person in people if person in known}

    async def forget_conduct(self, person: PersonId) -> None:
        self._check()
        for day, known in self._days().items():
            known.pop(person, None)
            self._state.candidates.get(day, set()).discard(person)
