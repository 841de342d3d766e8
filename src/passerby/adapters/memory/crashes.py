"""Remembers which updates have crashed a worker, for a little more than a day. There are few, because each cost a
process."""

from collections.abc import Iterable

import msgspec

from passerby.adapters.memory.done import KEPT_S
from passerby.kernel.ids import BotId, UpdateRef


class CrashSeen(msgspec.Struct, frozen=True):
    ref: UpdateRef
    crash: str
    at: float


class Crashes:
    def __init__(self) -> None:
        self._seen: dict[UpdateRef, dict[str, float]] = {}

    def add(self, refs: Iterable[UpdateRef], crash: str, at: float) -> None:
        for ref in refs:
            self._seen.setdefault(ref, {})[crash] = at

    def of(self, bot: BotId, updates: Iterable[int]) -> dict[int, int]:
        if not self._seen:
            return {}
        return {each: len(seen) for each in updates if (seen := self._seen.get(UpdateRef(bot, each))) is not None}

    def redate(self, by_s: float) -> None:
        self._seen = {ref: {crash: at + by_s for crash, at in seen.items()} for ref, seen in self._seen.items()}

    def sweep(self, now: float) -> None:
        self._seen = {ref: seen for ref, seen in self._seen.items() if max(seen.values()) >= now - KEPT_S}

    def dump(self) -> list[CrashSeen]:
        return [CrashSeen(ref, crash, at) for ref, seen in self._seen.items() for crash, at in seen.items()]

    def restore(self, crashes: Iterable[CrashSeen]) -> None:
        self._seen = {}
        for each in crashes:
            self.add((each.ref,), each.crash, each.at)
