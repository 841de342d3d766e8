"""The tables of sightings of this period and the one before (see `domain.popularity`)."""

from collections.abc import Iterable, Sequence

from passerby.domain.popularity import PERIOD_S, slot_and_bit

FlatTable = tuple[int, list[tuple[int, int]]]
"""The number of a period, and its nonempty slots."""


class Sightings:
    def __init__(self) -> None:
        self._tables: dict[int, dict[int, int]] = {}

    def has(self, bits: Iterable[int], at: float) -> bool:
        """Whether all these bits are set."""
        table = self._tables.get(_period(at), {})
        return all(table.get(slot, 0) >> bit & 1 for slot, bit in map(slot_and_bit, bits))

    def note(self, bits: Iterable[int], at: float) -> None:
        period = _period(at)
        if period not in self._tables:
            self._tables = {each: table for each, table in self._tables.items() if each == period - 1} | {period: {}}
        table = self._tables[period]
        for slot, bit in map(slot_and_bit, bits):
            table[slot] = table.get(slot, 0) | 1 << bit

    def least(self, bits: Sequence[int], at: float) -> int:
        """The lowest number of bits in any of their slots, taken from the period where it is higher."""
        slots = [slot for slot, _ in map(slot_and_bit, bits)]
        tables = [self._tables.get(period, {}) for period in (_period(at), _period(at) - 1)]
        return max(min((table.get(slot, 0).bit_count() for slot in slots), default=0) for table in tables)

    def dump(self) -> list[FlatTable]:
        return [(period, list(table.items())) for period, table in self._tables.items()]

    def restore(self, tables: Iterable[FlatTable]) -> None:
        self._tables = {period: dict(slots) for period, slots in tables}


def _period(at: float) -> int:
    return int(at // PERIOD_S)
