"""Joins things into groups. (Union-find.)"""

from collections import defaultdict
from typing import Generic, TypeVar

T = TypeVar("T")


class Groups(Generic[T]):
    """Things that were joined, directly or through others, are one group."""

    def __init__(self) -> None:
        self._leader: dict[T, T] = {}

    def _of(self, one: T) -> T:
        while (leader := self._leader.setdefault(one, one)) != one:
            self._leader[one] = self._leader[leader]
            one = leader
        return one

    def join(self, one: T, other: T) -> None:
        self._leader[self._of(one)] = self._of(other)

    def all(self) -> list[list[T]]:
        groups: defaultdict[T, list[T]] = defaultdict(list)
        for one in list(self._leader):
            groups[self._of(one)].append(one)
        return list(groups.values())
