"""Remembers which updates are done, for a little more than a day.

It keeps a set of numbers for each bot, not only the highest one, because Telegram may restart the ids. Most ids are
consecutive, so one bit for each is enough: a day of a hundred updates a second takes about a megabyte.
"""

from collections.abc import Iterable

import msgspec

from passerby.kernel.ids import BotId, UpdateRef

_SHIFT = 10
_BITS = 1 << _SHIFT
KEPT_S = 26 * 3600.0
"""Telegram keeps an update for 24 h from its own date (source: telegram-bot-api, Client.cpp)."""


class Block(msgspec.Struct):
    bot: BotId
    number: int
    bits: bytearray
    touched_at: float


class DoneMarks:
    def __init__(self) -> None:
        self._blocks: dict[tuple[BotId, int], Block] = {}

    def __contains__(self, ref: UpdateRef) -> bool:
        block = self._blocks.get((ref.bot, ref.update >> _SHIFT))
        if block is None:
            return False
        bit = ref.update & (_BITS - 1)
        return bool(block.bits[bit >> 3] & (1 << (bit & 7)))

    def among(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        """Those of a bot's updates that are done."""
        done = set[int]()
        for update in updates:
            block = self._blocks.get((bot, update >> _SHIFT))
            if block is not None:
                bit = update & (_BITS - 1)
                if block.bits[bit >> 3] & (1 << (bit & 7)):
                    done.add(update)
        return done

    def add(self, ref: UpdateRef, at: float) -> None:
        bot, update = ref[0], ref[1]
        key = (bot, update >> _SHIFT)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = Block(bot, key[1], bytearray(_BITS >> 3), at)
        bit = update & (_BITS - 1)
        block.bits[bit >> 3] |= 1 << (bit & 7)
        block.touched_at = at

    def add_all(self, refs: Iterable[UpdateRef], at: float) -> None:
        for ref in refs:
            self.add(ref, at)

    def redate(self, by_s: float) -> None:
        for block in self._blocks.values():
            block.touched_at += by_s

    def sweep(self, now: float) -> None:
        for key in [key for key, block in self._blocks.items() if block.touched_at < now - KEPT_S]:
            del self._blocks[key]

    def dump(self) -> list[Block]:
        return list(self._blocks.values())

    def restore(self, blocks: list[Block]) -> None:
        self._blocks = {(block.bot, block.number): block for block in blocks}
