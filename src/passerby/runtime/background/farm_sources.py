"""Learns which links are watched, because accounts of a barred farm came by them. The watch for farms finds them, and
every worker learns them."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import msgspec

from passerby.domain.farms.sources import WATCHED_S
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost

EVERY_S: Final = 10.0
MEMO: Final = "farm_sources"
"""The memo with the watched tags, and until when."""

_pack: Final = msgspec.msgpack.Encoder().encode
_known: Final = msgspec.msgpack.Decoder(dict[str, float])


async def _stored(store: LiveStore, now: float) -> dict[str, float]:
    blob = (await store.memos((MEMO,))).get(MEMO)
    return {} if blob is None else {tag: until for tag, until in _known.decode(blob).items() if now < until}


async def watch_sources(store: LiveStore, found: Iterable[str], now: float) -> None:
    """Watch these tags from now on. Raises: LiveStoreLost."""
    new = dict.fromkeys(found, now + WATCHED_S)
    if new:
        await store.keep_memo(MEMO, _pack({**await _stored(store, now), **new}))


class FarmSources:
    """`now`: the watched tags. While the live store is away, they stay as they were."""

    def __init__(self, store: LiveStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.now: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Learn until cancelled."""
        while True:
            with suppress(LiveStoreLost):  # others report it
                await self.learn()
            await self._clock.sleep(EVERY_S)

    async def learn(self) -> None:
        """Raises: LiveStoreLost."""
        self.now = frozenset(await _stored(self._store, self._clock.now()))
