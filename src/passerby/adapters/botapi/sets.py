"""Hides sticker and custom emoji sets that may reveal who made them.

Anybody can make a set, and its name and link lead to its maker. So a set is passed on only if many people use it: then
it reveals nothing about its sender. A sticker of any other set is uploaded again, and so belongs to no set. A custom
emoji of any other set is replaced by the plain emoji in the text. The sender is not asked, because the partner sees the
same thing, only without the set.

Custom emoji are counted by their own ids, so no request is needed to find their set.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from passerby.adapters.botapi.safe_filenames import APART
from passerby.domain.popularity import ENOUGH, bits
from passerby.kernel.content import Content, Entity, Kind
from passerby.kernel.ids import PersonId
from passerby.ports.live_store import LiveStoreLost

_EMOJI: Final = "custom_emoji"
_TRUSTED_FOR: Final = 100
"""A set that is known to be popular is looked up again once in this many times. That also counts its sender."""

_REMEMBERED: Final = 4096
_POLL_TEXTS: Final = ("question_entities", "text_entities")


class Sightings(Protocol):
    """`LiveStore` satisfies it."""

    async def sight(self, bits: Sequence[int]) -> int:
        """See `ports.live_store`."""
        ...


def has_set(content: Content) -> bool:
    """Whether a message holds a sticker or a custom emoji."""
    if content.entities and any(entity.type == _EMOJI for entity in content.entities):
        return True
    if content.kind is Kind.STICKER:
        return "set_name" in (content.detail or {})
    return content.kind is Kind.POLL


class Sets:
    """Decides which sets may be passed on. Without `sightings` no set is known."""

    def __init__(self, sightings: Sightings | None, key: bytes) -> None:
        self._sightings = sightings
        self._key = key
        self._trusted: dict[str, int] = {}

    async def without_unknown(self, content: Content, by: PersonId) -> Content:
        """Return the content without stickers and emoji of sets that few people use."""
        if content.entities:
            content = msgspec.structs.replace(content, entities=await self.known_only(content.entities, by))
        detail = content.detail
        if detail is None:
            return content
        if content.kind is Kind.POLL:
            return msgspec.structs.replace(content, detail=await self._poll(detail, by))
        if content.kind is Kind.STICKER and "set_name" in detail and not await self._is_known(detail["set_name"], by):
            bare = {name: value for name, value in detail.items() if name != "set_name"}
            return msgspec.structs.replace(content, detail=bare | {APART: True})
        return content

    async def known_only(self, entities: Sequence[Entity], by: PersonId) -> tuple[Entity, ...]:
        """Return the entities without custom emoji that few people use."""
        return tuple(
            [
                e
                for e in entities
                if e.type != _EMOJI or (e.custom_emoji_id and await self._is_known(e.custom_emoji_id, by))
            ]
        )

    async def _poll(self, detail: dict[str, Any], by: PersonId) -> dict[str, Any]:
        """Remove rare custom emoji from the question and the answers of a poll."""
        options = [await self._texts(option, by) for option in detail.get("options", ())]
        return await self._texts(detail, by) | ({"options": options} if options else {})

    async def _texts(self, members: dict[str, Any], by: PersonId) -> dict[str, Any]:
        found = {name: members[name] for name in _POLL_TEXTS if name in members}
        return members | {
            name: [each for each in entities if await self._is_known(each["custom_emoji_id"], by)]
            for name, entities in found.items()
        }

    async def _is_known(self, what: str, by: PersonId) -> bool:
        """Whether many people use it. This sender is counted, too."""
        left = self._trusted.get(what, 0)
        if left:
            self._trusted[what] = left - 1
            return True
        if self._sightings is None:
            return False
        try:
            seen = await self._sightings.sight(bits(self._key, what, by))
        except LiveStoreLost:
            return False
        if seen < ENOUGH:
            return False
        if len(self._trusted) >= _REMEMBERED:
            del self._trusted[next(iter(self._trusted))]
        self._trusted[what] = _TRUSTED_FOR
        return True
